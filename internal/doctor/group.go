package doctor

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
)

// keyed is a windowed endpoint with the keys to examine it by.
type keyed struct {
	ep      endpoint
	main    string // key of the longest list known
	other   string // that of another; may be empty
	missing error  // why there is no main; nil where there is one
	failure error  // of the request that looked for it
}

// unknownID is an id that no service will have given out; n tells several apart.
func unknownID(n int) string { return "~d" + strconv.Itoa(1000+n) }

// choose looks among the candidates for the keys with the longest lists. None is no error: the checks that need one
// are skipped then.
func (s *inspection) choose(ctx context.Context, ep endpoint, candidates []string, none string) keyed {
	k := keyed{ep: ep, missing: skip(none)}
	candidates = affordable(candidates)
	if len(candidates) == 0 || s.dead != "" {
		return k
	}
	groups, err := s.groups(ctx, ep, candidates, url.Values{"limit": {"1"}})
	if err != nil {
		k.missing, k.failure = unread(ep, err), err
		return k
	}
	slices.SortStableFunc(candidates, func(a, b string) int { return cmp.Compare(groups[b].total, groups[a].total) })
	if groups[candidates[0]].total == 0 {
		return k
	}
	k.main, k.missing = candidates[0], nil
	if len(candidates) > 1 {
		k.other = candidates[1]
	}
	return k
}

// affordable drops duplicates and keeps as many ids as a request may reasonably name.
func affordable(names []string) []string {
	const mostNames, mostBytes = 200, 4000
	var out []string
	bytes := 0
	for _, name := range names {
		bytes += len(name) + 1
		if len(out) == mostNames || bytes > mostBytes {
			break
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// sequence is the list of the main key, read with extra parameters.
func (s *inspection) sequence(k keyed, extra url.Values) sequence {
	return sequence{name: k.ep.name, missing: k.missing, fetch: func(ctx context.Context, query url.Values) (page, error) {
		for name, values := range extra {
			query[name] = values
		}
		groups, err := s.groups(ctx, k.ep, []string{k.main}, query)
		return groups[k.main], err
	}}
}

// windows runs the checks of a windowed endpoint.
func (s *inspection) windows(ctx context.Context, k keyed) {
	name := k.ep.name
	s.check(ctx, name+".unknown-keys", func(ctx context.Context) error {
		groups, err := s.groups(ctx, k.ep, []string{unknownID(0), unknownID(1)}, nil)
		if err != nil {
			return err
		}
		for key, p := range groups {
			if p.total != 0 || len(p.items) != 0 {
				return sawInstead(p.request, "an empty page for the unknown "+key, "%d items, total %d", len(p.items), p.total)
			}
		}
		return nil
	})
	s.steady(ctx, name+".many-keys", func(ctx context.Context) error { return s.manyKeys(ctx, k) })
	s.steady(ctx, name+".duplicate-keys", func(ctx context.Context) error {
		key := cmp.Or(k.main, unknownID(0))
		_, err := s.groups(ctx, k.ep, []string{key, unknownID(1), key}, url.Values{"limit": {"3"}})
		return err
	})
	s.steady(ctx, name+".any-group", func(ctx context.Context) error { return s.anyGroup(ctx, k) })
	s.check(ctx, name+".full", func(ctx context.Context) error {
		_, err := s.groups(ctx, k.ep, fill(k.main, k.other), url.Values{"limit": {"1"}})
		return err
	})
	s.paging(ctx, s.sequence(k, nil))
	s.refusals(ctx, k.ep)
}

// fill makes 500 ids, those given first.
func fill(given ...string) []string {
	var out []string
	for _, name := range given {
		if name != "" {
			out = append(out, name)
		}
	}
	for n := 0; len(out) < 500; n++ {
		out = append(out, unknownID(n))
	}
	return out
}

// manyKeys holds the groups of one request to what each key answers alone.
func (s *inspection) manyKeys(ctx context.Context, k keyed) error {
	if err := cmp.Or(k.failure, k.missing); err != nil {
		return err
	}
	if k.other == "" {
		return skip("only one key is known")
	}
	query := url.Values{"limit": {"3"}}
	keys := []string{k.main, k.other}
	together, err := s.groups(ctx, k.ep, append(keys, unknownID(0)), query)
	if err != nil {
		return err
	}
	for _, key := range keys {
		alone, err := s.groups(ctx, k.ep, []string{key}, query)
		if err != nil {
			return err
		}
		if err := together[key].same(alone[key].items, "for "+key+" what it answers alone"); err != nil {
			return err
		}
		if together[key].total != alone[key].total {
			return sawInstead(together[key].request, "for "+key+" the total "+strconv.FormatInt(alone[key].total, 10), "%d", together[key].total)
		}
	}
	return nil
}

// anyGroup cuts another group with a cursor of the main one.
func (s *inspection) anyGroup(ctx context.Context, k keyed) error {
	if k.missing != nil {
		return k.missing
	}
	if k.other == "" {
		return skip("only one key is known")
	}
	if err := s.intact(k.ep.name+".many-keys", k.ep.name+".pages-forward"); err != nil {
		return err
	}
	whole, err := s.groups(ctx, k.ep, []string{k.main, k.other}, url.Values{"limit": {strconv.Itoa(pageSize)}})
	if err != nil {
		return err
	}
	if len(whole[k.main].items) == 0 || len(whole[k.other].items) == 0 {
		return skip("only one key with a list is known")
	}
	// The cut lies in the main list where it is nearest to the middle of the other one.
	other := whole[k.other].items
	cut := other[len(other)/2]
	at, _ := slices.BinarySearchFunc(whole[k.main].items, cut, item.compare)
	pivot := whole[k.main].items[min(at, len(whole[k.main].items)-1)]
	groups, err := s.groups(ctx, k.ep, []string{k.main, k.other}, url.Values{"limit": {"3"}, "after": {pivot.cursor()}})
	if err != nil {
		return err
	}
	for _, key := range []string{k.main, k.other} {
		behind := whole[key].behind(pivot)
		if len(behind) < 3 && whole[key].next != "" {
			continue // the list goes on where it was not read
		}
		if err := groups[key].same(behind[:min(3, len(behind))], "for "+key+" what stands behind the cursor of another group"); err != nil {
			return err
		}
	}
	return nil
}

// behind are the items of a page that stand behind a position.
func (p page) behind(position item) []item {
	return slices.DeleteFunc(slices.Clone(p.items), func(it item) bool { return it.compare(position) <= 0 })
}
