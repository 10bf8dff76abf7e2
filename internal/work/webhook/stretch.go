package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tributary/internal/event"
)

const (
	// late is how long after it happened an event may reach the log for a replay to find it for sure.
	late = time.Hour
	// stretchPage is how many events are read at a time where snapshots follow each other.
	stretchPage = 500
)

// edge is the first position from which on the log tells of a time or later, as far as it is known. Snapshots tell no time: they are
// of long before they came in. Each counts as the event behind them, and at the end of the log as later than any time.
type edge struct {
	at        time.Time
	found     int64 // what lies before it is earlier; between it and low are snapshots alone
	low, high int64 // high and what lies behind it are not earlier; what is between is not known
}

// stretch returns the part of the log, behind one position and up to another, that has the events of a time. The log is ordered by
// when they came in, and each came in at most late after it happened: what happened at a time lies between those that happened so
// much before and after it. No position is read twice: what a probe reads, it takes out of what is not known for both edges.
func stretch(ctx context.Context, log event.Log, bounds event.Bounds, from, to time.Time) (after, until int64, err error) {
	first := max(bounds.First, 1)
	end := max(bounds.Last+1, first)
	edges := []edge{{from.Add(-late), first, first, end}, {to.Add(late), first, first, end}}
	for i := range edges {
		for edges[i].low < edges[i].high {
			if err := probe(ctx, log, edges, edges[i].low+(edges[i].high-edges[i].low)/2, edges[i].high); err != nil {
				return 0, 0, err
			}
		}
	}
	return edges[0].found - 1, edges[1].found - 1, nil
}

// probe reads from a position on until an event tells a time, at most up to the high end of an edge.
func probe(ctx context.Context, log event.Log, edges []edge, from, high int64) error {
	for next, limit := from, int64(1); next < high; limit = stretchPage {
		events, err := log.Read(ctx, next-1, int(min(limit, high-next)))
		if errors.Is(err, event.ErrTrimmed) { // meanwhile: it lies before any time
			for i := range edges {
				edges[i].earlier(next)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if len(events) == 0 {
			break
		}
		if told(edges, from, events) {
			return nil
		}
		next = events[len(events)-1].Position + 1
	}
	for i := range edges {
		if edges[i].high == high {
			edges[i].later(from)
		}
	}
	return nil
}

// told narrows the edges by what events tell, in front of which are snapshots alone from a position on. It is false if they are
// snapshots too.
func told(edges []edge, from int64, events []event.Event) bool {
	next := from
	for _, each := range events {
		if each.Snapshot() {
			continue
		}
		for i := range edges {
			if each.Time.Before(edges[i].at) {
				edges[i].earlier(each.Position)
			} else {
				edges[i].later(next)
			}
		}
		next = each.Position + 1
	}
	for i := range edges {
		if e := &edges[i]; next > from && e.low == next {
			e.low = min(e.high, events[len(events)-1].Position+1)
		}
	}
	return next > from
}

// earlier says that what is up to a position is earlier.
func (e *edge) earlier(position int64) {
	if position >= e.low {
		e.low = min(e.high, position+1)
		e.found = e.low
	}
}

// later says that what is from a position on is not earlier.
func (e *edge) later(position int64) { e.high = max(e.low, min(e.high, position)) }
