package clients

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// listParts joins authors into as many keys of lists as the bounds on one request ask for; none if no such author can
// exist.
func (p *Posts) listParts(authors []UserID) []string {
	if len(authors) == 0 {
		return []string{everything}
	}
	keys := make([]wireKey[UserID], 0, len(authors))
	for _, author := range authors {
		if text := idText(author); text != "" {
			keys = append(keys, wireKey[UserID]{author, text})
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.SortFunc(keys, func(a, b wireKey[UserID]) int { return cmp.Compare(a.text, b.text) })
	keys = slices.Compact(keys)
	var parts []string
	for _, part := range split(keys, p.svc.cfg.MaxKeys, p.svc.room(listArgs)) {
		texts := make([]string, len(part))
		for i, k := range part {
			texts[i] = k.text
		}
		parts = append(parts, strings.Join(texts, ","))
	}
	return parts
}

// listArgs is room for the path and all arguments of a list of posts but its authors.
const listArgs = 400

// lists reads lists of posts whose keys are what listParts made.
func (p *Posts) lists(query string, vis Visibility, page Page) *listings[string, PostID, *Post] {
	args := "/posts?" + query + "&visibility=" + string(vis)
	l := newListings(p.entities, "/posts", func(authors string) string {
		if authors == everything || authors == "" {
			return args
		}
		return args + "&authorIds=" + authors
	}, func(authors string) tags {
		if authors == everything {
			return tagged(postList(vis))
		}
		t := tags{more: make([]tag, 0, strings.Count(authors, ",")+1)}
		for author := range strings.SplitSeq(authors, ",") {
			t.more = append(t.more, postsOf(UserID(author), vis))
		}
		return t
	}, page, wholePage(readPost))
	l.batch.text, l.batch.maxKeys, l.show = wholeText, 1, vis.allows
	return l
}

// merge makes one page of the pages of several parts.
func (p *Posts) merge(ctx context.Context, parts []string, answers map[string]Answer[Window[*Post]], vis Visibility, page Page) Answer[Window[*Post]] {
	var stale *Outage
	windows := make([]Window[*Post], 0, len(parts))
	var hidden []string
	for _, part := range parts {
		a := answers[part]
		if a.Err != nil {
			return Answer[Window[*Post]]{Err: a.Err}
		}
		stale = older(stale, a.Stale)
		if page.After != "" && page.Before != "" && len(a.Value.Items) == 0 && a.Value.Total > 0 {
			hidden = append(hidden, part)
			continue
		}
		windows = append(windows, aroundEmpty(a.Value, page))
	}
	// A part with nothing between two bounds does not tell on which side its posts are. One post behind the upper bound,
	// whatever the lower one, tells.
	if len(hidden) > 0 {
		behind := Page{Limit: 1, After: page.After}
		query, err := behind.query()
		if err != nil {
			return Answer[Window[*Post]]{Err: invalid(p.svc.name, err)}
		}
		for _, a := range p.lists(query, vis, behind).read(ctx, hidden) {
			if a.Err != nil {
				return Answer[Window[*Post]]{Err: a.Err}
			}
			stale = older(stale, a.Stale)
			w := aroundEmpty(a.Value, behind)
			windows = append(windows, Window[*Post]{Next: len(w.Items) > 0, Prev: w.Prev, Total: w.Total})
		}
	}
	return Answer[Window[*Post]]{Value: mergeWindows(windows, page), Stale: stale}
}

// aroundEmpty gives an empty page with at most one bound the flags that the contract leaves out there: whatever the list
// holds is on the far side of the bound.
func aroundEmpty(w Window[*Post], page Page) Window[*Post] {
	if len(w.Items) == 0 && w.Total > 0 {
		w.Prev, w.Next = page.After != "", page.Before != ""
	}
	return w
}

// mergeWindows merges pages of lists that have no item in common into the page of their union. Each must have been read
// with the same page, and have its flags even if it is empty.
func mergeWindows(windows []Window[*Post], page Page) Window[*Post] {
	var merged Window[*Post]
	for _, w := range windows {
		merged.Items = append(merged.Items, w.Items...)
		merged.Next, merged.Prev = merged.Next || w.Next, merged.Prev || w.Prev
		merged.Total += w.Total
	}
	slices.SortFunc(merged.Items, func(a, b *Post) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	switch extra := len(merged.Items) - page.Limit; {
	case extra <= 0:
	case page.FromEnd:
		merged.Items, merged.Prev = merged.Items[extra:], true
	default:
		merged.Items, merged.Next = merged.Items[:page.Limit], true
	}
	if len(merged.Items) == 0 {
		merged.Next, merged.Prev = false, false
	}
	return merged
}
