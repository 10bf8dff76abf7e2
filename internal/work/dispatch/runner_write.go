package dispatch

import (
	"context"
	"errors"
	"fmt"
)

// write writes down what is pending and how far the consumer is. What a replay delivers is written to the log of the consumer that it
// is of, if there still is one.
func (r *runner) write(ctx context.Context, next Consumer) error {
	if !r.leased() {
		return ErrLeaseLost
	}
	if next.Of != "" && len(r.pending) > 0 {
		for i := range r.pending {
			r.pending[i].Manual = true
		}
		if err := r.d.store.Progress(ctx, "", Consumer{ID: next.Of}, r.pending); err != nil && !errors.Is(err, ErrUnknown) {
			return fmt.Errorf("write deliveries of a replay: %w", err)
		}
		r.pending = nil
	}
	disabled := next.State == Disabled && r.kept.State != Disabled && next.Until == 0
	if disabled && r.d.options.OnDisabled != nil {
		if err := r.d.options.OnDisabled(ctx, next); err != nil {
			return fmt.Errorf("tell that a consumer is disabled: %w", err)
		}
	}
	if err := r.d.store.Progress(ctx, r.d.holder, next, r.pending); err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	next.Deliveries += int64(len(r.pending))
	r.pending = nil
	r.keep(next)
	if disabled && r.d.options.Observer.Disabled != nil {
		r.d.options.Observer.Disabled(next)
	}
	return nil
}

func (d *Dispatcher) attempted(c Consumer, delivery Delivery) {
	if d.options.Observer.Attempted != nil {
		d.options.Observer.Attempted(c, delivery)
	}
}
