package dispatch

import (
	"context"
	"sync"
	"time"

	"tributary/internal/event"
)

const (
	// page is how many events are read at once, and how many a consumer has in memory at most.
	page = 100
	// pageKept is for how long the page that was read last is kept: events may be redacted.
	pageKept = 10 * time.Second
)

// pages reads a log for many who stand at its end: they get one page, read once.
type pages struct {
	log  event.Log
	turn chan struct{} // held by the one that reads the page for all

	mu     sync.Mutex
	events []event.Event // not changed once they are here
	at     time.Time     // when they were read
}

// read returns up to limit events behind a position, as event.Log.Read does. The events are shared: nobody may change them.
func (p *pages) read(ctx context.Context, after int64, limit int) ([]event.Event, error) {
	events, behind := p.kept(after, limit)
	switch {
	case len(events) > 0:
		return events, nil
	case behind: // those who catch up read for themselves, and do not take the page from the others
		return p.log.Read(ctx, after, limit)
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if events, _ := p.kept(after, limit); len(events) > 0 {
		return events, nil
	}
	events, err := p.log.Read(ctx, after, page)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	p.mu.Lock()
	p.events, p.at = events, time.Now()
	p.mu.Unlock()
	return events[:min(limit, len(events))], nil
}

// kept returns what the page has behind a position, and whether the position is in front of the page.
func (p *pages) kept(after int64, limit int) (events []event.Event, behind bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) == 0 {
		return nil, false
	}
	from := after + 1 - p.events[0].Position
	if from < 0 || from >= int64(len(p.events)) {
		return nil, from < 0
	}
	events = p.events[from:]
	return events[:min(limit, len(events))], false
}

// forget drops the page if it was read before a time.
func (p *pages) forget(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.Before(before) {
		p.events = nil
	}
}
