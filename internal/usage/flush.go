package usage

import (
	"context"
	"crypto/rand"
	"time"
)

const (
	flushEvery = 5 * time.Second
	flushTime  = 2 * time.Second // that sending one batch may take
	maxBatch   = 1000            // rows
)

// batch is rows on their way to the shared table. Its id tells it from others, so that it counts once however often it is sent.
type batch struct {
	id   string
	rows []Row
}

// Run brings what is counted to the shared table every five seconds, and what is left when ctx ends. Without one it returns at once. What
// cannot be brought stays, within the bounds, until it can.
func (t *Table) Run(ctx context.Context) error {
	if t.shared == nil {
		return nil
	}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = t.flush(context.WithoutCancel(ctx)) // nobody is left to try again
			return nil
		case <-tick.C:
			_ = t.flush(ctx) // the next one sends it
		}
	}
}

// flush sends everything that was counted before.
func (t *Table) flush(ctx context.Context) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	for {
		if t.sent == nil {
			t.sent = t.take()
		}
		if t.sent == nil {
			return nil
		}
		sending, cancel := context.WithTimeout(ctx, flushTime)
		err := t.shared.add(sending, t.sent, t.now())
		cancel()
		if err != nil {
			return err
		}
		t.sent = nil
	}
}

// take makes a batch of what is counted; nil of nothing.
func (t *Table) take() *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) == 0 {
		return nil
	}
	b := &batch{id: rand.Text()}
	for use, row := range t.rows {
		if len(b.rows) == maxBatch {
			break
		}
		b.rows = append(b.rows, *row)
		delete(t.rows, use)
	}
	return b
}
