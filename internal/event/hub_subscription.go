package event

import (
	"context"
	"fmt"
	"sync"
)

// SlowError ends a subscription whose buffer was full. All that lies before the cursor was returned by Next.
type SlowError struct{ Cursor Cursor }

func (e *SlowError) Error() string { return "the events were not taken as fast as they came" }

// Subscription is the way of some topics' events to one reader. Next is called by one goroutine at a time, everything else is safe
// for concurrent use.
type Subscription struct {
	hub      *Hub
	topics   []string // sorted
	capacity int
	ready    chan struct{} // holds one when there may be something to take
	logID    string        // set when the hub admits it

	mu      sync.Mutex
	fresh   bool     // has no place yet: it begins where it goes live
	live    bool     // the hub delivers what comes behind joined
	joined  int64    // position of the hub when it went live
	scanned int64    // the log was read up to here
	replay  []*Event // read from the log and not taken
	buffer  []*Event // delivered by the hub and not taken
	last    int64    // the position up to which the hub has delivered
	taken   int64    // position of the last one that Next returned, or where it began
	asked   bool     // Next waits: its caller is done with what it returned before
	slow    bool     // ended by a full buffer: what is there and in the log is still to be taken
	ended   error
}

// Subscribe begins to gather the events of any of the topics, see Topics: those behind after, or without it those from now on. What
// a subscriber has missed Next reads from the log, and then what comes is kept for it in a buffer of so many events; there is
// neither gap nor duplicate between the two. It waits until Run has found the log.
//
// The error wraps ErrCursor when after is not of this log, is behind its end, or has events behind it that are trimmed or more
// than MaxReplay; it is ErrSubscriptions or ErrEnded, or of ctx or the log. Who subscribed calls Close.
func (h *Hub) Subscribe(ctx context.Context, topics []string, after *Cursor, buffer int) (*Subscription, error) {
	topics = distinct(topics)
	if len(topics) == 0 || len(topics) > h.options.MaxTopics {
		return nil, fmt.Errorf("a subscription has 1 to %d topics", h.options.MaxTopics)
	}
	select {
	case <-h.started:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := &Subscription{hub: h, topics: topics, capacity: max(1, buffer), ready: make(chan struct{}, 1), fresh: after == nil}
	if err := h.admit(s, after); err != nil {
		return nil, err
	}
	if after != nil {
		if err := h.reachable(ctx, *after); err != nil {
			s.Close()
			return nil, err
		}
		s.scanned, s.taken = after.Position, after.Position
	}
	h.join(s, replayPage)
	return s, nil
}

// reachable refuses a cursor that the log cannot go on from.
func (h *Hub) reachable(ctx context.Context, after Cursor) error {
	bounds, err := h.log.Bounds(ctx)
	if err != nil {
		return fmt.Errorf("find the cursor: %w", err)
	}
	switch {
	case after.Log != bounds.ID:
		return fmt.Errorf("%w: it is of another log", ErrCursor)
	case after.Position > bounds.Last:
		return fmt.Errorf("%w: the log has not come there", ErrCursor)
	case after.Position+1 < bounds.First:
		return fmt.Errorf("%w: what comes next is no longer kept", ErrCursor)
	case bounds.Last-after.Position > h.options.MaxReplay:
		return fmt.Errorf("%w: it is more than %d events back", ErrCursor, h.options.MaxReplay)
	}
	return nil
}

// Next returns the next event, waiting for it. The event is shared and not to be changed. The error is that of ctx, or of a log
// that could not be read, after both of which Next may be called again; or the end: a *SlowError, one that wraps ErrCursor when
// the log was trimmed or lost under the subscription, or ErrEnded when it was closed or the hub has ended.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	for {
		e, behind, err := s.take()
		switch {
		case e != nil:
			return *e, nil
		case err != nil:
			return Event{}, err
		case behind:
			if err := s.read(ctx); err != nil {
				return Event{}, err
			}
			continue
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// take returns what is there, the replay first. Without anything it says whether the log has more to replay, or why nothing comes.
func (s *Subscription) take() (e *Event, behind bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = true
	switch {
	case s.ended != nil && !s.slow:
		return nil, false, s.ended
	case len(s.replay) > 0:
		e, s.replay = s.replay[0], s.replay[1:]
	case s.behind():
		return nil, true, nil
	case len(s.buffer) > 0:
		e, s.buffer[0], s.buffer = s.buffer[0], nil, s.buffer[1:]
		if len(s.buffer) == 0 {
			s.buffer = nil // a quiet subscription holds no memory
		}
	default:
		return nil, false, s.ended
	}
	s.taken, s.asked = e.Position, false
	return e, false, nil
}

// behind says whether the log has not been read up to where the hub's deliveries begin; the caller holds mu.
func (s *Subscription) behind() bool { return !s.live || s.scanned < s.joined }

// start goes live at the hub's position unless it is too far behind, and says whether it did so now.
func (s *Subscription) start(position, gap int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh {
		s.scanned, s.taken, s.fresh = position, position, false
	}
	if s.live || s.ended != nil || position-s.scanned > gap {
		return false
	}
	s.live, s.joined, s.last = true, position, max(position, s.scanned)
	return true
}

// What became of an event that was pushed.
const (
	pushed     = iota
	passed     // it lies before the subscription's place, or came by another topic already
	overflowed // the buffer was full
)

// push puts an event into the buffer. The hub calls it, in the order of positions.
func (s *Subscription) push(e *Event) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Position <= s.last || s.ended != nil:
		return passed
	case len(s.buffer) >= s.capacity:
		s.slow, s.ended = true, &SlowError{Cursor: Cursor{Log: s.logID, Position: e.Position - 1}}
		s.wake()
		return overflowed
	}
	s.last = e.Position
	s.buffer = append(s.buffer, e)
	s.wake()
	return pushed
}

// end ends the subscription, with all that was not taken.
func (s *Subscription) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil || s.slow {
		s.ended = err
	}
	s.replay, s.buffer, s.slow = nil, nil, false
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Bookmark returns a cursor from which a later subscription to the same topics misses nothing that Next has not returned. Where
// nothing waits it moves on with the log, though there was nothing for the subscription.
func (s *Subscription) Bookmark() Cursor {
	cursor, _ := s.Settled()
	return cursor
}

// Settled is Bookmark, and says whether Next waits, so that whoever calls it is done with all that it returned. Between taking an
// event and being done with it a bookmark is ahead of those for whom the event is taken.
func (s *Subscription) Settled() (cursor Cursor, ok bool) {
	fanned := s.hub.Position() // read before the lock: what the hub has delivered up to here is in the buffer or taken
	s.mu.Lock()
	defer s.mu.Unlock()
	position := s.taken
	switch {
	case s.ended != nil:
	case len(s.replay) > 0:
		position = s.replay[0].Position - 1
	case s.behind():
		position = s.scanned
	case len(s.buffer) > 0:
		position = s.buffer[0].Position - 1
	default:
		position = max(position, fanned)
	}
	return Cursor{Log: s.logID, Position: position}, s.asked
}

// Close ends the subscription: a Next that waits returns ErrEnded. It may be called more than once.
func (s *Subscription) Close() {
	s.hub.leave(s)
	s.end(ErrEnded)
}
