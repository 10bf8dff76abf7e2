package doctor

import (
	"context"
	"net/url"
	"slices"
	"strconv"
)

// sampled are items to ask a batch read for, and why there are none.
type sampled struct {
	items   []item
	missing error
	names   func(item) string // of an item in the batch read
}

func (q sampled) take(n int) ([]item, []string, error) {
	if len(q.items) == 0 {
		return nil, nil, q.missing
	}
	items := q.items[:min(n, len(q.items))]
	names := make([]string, len(items))
	for at, it := range items {
		names[at] = q.names(it)
	}
	return items, names, nil
}

// batches runs the checks of a batch read. The unknown function makes names that nothing has.
func (s *inspection) batches(ctx context.Context, ep endpoint, known sampled, unknown func(n int) string, query url.Values) {
	s.steady(ctx, ep.name+".found", func(ctx context.Context) error { return s.found(ctx, ep, known, query) })
	s.steady(ctx, ep.name+".missing-left-out", func(ctx context.Context) error {
		if err := s.amount(ctx, ep, []string{unknown(0), unknown(1)}, 0, query); err != nil {
			return err
		}
		_, names, err := known.take(2)
		if err != nil {
			return nil // what can be judged without an item was
		}
		return s.amount(ctx, ep, append(slices.Clone(names), unknown(0)), len(names), query)
	})
	s.steady(ctx, ep.name+".duplicates-once", func(ctx context.Context) error {
		_, names, err := known.take(1)
		if err != nil {
			return err
		}
		return s.amount(ctx, ep, []string{names[0], names[0]}, 1, query)
	})
	s.steady(ctx, ep.name+".full", func(ctx context.Context) error {
		if err := s.intact(ep.name + ".missing-left-out"); err != nil {
			return err
		}
		_, names, _ := known.take(20)
		names = slices.Clone(names)
		want := len(names)
		for n := 0; len(names) < 500; n++ {
			names = append(names, unknown(n))
		}
		return s.amount(ctx, ep, names, want, query)
	})
}

// amount holds a batch to its number of items.
func (s *inspection) amount(ctx context.Context, ep endpoint, names []string, want int, query url.Values) error {
	got, err := s.batch(ctx, ep, names, query)
	if err != nil {
		return err
	}
	if len(got) != want {
		shown := make([]string, len(got))
		for n, it := range got {
			shown[n] = ep.asked(it)
		}
		return sawInstead("", plural(want, "item")+", what exists of it and that once", "%d: %s", len(got), listed(shown))
	}
	return nil
}

// found holds a batch to the items as a list showed them.
func (s *inspection) found(ctx context.Context, ep endpoint, known sampled, query url.Values) error {
	want, names, err := known.take(5)
	if err != nil {
		return err
	}
	got, err := s.batch(ctx, ep, names, query)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return sawInstead("", plural(len(want), "item")+" for "+listed(names), "%d", len(got))
	}
	for n, it := range want {
		at := slices.IndexFunc(got, func(other item) bool { return ep.asked(other) == names[n] })
		if at < 0 {
			return sawInstead("", "an item for "+quote(names[n]), "none")
		}
		if member := it.differs(got[at]); member != "" {
			return sawInstead("", quote(names[n])+" as the list shows it", "another %s", member)
		}
	}
	return nil
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
