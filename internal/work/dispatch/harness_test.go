package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// bench is a log, a store, and receivers that a test has its way with.
type bench struct {
	*testing.T
	log      event.Log
	store    dispatch.Store
	mu       sync.Mutex
	sent     map[string][]string // by consumer: ids of events, in the order in which they were begun
	answer   func(ctx context.Context, c dispatch.Consumer, e event.Event, attempt int) dispatch.Result
	versions map[string]int64
	written  int
}

func newBench(t *testing.T, store dispatch.Store) *bench {
	t.Helper()
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return &bench{T: t, log: log, store: store, sent: map[string][]string{}, versions: map[string]int64{}}
}

// newSQLiteBench has a store in a file of its own.
func newSQLiteBench(t *testing.T) *bench {
	t.Helper()
	return newBench(t, openSQLite(t, filepath.Join(t.TempDir(), "webhooks.db")))
}

// write appends an event for each subject named and returns the position of the last.
func (b *bench) write(kind string, subjects ...string) int64 {
	b.Helper()
	var batch []event.Event
	for _, subject := range subjects {
		b.versions[subject]++
		b.written++
		batch = append(batch, event.Event{ID: fmt.Sprint("e", b.written), Source: "post", Type: kind, Subject: subject,
			Version: b.versions[subject], Time: time.Now().UTC(), Data: []byte(`{}`)})
	}
	if _, err := b.log.Append(b.Context(), "post", batch); err != nil {
		b.Fatal(err)
	}
	return int64(b.written)
}

// consume makes a consumer at the log's beginning.
func (b *bench) consume(id string, change func(*dispatch.Consumer)) {
	b.Helper()
	bounds, err := b.log.Bounds(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	_, err = b.store.Change(b.Context(), id, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
		if c == nil {
			c = &dispatch.Consumer{State: dispatch.Active, LogID: bounds.ID, Config: []byte(`{}`), CreatedAt: time.Now().UTC()}
		}
		if change != nil {
			change(c)
		}
		return c, nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// send is a dispatch.Send.
func (b *bench) send(ctx context.Context, c dispatch.Consumer, e event.Event, attempt int) dispatch.Result {
	b.mu.Lock()
	b.sent[c.ID] = append(b.sent[c.ID], e.ID)
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		return answer(ctx, c, e, attempt)
	}
	return dispatch.Result{Delivered: true, Status: 204}
}

func (b *bench) got(id string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent[id])
}

// run has a dispatcher run until the function returned is called, or the test ends.
func (b *bench) run(d *dispatch.Dispatcher) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			b.Errorf("it ended with %v", err)
		}
	})
	b.Cleanup(stop)
	return stop
}

func (b *bench) start(options dispatch.Options) (*dispatch.Dispatcher, func()) {
	d := dispatch.New(b.store, b.log, b.send, options)
	return d, b.run(d)
}

// consumer returns a consumer, and whether there is one.
func (b *bench) consumer(id string) (dispatch.Consumer, bool) {
	b.Helper()
	all, err := b.store.Consumers(context.WithoutCancel(b.Context()))
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(all, func(c dispatch.Consumer) bool { return c.ID == id })
	if at < 0 {
		return dispatch.Consumer{}, false
	}
	return all[at], true
}

// until waits for something to become true.
func (b *bench) until(what string, holds func() bool) {
	b.Helper()
	for start := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			b.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// reaches waits until a consumer has all events up to a position.
func (b *bench) reaches(id string, position int64) {
	b.Helper()
	b.until(fmt.Sprintf("%s is at %d", id, position), func() bool {
		c, _ := b.consumer(id)
		return c.Position == position
	})
}

func (b *bench) deliveries(id string) []dispatch.Delivery {
	b.Helper()
	deliveries, err := b.store.Deliveries(b.Context(), id, 0, dispatch.KeptDeliveries)
	if err != nil {
		b.Fatal(err)
	}
	slices.Reverse(deliveries)
	return deliveries
}

// mortal is a store that can be cut off, as by the death of the process.
type mortal struct {
	dispatch.Store
	dead atomic.Bool
}

var errDead = errors.New("dead")

func (m *mortal) Progress(ctx context.Context, holder string, next dispatch.Consumer, deliveries []dispatch.Delivery) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.Progress(ctx, holder, next, deliveries)
}

func (m *mortal) Lease(ctx context.Context, holder string, ids []string, ttl time.Duration) ([]string, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Store.Lease(ctx, holder, ids, ttl)
}

// ids are those of the events from one position to another.
func ids(from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprint("e", i))
	}
	return all
}

// inOrder says whether the ids appear with growing numbers, but for repetitions.
func inOrder(got []string) bool {
	return slices.Equal(slices.Compact(slices.Clone(got)), sorted(got))
}

func sorted(got []string) []string {
	all := slices.Clone(got)
	slices.SortFunc(all, func(x, y string) int { return number(x) - number(y) })
	return slices.Compact(all)
}

func number(id string) (n int) {
	_, _ = fmt.Sscanf(id, "e%d", &n)
	return n
}
