package limit

import (
	"context"
	"sync"
	"time"
)

const (
	// maxRefunds is how many amounts wait for the shared store at most.
	maxRefunds = 8192
	// refundTimeout is how long one delivery may take, the last one at the end of Run too.
	refundTimeout = 250 * time.Millisecond
)

// refunds is a bounded queue of amounts for the shared store. It is safe for concurrent use.
type refunds struct {
	every   time.Duration
	dropped func(int) // may be nil

	mu      sync.Mutex
	waiting []Entry       // a ring once it has maxRefunds
	oldest  int           // in a full ring
	wake    chan struct{} // one token when something waits
}

func newRefunds(every time.Duration, dropped func(int)) *refunds {
	return &refunds{every: every, dropped: dropped, wake: make(chan struct{}, 1)}
}

// add puts an amount into the queue, in the place of the oldest one if it is full.
func (q *refunds) add(e Entry) {
	q.mu.Lock()
	full := len(q.waiting) == maxRefunds
	if full {
		q.waiting[q.oldest] = e
		q.oldest = (q.oldest + 1) % maxRefunds
	} else {
		q.waiting = append(q.waiting, e)
	}
	q.mu.Unlock()
	if full {
		q.drop(1)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (q *refunds) take() []Entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting, q.oldest = nil, 0
	return waiting
}

func (q *refunds) drop(n int) {
	if q.dropped != nil && n > 0 {
		q.dropped(n)
	}
}

// Refund gives back points that an operation was debited and did not use: requested minus actual. It does nothing for 0 or less,
// and for a decision that debited nothing. Requests are not given back. It is to be called once for a decision at most, and does
// not block: what goes to the shared store is delivered by Run, and lost if that does not answer.
func (l *Limiter) Refund(d *Decision, points int64) {
	if d == nil || !d.refundable || points <= 0 {
		return
	}
	used := max(0, d.cost-points)
	toShared := l.shared != nil && !d.Local
	for i := range d.entries {
		e := d.entries[i]
		e.Amount -= used // a local bucket may have been debited less than the cost
		switch {
		case e.Key.Unit != Points || e.Amount <= 0:
		case toShared:
			l.refunds.add(e)
		default:
			_ = l.memory.Credit(context.Background(), []Entry{e}) // memory does not fail
		}
	}
}

// Run delivers refunds to the shared store until ctx ends, then those that are left, for which it takes 250 ms at most. It
// returns nil. It begins with a question to the store, so that it is connected before the first operation asks. It is to be
// called once, and to outlive the operations.
func (l *Limiter) Run(ctx context.Context) error {
	l.connect(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case <-ctx.Done():
			l.deliver(context.WithoutCancel(ctx))
			return nil
		case <-l.refunds.wake:
		}
		timer.Reset(l.refunds.every)
		select {
		case <-ctx.Done(): // delivered above
		case <-timer.C:
			l.deliver(context.WithoutCancel(ctx))
		}
	}
}

// connect has the shared store do what takes longer the first time. Whether it succeeds will be seen.
func (l *Limiter) connect(ctx context.Context) {
	if l.shared == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, refundTimeout)
	defer cancel()
	_, _ = l.shared.Look(ctx, []Entry{{Meter: Meter{Size: 1, Unit: 1, Span: 1}}}, Writer{})
}

// deliver credits what waits. What cannot be delivered is dropped, not tried again: it may have arrived, and points that come
// back after their bucket has filled up by itself would be too many.
func (l *Limiter) deliver(ctx context.Context) {
	waiting := l.refunds.take()
	if len(waiting) == 0 {
		return
	}
	if l.guard.resting() {
		l.refunds.drop(len(waiting))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, refundTimeout)
	defer cancel()
	if err := l.shared.Credit(ctx, waiting); err != nil {
		l.refunds.drop(len(waiting))
	}
}
