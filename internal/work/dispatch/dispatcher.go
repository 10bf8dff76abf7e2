package dispatch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"tributary/internal/event"
)

// Dispatcher takes the events of a log to the consumers of a store. Several, in one process or many, share the consumers of one store:
// each consumer is held by one of them at a time. Each event is handed over at least once, and once only while nobody dies and the
// store can be reached; those of one subject one after the other, in order. A consumer that fails holds up nobody else. It is
// safe for concurrent use.
type Dispatcher struct {
	store   Store
	log     event.Log
	send    Send
	options Options
	holder  string
	started time.Time // what leases are measured from: its clock does not jump
	news    news
	pages   pages
	wake    chan struct{}
	shared  chan struct{} // a token for each delivery beside the first of its consumer
	manual  chan struct{} // a token for each delivery by hand

	runners map[string]*runner // of the consumers held; Run's own
	logID   string             // Run's own; empty until the log was found
	running sync.WaitGroup
}

// maxManual is how many deliveries by hand may be under way.
const maxManual = 16

// New makes a Dispatcher. Nothing is started: see Run. It closes neither the store nor the log.
func New(store Store, log event.Log, send Send, options Options) *Dispatcher {
	options = options.withDefaults()
	return &Dispatcher{
		store: store, log: log, send: send, options: options, holder: rand.Text(), started: time.Now(),
		news: news{changed: make(chan struct{})}, pages: pages{log: log, turn: make(chan struct{}, 1)},
		wake: make(chan struct{}, 1), shared: make(chan struct{}, options.Shared), manual: make(chan struct{}, maxManual),
		runners: map[string]*runner{},
	}
}

// Notify tells that the log goes up to a position: event.Hub.Tap's events end there. Without it new events are found within
// a third of a lease. It does not block.
func (d *Dispatcher) Notify(position int64) { d.news.tell(position) }

// Wake has the consumers read again at once: after some were made, changed or removed. It does not block.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it is to wake already
	}
}

// Run delivers until ctx ends, whose error it returns. Failures of store and log are waited out. When it returns, its deliveries have
// ended and its consumers are free for others. It is called once.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.stop(ctx)
	for {
		pause := d.options.Lease * 3 / 10
		if err := d.refresh(ctx); err != nil && ctx.Err() == nil {
			pause /= 3
			d.options.Logger.WarnContext(ctx, "consumers cannot be refreshed", "error", err, "again_in", pause)
		}
		for _, r := range d.runners {
			if !r.leased() {
				r.kill()
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.wake:
		case <-time.After(pause):
		}
	}
}

// stop ends what runs, and gives the consumers back.
func (d *Dispatcher) stop(ctx context.Context) {
	var ids []string
	for id, r := range d.runners {
		r.cancel()
		ids = append(ids, id)
	}
	d.running.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.options.Lease*3/10)
	defer cancel()
	if _, err := d.store.Lease(ctx, d.holder, ids, 0); err != nil {
		d.options.Logger.WarnContext(ctx, "consumers cannot be given back: others get them once their leases run out", "error", err)
	}
}

// refresh renews the leases, and starts and ends the runners as consumers come and go.
func (d *Dispatcher) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.options.Lease*3/10)
	defer cancel()
	d.pages.forget(time.Now().Add(-pageKept))
	consumers, err := d.store.Consumers(ctx)
	if err != nil {
		return fmt.Errorf("read consumers: %w", err)
	}
	at := time.Since(d.started) // before the store begins to count
	wanted := d.wanted(consumers)
	held, err := d.store.Lease(ctx, d.holder, wanted, d.options.Lease)
	if err != nil {
		return fmt.Errorf("lease consumers: %w", err)
	}
	mine := make(map[string]bool, len(held))
	for _, id := range held {
		mine[id] = true
	}
	// What a runner has stored so far, the log must have: it is asked afterwards.
	positions := map[string]int64{}
	for id, r := range d.runners {
		positions[id] = r.position.Load()
	}
	bounds, logErr := d.log.Bounds(ctx)
	if logErr == nil {
		d.follow(bounds, positions)
	}
	err = d.settleRunners(ctx, consumers, mine, at)
	d.observe(consumers, bounds)
	return errors.Join(err, logErr)
}

// wanted are the consumers that have something to do, as many as may be held.
func (d *Dispatcher) wanted(consumers []Consumer) []string {
	ids := make([]string, 0, len(consumers))
	for _, c := range consumers {
		if (c.State != Disabled || c.Until > 0) && len(ids) < d.options.MaxConsumers {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// follow takes up where the log ends. Runners whose place the log does not have any more are told.
func (d *Dispatcher) follow(bounds event.Bounds, positions map[string]int64) {
	if d.logID == bounds.ID {
		d.news.tell(bounds.Last)
	}
	for id, position := range positions {
		if d.logID != bounds.ID || bounds.Last < position {
			d.pages.forget(time.Now())
			d.news.reset(bounds.Last)
			d.runners[id].misplaced.Store(true)
			d.runners[id].poke()
		}
	}
	if d.logID != bounds.ID {
		d.news.reset(bounds.Last)
		d.logID = bounds.ID
	}
}

// settleRunners has a runner for each consumer that is held, and for no other.
func (d *Dispatcher) settleRunners(ctx context.Context, consumers []Consumer, mine map[string]bool, at time.Duration) error {
	var idle []string // ended by themselves and not wanted any more
	for id, r := range d.runners {
		switch {
		case r.ended():
			delete(d.runners, id)
			if !mine[id] {
				idle = append(idle, id)
			}
		case mine[id]:
			r.lease.Store(int64(at + d.options.Lease))
		}
	}
	known := make(map[string]bool, len(consumers))
	for _, c := range consumers {
		known[c.ID] = true
		r := d.runners[c.ID]
		switch {
		case r == nil && mine[c.ID] && d.logID != "":
			d.start(ctx, c.ID, at+d.options.Lease)
		case r != nil && !mine[c.ID] && c.State != Disabled:
			r.kill()
		case r != nil && c.Revision > r.revision.Load():
			r.poke()
		}
	}
	for id, r := range d.runners {
		if !known[id] { // it was removed
			r.kill()
		}
	}
	_, err := d.store.Lease(ctx, d.holder, idle, 0)
	return err
}

// observe tells the Observer.
func (d *Dispatcher) observe(consumers []Consumer, bounds event.Bounds) {
	if d.options.Observer.Refreshed == nil {
		return
	}
	o := Overview{Consumers: len(consumers), Held: len(d.runners)}
	for _, c := range consumers {
		switch c.State {
		case Failing:
			o.Failing++
		case Disabled:
			o.Disabled++
		}
	}
	for _, r := range d.runners {
		o.Lag = max(o.Lag, bounds.Last-r.position.Load())
	}
	d.options.Observer.Refreshed(o)
}
