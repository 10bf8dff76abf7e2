package doctor

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// bounds reads between two positions, from either side.
func (q sequence) bounds(ctx context.Context) error {
	head, err := q.head(ctx, 3)
	if err != nil {
		return err
	}
	last := len(head.items) - 1
	inner := head.items[1:last]
	n := step(len(inner))
	w := window{after: head.items[0].cursor(), before: head.items[last].cursor()}
	for _, c := range []struct {
		from  string
		limit int
		want  []item
	}{
		{"", pageSize, inner},
		{"", n, inner[:n]},
		{"start", n, inner[:n]},
		{"end", n, inner[len(inner)-n:]},
	} {
		w.from, w.limit = c.from, c.limit
		p, err := q.read(ctx, w)
		if err != nil {
			return err
		}
		if err := p.same(c.want, "the items between the bounds"); err != nil {
			return err
		}
		if err := p.neighbours(true, true); err != nil {
			return err
		}
		if p.total != head.total {
			return sawInstead(p.request, "a total of "+strconv.FormatInt(head.total, 10)+", whatever the bounds", "%d", p.total)
		}
	}
	empty, err := q.read(ctx, window{limit: n, after: head.items[0].cursor(), before: head.items[1].cursor()})
	if err != nil {
		return err
	}
	return empty.same(nil, "between neighbours")
}

// positions reads from cursors that name no item.
func (q sequence) positions(ctx context.Context) error {
	head, err := q.head(ctx, 2)
	if err != nil {
		return err
	}
	middle := head.items[len(head.items)/2].infront()
	split, _ := slices.BinarySearchFunc(head.items, middle, item.compare)
	n := step(len(head.items))
	front := item{at: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), id: "~"}
	back := item{at: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), id: "-"}
	for _, c := range []struct {
		w    window
		want []item
		why  string
	}{
		{window{after: middle.cursor()}, head.items[split:min(split+n, len(head.items))], "what stands behind a position between two items"},
		{window{before: middle.cursor()}, head.items[max(0, split-n):split], "what stands in front of a position between two items"},
		{window{after: front.cursor()}, head.items[:n], "the front of the list behind a position in front of it all"},
		{window{before: front.cursor()}, nil, "in front of a position in front of it all"},
		{window{after: back.cursor()}, nil, "behind a position behind it all"},
	} {
		c.w.limit = n
		p, err := q.read(ctx, c.w)
		if err != nil {
			return err
		}
		if err := p.same(c.want, c.why); err != nil {
			return err
		}
	}
	return nil
}

// count walks a list that is not too long to its end.
func (q sequence) count(ctx context.Context, s *inspection) error {
	first, err := q.read(ctx, window{limit: pageSize})
	if err != nil {
		return err
	}
	if first.total > countable {
		s.remark = "not counted: " + strconv.FormatInt(first.total, 10) + " items"
		return nil
	}
	counted := int64(len(first.items))
	for p := first; p.next != ""; {
		if counted > first.total {
			break
		}
		if p, err = q.read(ctx, window{limit: pageSize, after: p.next}); err != nil {
			return err
		}
		if p.total != first.total {
			return sawInstead(p.request, "the total of the first page, "+strconv.FormatInt(first.total, 10), "%d", p.total)
		}
		counted += int64(len(p.items))
		if len(p.items) == 0 {
			break
		}
	}
	if counted != first.total {
		return sawInstead(first.request, "a total of "+strconv.FormatInt(counted, 10)+", as counted", "%d", first.total)
	}
	return nil
}
