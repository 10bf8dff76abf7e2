package dispatch

import (
	"context"
	"fmt"
	"time"

	"tributary/internal/event"
)

const (
	problemLost = "EVENTS_LOST"
	// rewound is how many events are handed over again when the log has lost its end: behind it there may be others now.
	rewound = 1000
)

// relocate finds the consumer a place in the log when its own is gone, and writes down that events were lost. Where nothing is wrong
// it changes nothing.
func (r *runner) relocate(ctx context.Context) error {
	bounds, err := r.d.log.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("find the log's ends: %w", err)
	}
	c := r.kept
	position, lost := place(c, bounds)
	switch {
	case !lost && c.LogID == bounds.ID:
		return nil
	case c.Until > 0 && c.LogID != "" && c.LogID != bounds.ID:
		return r.remove(ctx) // what it was to repeat is no more
	case lost:
		r.d.options.Logger.WarnContext(ctx, "events were lost before a consumer got them", "consumer", r.id, "position", c.Position, "goes_on_at", position)
		d := Delivery{Position: position, Attempt: 1, At: time.Now().UTC(), Outcome: Lost, Problem: problemLost}
		r.pending = append(r.pending, d)
		r.d.attempted(c, d)
	}
	r.forgetAll()
	c.LogID, c.Position = bounds.ID, position
	return r.write(ctx, c)
}

// place is where a consumer goes on in a log, and whether events were lost.
func place(c Consumer, bounds event.Bounds) (position int64, lost bool) {
	start := max(bounds.First-1, 0)
	switch {
	case c.LogID != "" && c.LogID != bounds.ID:
		return start, true
	case c.Position < start:
		return start, true
	case c.Position > bounds.Last:
		return max(start, bounds.Last-rewound), true
	}
	return c.Position, false
}
