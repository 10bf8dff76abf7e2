package doctor

import (
	"context"
	"net/url"
	"strconv"
)

// tally is a counting endpoint and the list whose totals it repeats.
type tally struct {
	ep    endpoint
	query url.Values // what both are asked with
	of    keyed
	count string // name of the number; empty for a plain one
	whole func(ctx context.Context, key string) (int64, error)
	needs []string // checks of the list that must not be breached
}

// declareCounts announces the invariants of a counting endpoint.
func (s *inspection) declareCounts(ep endpoint) { s.declareReads(ep, ruleEveryKey) }

// counting runs the checks of a counting endpoint, but for what its numbers must be.
func (s *inspection) counting(ctx context.Context, ep endpoint, some string) {
	s.check(ctx, ep.name+".unknown-zero", func(ctx context.Context) error {
		keys := []string{unknownID(0), unknownID(1), unknownID(0)}
		counts, err := s.counts(ctx, ep, keys, nil)
		if err != nil {
			return err
		}
		for key, numbers := range counts {
			for _, n := range numbers {
				if n != 0 {
					return sawInstead("", "0 for the unknown "+key, "%d", n)
				}
			}
		}
		return nil
	})
	s.check(ctx, ep.name+".full", func(ctx context.Context) error {
		_, err := s.counts(ctx, ep, fill(some), nil)
		return err
	})
	s.keyRefusals(ctx, ep, unknownID, malformedIDs())
}

// agrees holds the count of a key to what is counted elsewhere.
func (s *inspection) agrees(ctx context.Context, name string, t tally) {
	s.steady(ctx, name, func(ctx context.Context) error {
		if t.of.missing != nil {
			return t.of.missing
		}
		if err := s.intact(t.needs...); err != nil {
			return err
		}
		want, err := t.whole(ctx, t.of.main)
		if err != nil {
			return err
		}
		counts, err := s.counts(ctx, t.ep, []string{t.of.main}, t.query)
		if err != nil {
			return err
		}
		if got := counts[t.of.main][t.count]; got != want {
			return sawInstead("", strconv.FormatInt(want, 10)+" for "+t.of.main+", the length of its list", "%d", got)
		}
		return nil
	})
}

// totalOf reads the total of a key's list.
func (s *inspection) totalOf(ep endpoint, query url.Values) func(context.Context, string) (int64, error) {
	return func(ctx context.Context, key string) (int64, error) {
		groups, err := s.groups(ctx, ep, []string{key}, withLimit(query, 1))
		return groups[key].total, err
	}
}

// withLimit is a copy of a query with a limit.
func withLimit(query url.Values, limit int) url.Values {
	out := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, values := range query {
		out[name] = values
	}
	return out
}
