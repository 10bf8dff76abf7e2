package event

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tape is a log in memory whose troubles a test can make.
type tape struct {
	mu       sync.Mutex
	id       string
	events   []Event // first-1 of them are trimmed, and still here
	first    int64
	versions map[string]int64
	known    map[string]bool
	last     int64 // sequence
	broken   error // returned by everything
	changed  chan struct{}
	reads    int
}

func newTape() *tape {
	return &tape{id: "tape", first: 1, versions: map[string]int64{}, known: map[string]bool{}, changed: make(chan struct{})}
}

// with runs f under the lock and wakes those who wait.
func (l *tape) with(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *tape) Append(_ context.Context, source string, batch []Event) (sequence int64, err error) {
	l.with(func() {
		if err = l.broken; err == nil {
			err = l.append(source, batch)
		}
		sequence = l.last
	})
	return sequence, err
}

func (l *tape) append(source string, batch []Event) error {
	next := map[string]int64{}
	for i, e := range batch {
		if l.known[source+"/"+e.ID] {
			continue
		}
		version, ok := next[e.Subject]
		if !ok {
			version = l.versions[e.Subject]
		}
		if e.Version != version+1 && (!e.Snapshot() || version > 0) {
			return &GapError{Index: i, Expected: version + 1}
		}
		next[e.Subject] = e.Version
	}
	for _, e := range batch {
		if l.known[source+"/"+e.ID] {
			continue
		}
		l.known[source+"/"+e.ID], l.versions[e.Subject] = true, e.Version
		l.last = max(l.last, e.Sequence)
		e.Position = int64(len(l.events)) + 1
		l.events = append(l.events, e)
	}
	return nil
}

func (l *tape) Read(_ context.Context, after int64, limit int) ([]Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	switch {
	case l.broken != nil:
		return nil, l.broken
	case after+1 < l.first:
		return nil, ErrTrimmed
	case after >= int64(len(l.events)):
		return nil, nil
	}
	return append([]Event(nil), l.events[after:min(int(after)+limit, len(l.events))]...), nil
}

func (l *tape) ReadSubject(context.Context, string, int64, int64, int, bool) ([]Event, error) {
	return nil, fmt.Errorf("not asked for here")
}

func (l *tape) Wait(ctx context.Context, after int64) error {
	for {
		l.mu.Lock()
		there, broken, changed := int64(len(l.events)) > after, l.broken, l.changed
		l.mu.Unlock()
		if there || broken != nil {
			return broken
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *tape) Bounds(context.Context) (Bounds, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Bounds{ID: l.id, First: l.first, Last: int64(len(l.events))}, l.broken
}

// write appends events of posts, by the authors named, in one batch.
func (l *tape) write(t *testing.T, authors ...string) {
	t.Helper()
	var batch []Event
	l.mu.Lock()
	for i, author := range authors {
		n := strconv.Itoa(len(l.events) + i + 1)
		batch = append(batch, Event{ID: "e" + n, Source: "post", Type: "post.published", Subject: "post/p" + n, Version: 1,
			Time: time.Unix(0, 0).UTC(), Data: []byte(`{"authorId":"` + author + `"}`)})
	}
	l.mu.Unlock()
	if _, err := l.Append(t.Context(), "post", batch); err != nil {
		t.Fatal(err)
	}
}

// run has a hub run until the test ends.
func run(t *testing.T, h *Hub) *Hub {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("the hub ended with %v", err)
		}
	})
	return h
}

func subscribe(t *testing.T, h *Hub, after *Cursor, buffer int, topics ...string) *Subscription {
	t.Helper()
	s, err := h.Subscribe(t.Context(), topics, after, buffer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// positions takes the next n events.
func positions(t *testing.T, s *Subscription, n int) (got []int64) {
	t.Helper()
	for range n {
		e, err := s.Next(t.Context())
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		got = append(got, e.Position)
	}
	return got
}
