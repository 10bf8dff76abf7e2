package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"tributary/internal/event"
)

const (
	firstPause = 50 * time.Millisecond // after the first failure of store or log, doubling up to
	mostPause  = 2 * time.Second
)

var (
	errOver   = errors.New("the consumer is not delivered to any more")
	errPoked  = errors.New("the consumer may have changed")
	errPeeked = errors.New("the consumer was only looked at")
)

// runner delivers to one consumer, as long as its dispatcher holds it.
type runner struct {
	d     *Dispatcher
	id    string
	sends context.Context // of deliveries: ends some time after ctx, or with it
	// cancel has it finish what is under way; kill has it drop that.
	cancel, kill context.CancelFunc
	poked        chan struct{}
	done         chan struct{}
	lease        atomic.Int64 // until when the consumer is held, since d.started
	revision     atomic.Int64 // of kept
	position     atomic.Int64 // of kept
	misplaced    atomic.Bool  // the log does not have the consumer's place any more

	kept    Consumer        // as it is in the store
	known   map[int64]trace // of events behind kept.Position, for at most two pages of them
	passed  int64           // all events up to it are settled or were not wanted, though kept may not say so
	pending []Delivery      // not yet written down
}

// trace is what is known of an event that was tried.
type trace struct {
	settled  bool
	attempts int // that failed
}

// start has a runner deliver to a consumer. The dispatcher ends it.
func (d *Dispatcher) start(ctx context.Context, id string, lease time.Duration) {
	ctx = context.WithoutCancel(ctx)
	running, cancel := context.WithCancel(ctx)
	sends, drop := context.WithCancel(ctx)
	r := &runner{
		d: d, id: id, sends: sends, cancel: cancel, kill: func() { drop(); cancel() },
		poked: make(chan struct{}, 1), done: make(chan struct{}), known: map[int64]trace{},
	}
	r.lease.Store(int64(lease))
	r.misplaced.Store(true) // until it was compared with the log
	d.runners[id] = r
	d.running.Go(func() {
		defer close(r.done)
		defer r.kill()
		r.run(running)
	})
}

// poke has the runner look at its consumer again.
func (r *runner) poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

func (r *runner) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// leased says whether nobody else can hold the consumer now, with some time to spare.
func (r *runner) leased() bool {
	return time.Since(r.d.started) < time.Duration(r.lease.Load())-r.d.options.Lease/10
}

// run delivers until there is nothing to deliver any more, the lease is lost, or ctx ends.
func (r *runner) run(ctx context.Context) {
	pause := firstPause
	err := error(errPoked) // the consumer is read first
	for {
		switch {
		case ctx.Err() != nil || errors.Is(err, errOver):
			return
		case errors.Is(err, errPoked), errors.Is(err, ErrLeaseLost):
			err = r.reload(ctx, err)
		case err != nil:
			r.d.options.Logger.WarnContext(ctx, "a consumer waits for the store or the log", "consumer", r.id, "error", err, "again_in", pause)
			if errors.Is(err, event.ErrTrimmed) {
				r.misplaced.Store(true)
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, mostPause)
			err = errPoked
			continue
		}
		if err == nil {
			before := r.kept.Position
			if err = r.deliver(ctx); err == nil || r.kept.Position > before {
				pause = firstPause
			}
		}
	}
}

// deliver does what the consumer's state asks for. After nil it is to be called again.
func (r *runner) deliver(ctx context.Context) error {
	c := r.kept
	switch {
	case c.Until > 0 && (c.State == Disabled || c.Position >= c.Until):
		return r.remove(ctx)
	case c.State == Disabled:
		return errOver
	case r.misplaced.Swap(false):
		return r.relocate(ctx)
	case c.State == Failing && !r.rest(ctx, c.RetryAt):
		return errPoked
	}
	return newStream(r).run(ctx)
}

// rest waits until a time, and says whether it has come.
func (r *runner) rest(ctx context.Context, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.poked:
	case <-ctx.Done():
	}
	return false
}

// reload reads the consumer, after it was poked or is said to be another's or changed. What is known of its events stays known as long
// as it stands where it stood.
func (r *runner) reload(ctx context.Context, reason error) error {
	fresh, err := look(ctx, r.d.store, r.id)
	switch {
	case err != nil:
		return fmt.Errorf("read consumer: %w", err)
	case fresh == nil || !r.leased():
		return errOver
	case errors.Is(reason, ErrLeaseLost) && fresh.Revision == r.kept.Revision:
		return errOver
	case fresh.LogID != r.kept.LogID || fresh.Position != r.kept.Position:
		r.forgetAll()
	}
	r.keep(*fresh)
	return nil
}

// forgetAll drops what is known of events.
func (r *runner) forgetAll() {
	clear(r.known)
	r.passed = 0
}

// keep takes a consumer for what is in the store.
func (r *runner) keep(c Consumer) {
	r.kept = c
	r.revision.Store(c.Revision)
	r.position.Store(c.Position)
}

// look returns a consumer, nil if there is none.
func look(ctx context.Context, store Store, id string) (found *Consumer, err error) {
	_, err = store.Change(ctx, id, func(c *Consumer) (*Consumer, error) {
		found = c
		return nil, errPeeked
	})
	if !errors.Is(err, errPeeked) {
		return nil, err
	}
	return found, nil
}

// remove ends a replay.
func (r *runner) remove(ctx context.Context) error {
	if !r.leased() {
		return errOver
	}
	_, err := r.d.store.Change(ctx, r.id, func(c *Consumer) (*Consumer, error) {
		if c != nil && c.Revision != r.kept.Revision {
			return nil, errPoked
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	return errOver
}
