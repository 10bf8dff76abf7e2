package wire

import (
	"context"
	"sync"
	"time"
)

// wheelSlots of a tick each are one turn of a wheel.
const wheelSlots = 512

// ringer is what an alarm wakes.
type ringer interface {
	// ring must not block.
	ring(now time.Time)
}

// wheel is a timing wheel: one ticker for any number of alarms. It is safe for concurrent use. See Varghese and Lauck, Hashed and
// Hierarchical Timing Wheels, 1987, scheme 6.
type wheel struct {
	tick time.Duration

	mu    sync.Mutex
	at    int // slot of the present
	slots [wheelSlots]*alarm
}

// alarm wakes its owner once each time it is set. It is part of its owner.
type alarm struct {
	owner      ringer
	next, prev *alarm
	slot       int
	turns      int // of the wheel that have still to pass
	waiting    bool
}

// set has the alarm ring after so long, at least one tick and at most one tick later than that. It takes the place of an earlier time.
func (w *wheel) set(a *alarm, after time.Duration) {
	ticks := int((max(after, 0)+w.tick-1)/w.tick) + 1 // part of the present tick is over
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(a)
	a.slot, a.turns, a.waiting = (w.at+ticks)%wheelSlots, (ticks-1)/wheelSlots, true
	if a.next = w.slots[a.slot]; a.next != nil {
		a.next.prev = a
	}
	w.slots[a.slot] = a
}

// stop has the alarm not ring any more, except where it does already.
func (w *wheel) stop(a *alarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(a)
}

func (w *wheel) removeLocked(a *alarm) {
	if !a.waiting {
		return
	}
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		w.slots[a.slot] = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	}
	a.next, a.prev, a.waiting = nil, nil, false
}

// advance goes on by one tick and gives the alarms that are due.
func (w *wheel) advance(due []*alarm) []*alarm {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = (w.at + 1) % wheelSlots
	for a := w.slots[w.at]; a != nil; {
		next := a.next
		if a.turns == 0 {
			w.removeLocked(a)
			due = append(due, a)
		} else {
			a.turns--
		}
		a = next
	}
	return due
}

// run turns the wheel until ctx ends. Ticks that were missed are made up for.
func (w *wheel) run(ctx context.Context) {
	ticker := time.NewTicker(w.tick)
	defer ticker.Stop()
	var due []*alarm
	for turned := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for ; now.Sub(turned) >= w.tick; turned = turned.Add(w.tick) {
				due = w.advance(due[:0])
				for _, a := range due {
					a.owner.ring(now)
				}
				clear(due)
			}
		}
	}
}
