package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	replayPage   = 200
	maxReplaying = 8 // reads at a time: when all clients of another replica come over, their pages share this memory
)

// read reads the next page of what the subscription has missed. It goes live as soon as no more than a page lies between its place
// and the hub's: until then it reads at its own pace, and nothing piles up in its buffer. It never passes the hub, whose taps come
// before every subscriber.
func (s *Subscription) read(ctx context.Context) error {
	to := s.hub.join(s, replayPage)
	s.mu.Lock()
	if s.live {
		to = s.joined
	}
	from := s.scanned
	s.mu.Unlock()
	if from >= to {
		return nil
	}
	page, err := s.hub.replay(ctx, from, int(min(to-from, replayPage)))
	if errors.Is(err, ErrTrimmed) || (err == nil && (len(page) == 0 || page[0].Position != from+1)) {
		s.end(fmt.Errorf("%w: what comes next is no longer kept", ErrCursor))
		return nil
	}
	if err != nil {
		return err
	}
	var wanted []*Event
	for i := range page {
		if s.wants(page[i]) {
			e := page[i] // a copy: the page is not kept
			wanted = append(wanted, &e)
		}
		from = page[i].Position
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanned = from
	if s.ended == nil || s.slow {
		s.replay = wanted
	}
	return nil
}

// replay reads up to limit events of the log for a subscription that is behind.
func (h *Hub) replay(ctx context.Context, after int64, limit int) ([]Event, error) {
	select {
	case h.replays <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.replays }()
	page, err := h.log.Read(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("replay events: %w", err)
	}
	return page, nil
}

func (s *Subscription) wants(e Event) bool {
	return slices.ContainsFunc(Topics(e), func(topic string) bool {
		_, asked := slices.BinarySearch(s.topics, topic)
		return asked
	})
}
