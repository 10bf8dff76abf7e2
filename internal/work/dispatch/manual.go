package dispatch

import (
	"context"
	"fmt"
	"time"

	"tributary/internal/event"
)

// Redeliver hands the event at a position of the log to a consumer now, in whichever state it is, and returns what was written to
// its log. Its progress stays. ErrUnknown if there is no such consumer, event.ErrTrimmed if the event is not there.
func (d *Dispatcher) Redeliver(ctx context.Context, id string, position int64) (Delivery, error) {
	events, err := d.log.Read(ctx, max(position-1, 0), 1)
	if err != nil {
		return Delivery{}, fmt.Errorf("read event: %w", err)
	}
	if len(events) == 0 || events[0].Position != position {
		return Delivery{}, event.ErrTrimmed
	}
	return d.Deliver(ctx, id, events[0])
}

// Deliver hands an event, which need not be in the log, to a consumer now: a ping. It returns what was written to the consumer's log.
// Few are under way at a time; the others wait. ErrUnknown if there is no such consumer. An attempt that has begun when ctx ends is
// still written down, as a failure.
func (d *Dispatcher) Deliver(ctx context.Context, id string, e event.Event) (Delivery, error) {
	select {
	case d.manual <- struct{}{}:
		defer func() { <-d.manual }()
	case <-ctx.Done():
		return Delivery{}, ctx.Err()
	}
	c, err := look(ctx, d.store, id)
	if err != nil {
		return Delivery{}, fmt.Errorf("read consumer: %w", err)
	}
	if c == nil {
		return Delivery{}, ErrUnknown
	}
	at := time.Now()
	result := d.send(ctx, *c, e, 1)
	made := delivery(e, 1, finished{result: result, at: at.UTC().Round(0), took: time.Since(at)})
	made.Manual = true
	d.attempted(*c, made)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.options.Lease*3/10)
	defer cancel()
	deliveries := []Delivery{made}
	if err := d.store.Progress(ctx, "", *c, deliveries); err != nil {
		return Delivery{}, fmt.Errorf("write delivery: %w", err)
	}
	return deliveries[0], nil
}
