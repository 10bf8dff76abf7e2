package event

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	tailPage    = 500
	tailBackoff = 50 * time.Millisecond // after the first failure, doubling up to
	maxBackoff  = 2 * time.Second
)

// errLost says that the log does not go on where the hub stands.
var errLost = errors.New("the log does not go on here")

// Run tails the log from its present end until ctx ends, whose error it returns. Failures of the log are waited out: what happened
// meanwhile is read then. When it returns, every subscription has ended with ErrEnded. It is called once.
func (h *Hub) Run(ctx context.Context) error {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = true
		h.endAll(ErrEnded)
		if !h.found {
			close(h.started) // nobody is to wait any longer
		}
	}()
	pause := tailBackoff
	for {
		before := h.Position()
		err := h.tail(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		call(h.options.Observer.Failed)
		if h.options.Logger != nil {
			h.options.Logger.WarnContext(ctx, "the event log cannot be read", "error", err, "again_in", pause)
		}
		if h.Position() > before {
			pause = tailBackoff
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, maxBackoff)
	}
}

// tail finds the log, or makes sure that it is the one it knows, and follows it until something fails.
func (h *Hub) tail(ctx context.Context) error {
	if err := h.find(ctx); err != nil {
		return err
	}
	for {
		page, err := h.next(ctx)
		if errors.Is(err, ErrTrimmed) || errors.Is(err, errLost) {
			err = h.restart(ctx)
		}
		if err != nil {
			return err
		}
		if len(page) == 0 {
			continue
		}
		for _, tap := range h.taps {
			tap(page)
		}
		for i := range page {
			e := page[i] // a copy: one event in a buffer is not to keep the whole page
			h.fan(&e)
		}
	}
}

// next waits for events behind the hub's place and reads them. When none come for a while it looks whether the log is still the
// same, and returns none.
func (h *Hub) next(ctx context.Context) ([]Event, error) {
	position := h.Position()
	waiting, cancel := context.WithTimeout(ctx, h.options.CheckEvery)
	defer cancel()
	err := h.log.Wait(waiting, position)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, h.check(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("wait for events: %w", err)
	}
	page, err := h.log.Read(ctx, position, tailPage)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	for i := range page {
		if page[i].Position != position+int64(i)+1 {
			return nil, errLost
		}
	}
	return page, nil
}

// find takes up the log at its end the first time, and later goes on where the hub stands, if it can.
func (h *Hub) find(ctx context.Context) error {
	if !h.found {
		bounds, err := h.log.Bounds(ctx)
		if err != nil {
			return fmt.Errorf("find the log: %w", err)
		}
		h.mu.Lock()
		h.logID = bounds.ID
		h.position.Store(bounds.Last)
		h.mu.Unlock()
		h.found = true
		close(h.started)
		return nil
	}
	if err := h.check(ctx); !errors.Is(err, errLost) {
		return err
	}
	return h.restart(ctx)
}

// check returns errLost when the log is not the one that the hub has read: a Redis that was restored or emptied may have lost its
// end and given the positions away again.
func (h *Hub) check(ctx context.Context) error {
	bounds, err := h.log.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	if bounds.ID != h.logID || bounds.Last < h.Position() {
		return errLost
	}
	if h.seen.Position == 0 || h.seen.Position < bounds.First {
		return nil
	}
	page, err := h.log.Read(ctx, h.seen.Position-1, 1)
	if errors.Is(err, ErrTrimmed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	if len(page) == 0 || page[0].ID != h.seen.ID || page[0].Source != h.seen.Source {
		return errLost
	}
	return nil
}

// restart goes on at the log's end after a break that no reading can mend.
func (h *Hub) restart(ctx context.Context) error {
	bounds, err := h.log.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("find the log again: %w", err)
	}
	if h.options.Logger != nil {
		h.options.Logger.ErrorContext(ctx, "events were lost before they were read", "position", h.Position(), "first", bounds.First, "last", bounds.Last)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.endAll(ErrCursor)
	call(h.options.Observer.Lost) // before anybody can subscribe again
	h.logID, h.seen = bounds.ID, Event{}
	h.position.Store(bounds.Last)
	return nil
}
