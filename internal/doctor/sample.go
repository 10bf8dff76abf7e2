package doctor

import (
	"context"
	"net/url"
	"slices"
)

// samples are ids that one service showed and another is asked about.
type samples struct {
	users []string
	posts []string
}

// gather reads both ends of a list. Without items it returns why there are none, a skip.
func (s *inspection) gather(ctx context.Context, ep endpoint, extra url.Values, none string) (out []item, missing error) {
	missing = skip(none)
	for _, from := range []string{"start", "end"} {
		query := withLimit(extra, pageSize)
		query.Set("from", from)
		p, err := s.list(ctx, ep, query)
		if err != nil {
			missing = unread(ep, err)
			continue
		}
		out = appendNew(out, p.items)
	}
	return out, missing
}

// unread turns the failure to read samples into the reason to skip what rests on them; the checks of the endpoint
// itself report it.
func unread(ep endpoint, err error) error {
	if isSkip(err) {
		return err
	}
	return skipf("%s could not be read", ep.path)
}

// gatherGroups reads the front of some groups.
func (s *inspection) gatherGroups(ctx context.Context, ep endpoint, keys []string, extra url.Values) []item {
	keys = affordable(keys)
	if len(keys) == 0 || s.dead != "" {
		return nil
	}
	groups, err := s.groups(ctx, ep, keys, withLimit(extra, 20))
	if err != nil {
		return nil
	}
	var out []item
	for _, key := range keys {
		out = append(out, groups[key].items...)
	}
	return out
}

func appendNew(items, more []item) []item {
	for _, it := range more {
		if !slices.ContainsFunc(items, func(known item) bool { return known.id == it.id }) {
			items = append(items, it)
		}
	}
	return items
}

// texts lists a member of items, without empty ones and duplicates.
func texts(items []item, member string) []string {
	var out []string
	for _, it := range items {
		if text := it.text(member); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
