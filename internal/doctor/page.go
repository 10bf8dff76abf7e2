package doctor

import (
	"net/url"
	"strconv"
)

// page reads one page and holds it to what every page must keep: order, size, cursors and total.
func (s *inspection) page(ep endpoint, key, shown string, query url.Values, tree map[string]any) (page, error) {
	items, err := s.items(ep, key, shown, query, tree)
	if err != nil {
		return page{}, err
	}
	p := page{items: items, request: shown}
	p.total, _ = integer(tree["total"])
	p.next, _ = tree["next"].(string)
	p.prev, _ = tree["prev"].(string)
	for _, rule := range []struct {
		name string
		err  error
	}{
		{ruleOrder, p.ordered()},
		{ruleTotal, p.totalled()}, // before the size, which is reckoned from it
		{ruleLimit, p.sized(query)},
		{ruleCursors, p.pointed(query)},
	} {
		if err := s.hold(ep.name+rule.name, rule.err); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

func (p page) ordered() error {
	for n := 1; n < len(p.items); n++ {
		if p.items[n-1].compare(p.items[n]) >= 0 {
			return sawInstead(p.request, "items ordered by time, then id, both descending", "%s (%s) in front of %s (%s)",
				quote(p.items[n-1].id), stamp(p.items[n-1]), quote(p.items[n].id), stamp(p.items[n]))
		}
	}
	return nil
}

func unbounded(query url.Values) bool { return query.Get("after") == "" && query.Get("before") == "" }

func (p page) sized(query url.Values) error {
	limit, n := limitOf(query), len(p.items)
	switch {
	case n > limit:
		return sawInstead(p.request, "at most "+strconv.Itoa(limit)+" items", "%d", n)
	case unbounded(query) && int64(n) < min(int64(limit), p.total):
		return sawInstead(p.request, strconv.FormatInt(min(int64(limit), p.total), 10)+" items of a list of "+strconv.FormatInt(p.total, 10), "%d", n)
	}
	return nil
}

func (p page) totalled() error {
	n := int64(len(p.items))
	switch {
	case p.total < n:
		return sawInstead(p.request, "a total of "+strconv.FormatInt(n, 10)+" or more, for as many items are on the page", "%d", p.total)
	case n > 0 && p.next == "" && p.prev == "" && p.total != n:
		return sawInstead(p.request, "a total of "+strconv.FormatInt(n, 10)+", for the page with neither next nor prev is the whole list", "%d", p.total)
	}
	return nil
}

// pointed holds next and prev to the page's last and first item, and to null where the page alone tells so.
func (p page) pointed(query url.Values) error {
	n := len(p.items)
	if n == 0 {
		if p.next != "" || p.prev != "" {
			return sawInstead(p.request, "next and prev null on an empty page", "next %s, prev %s", quote(p.next), quote(p.prev))
		}
		return nil
	}
	if err := p.names("next", p.next, p.items[n-1]); err != nil {
		return err
	}
	if err := p.names("prev", p.prev, p.items[0]); err != nil {
		return err
	}
	if !unbounded(query) || query.Get("from") == "end" {
		return nil
	}
	if p.prev != "" {
		return sawInstead(p.request, "prev null on the first page", "a cursor")
	}
	if more := p.total > int64(n); more != (p.next != "") {
		return sawInstead(p.request, "next "+nullUnless(more)+", for the list has "+strconv.FormatInt(p.total, 10)+" items and this page "+strconv.Itoa(n), "next %s", nullUnless(!more))
	}
	return nil
}

func (p page) names(member, cursor string, it item) error {
	if cursor == "" {
		return nil
	}
	got, err := decodeCursor(cursor)
	if err != nil {
		return sawInstead(p.request, member+" as base64url of <time>|<id>", "%s: %v", quote(cursor), err)
	}
	if got.compare(it) != 0 {
		return sawInstead(p.request, member+" at "+quote(it.id)+" "+stamp(it), "%s %s", quote(got.id), stamp(got))
	}
	return nil
}

func nullUnless(there bool) string {
	if there {
		return "a cursor"
	}
	return "null"
}

func stamp(it item) string { return it.at.UTC().Format("2006-01-02T15:04:05.999999999Z07:00") }
