package doctor

import (
	"context"
	"net/url"
	"slices"
	"strconv"
)

// sequence is one list that can be paged through: that of a list endpoint, or one group of a windowed one.
type sequence struct {
	name    string // of the endpoint
	missing error  // why there is none to read; nil where there is
	fetch   func(ctx context.Context, query url.Values) (page, error)
}

// Sizes of the walks through a sequence.
const (
	headSize  = 15
	walkPages = 5
	countable = 1000 // lists up to this length are counted
	pageSize  = 100
)

// window is the place of a page in a list.
type window struct {
	limit         int
	after, before string
	from          string
}

func (q sequence) read(ctx context.Context, w window) (page, error) {
	if q.missing != nil {
		return page{}, q.missing
	}
	query := url.Values{"limit": {strconv.Itoa(w.limit)}}
	for name, value := range map[string]string{"after": w.after, "before": w.before, "from": w.from} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return q.fetch(ctx, query)
}

// head reads the front of the list, at least least items of it.
func (q sequence) head(ctx context.Context, least int) (page, error) {
	p, err := q.read(ctx, window{limit: headSize})
	if err == nil && len(p.items) < least {
		return page{}, skipf("it takes a list of %d items, and the longest known has %d", least, len(p.items))
	}
	return p, err
}

// step is the page size with which a list of n known items is walked.
func step(n int) int { return max(1, min(3, n/3)) }

// same holds the items of a page to those expected.
func (p page) same(want []item, why string) error {
	if !slices.Equal(ids(p.items), ids(want)) {
		return sawInstead(p.request, why+": "+listed(ids(want)), "%s", listed(ids(p.items)))
	}
	return nil
}

// neighbours holds next and prev to being there or null.
func (p page) neighbours(prev, next bool) error {
	if got := p.prev != ""; got != prev {
		return sawInstead(p.request, "prev "+nullUnless(prev), "%s", nullUnless(got))
	}
	if got := p.next != ""; got != next {
		return sawInstead(p.request, "next "+nullUnless(next), "%s", nullUnless(got))
	}
	return nil
}

// paging runs the checks of a sequence.
func (s *inspection) paging(ctx context.Context, q sequence) {
	after := func(test func(context.Context) error, names ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			for _, name := range append(names, ruleOrder, ruleCursors) {
				if err := s.intact(q.name + name); err != nil {
					return err
				}
			}
			return test(ctx)
		}
	}
	s.steady(ctx, q.name+".pages-forward", after(q.forward))
	s.steady(ctx, q.name+".pages-back", after(q.back, ".pages-forward"))
	s.steady(ctx, q.name+".from-end", after(q.fromEnd, ".pages-forward", ".pages-back"))
	s.steady(ctx, q.name+".bounds", after(q.bounds, ".pages-forward", ".pages-back", ".from-end"))
	s.steady(ctx, q.name+".positions", after(q.positions, ".pages-forward", ".pages-back"))
	s.steady(ctx, q.name+".total-counted", after(func(ctx context.Context) error { return q.count(ctx, s) }, ".pages-forward", ruleTotal))
	s.steady(ctx, q.name+".unknown-parameters", q.unknown)
}

// forward follows next from the front: the same items as on one larger page, each page's prev there but the first's.
func (q sequence) forward(ctx context.Context) error {
	head, err := q.head(ctx, 2)
	if err != nil {
		return err
	}
	n := step(len(head.items))
	var walked []item
	for at, w := 0, (window{limit: n}); at < walkPages; at++ {
		p, err := q.read(ctx, w)
		if err != nil {
			return err
		}
		upto := min(len(walked)+n, len(head.items))
		if err := p.same(head.items[len(walked):upto], "the items behind the last page's"); err != nil {
			return err
		}
		walked = append(walked, p.items...)
		if err := p.neighbours(at > 0, int64(len(walked)) < p.total); err != nil {
			return err
		}
		if p.next == "" || len(walked) == len(head.items) {
			return nil
		}
		w.after = p.next
	}
	return nil
}

// back follows prev from the end of the head to the front.
func (q sequence) back(ctx context.Context) error {
	head, err := q.head(ctx, 2)
	if err != nil {
		return err
	}
	n, end := step(len(head.items)), len(head.items)-1
	for w := (window{limit: n, before: head.items[end].cursor()}); ; {
		p, err := q.read(ctx, w)
		if err != nil {
			return err
		}
		start := max(0, end-n)
		if err := p.same(head.items[start:end], "the items in front of the last page's"); err != nil {
			return err
		}
		if err := p.neighbours(start > 0, true); err != nil {
			return err
		}
		if start == 0 {
			return nil
		}
		end, w.before = start, p.prev
	}
}

// fromEnd takes pages from the end of what the bounds leave.
func (q sequence) fromEnd(ctx context.Context) error {
	head, err := q.head(ctx, 3)
	if err != nil {
		return err
	}
	n := step(len(head.items))
	tail, err := q.read(ctx, window{limit: n, from: "end"})
	if err != nil {
		return err
	}
	if len(tail.items) != n {
		return sawInstead(tail.request, "the last "+strconv.Itoa(n)+" items", "%d", len(tail.items))
	}
	if head.next == "" {
		if err := tail.same(head.items[len(head.items)-n:], "the end of the list"); err != nil {
			return err
		}
	}
	if err := tail.neighbours(tail.total > int64(n), false); err != nil {
		return err
	}
	behind, err := q.read(ctx, window{limit: n, after: head.items[0].cursor(), from: "end"})
	if err != nil {
		return err
	}
	if err := behind.same(tail.items, "the last items behind a position"); err != nil {
		return err
	}
	last := len(head.items) - 1
	front, err := q.read(ctx, window{limit: n, before: head.items[last].cursor(), from: "start"})
	if err != nil {
		return err
	}
	return front.same(head.items[:n], "the first items in front of a position")
}

// unknown asks twice, once with parameters that mean nothing.
func (q sequence) unknown(ctx context.Context) error {
	if q.missing != nil {
		return q.missing
	}
	plain, err := q.fetch(ctx, url.Values{})
	if err != nil {
		return err
	}
	decorated, err := q.fetch(ctx, url.Values{"doctor": {"1"}, "utm_source": {"doctor"}})
	if err != nil {
		return err
	}
	return decorated.same(plain.items, "the same items as without the unknown parameters")
}
