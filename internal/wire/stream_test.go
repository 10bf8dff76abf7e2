package wire_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

// ticks is a source of events: each is a text, and the cursor behind the n-th is "c<n>".
type ticks struct {
	mu    sync.Mutex
	log   []string
	woken chan struct{} // closed by the next event
	open  int           // feeds
	in    int           // members of streams
	moved chan struct{} // told whenever one of them changes
}

func newTicks() *ticks {
	return &ticks{woken: make(chan struct{}), moved: make(chan struct{}, 1)}
}

func (s *ticks) emit(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, text)
	close(s.woken)
	s.woken = make(chan struct{})
}

// next gives the event behind a position, or what to wait for.
func (s *ticks) next(position int) (text string, ok bool, woken <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if position < len(s.log) {
		return s.log[position], true, nil
	}
	return "", false, s.woken
}

func (s *ticks) change(feeds, members int) {
	s.mu.Lock()
	s.open, s.in = s.open+feeds, s.in+members
	s.mu.Unlock()
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// members waits until there are so many, and all have caught up with their group, of which there may be one.
func (s *ticks) members(t testing.TB, want int) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		s.mu.Lock()
		in, open := s.in, s.open
		s.mu.Unlock()
		if in == want && open == min(want, 1) {
			return
		}
		select {
		case <-s.moved:
		case <-late:
			t.Fatalf("%d members and %d feeds, want %d members", in, open, want)
		}
	}
}

type tickKey struct{}

func (s *ticks) source() operation.Source {
	return operation.Source{Opening: func(ctx context.Context) (context.Context, func(context.Context, bool, string) (operation.Feed, error)) {
		return ctx, func(_ context.Context, _ bool, after string) (operation.Feed, error) { return s.feed(after) }
	}}
}

func (s *ticks) feed(after string) (operation.Feed, error) {
	s.mu.Lock()
	position := len(s.log)
	s.mu.Unlock()
	if after != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(after, "c"))
		if err != nil || n > position {
			return operation.Feed{}, fmt.Errorf("%w: SECRET", operation.ErrCursor)
		}
		position = n
	}
	s.change(+1, 0)
	var mu sync.Mutex
	waits := false
	return operation.Feed{
		Next: func(ctx context.Context) (operation.Item, error) {
			for {
				mu.Lock()
				waits = true
				text, ok, woken := s.next(position)
				if ok {
					position++
					waits = false
					at := position
					mu.Unlock()
					return operation.Item{Position: int64(at), Cursor: "c" + strconv.Itoa(at), Enter: func(ctx context.Context) context.Context {
						return context.WithValue(ctx, tickKey{}, text)
					}}, nil
				}
				mu.Unlock()
				select {
				case <-woken:
				case <-ctx.Done():
					return operation.Item{}, ctx.Err()
				}
			}
		},
		Position: func() (int64, string) {
			mu.Lock()
			defer mu.Unlock()
			return int64(position), "c" + strconv.Itoa(position)
		},
		Settled: func() (int64, string, bool) {
			mu.Lock()
			defer mu.Unlock()
			return int64(position), "c" + strconv.Itoa(position), waits
		},
		Close: func() { s.change(-1, 0) },
	}, nil
}

// tell answers a subscription with its event, nothing to those that are called "quiet", and everything else as echo does.
func tell(ctx context.Context, op *operation.Prepared) *operation.Result {
	if op.Kind() != ast.Subscription {
		return echo{}.Execute(ctx, op, nil)
	}
	text, ok := ctx.Value(tickKey{}).(string)
	if !ok || op.Operation.Name == "quiet" {
		return &operation.Result{Outcome: operation.Skipped}
	}
	raw, _ := json.Marshal(map[string]string{"ticks": text})
	return &operation.Result{Data: raw}
}

// streamSite is a site with subscriptions.
type streamSite struct {
	*site
	ticks *ticks
	stop  context.CancelFunc // begins to drain
	ended chan struct{}      // closed when everything has
}

func newStreamSite(t testing.TB, config wire.ConnectionsConfig) *streamSite {
	t.Helper()
	s := &streamSite{site: newSite(t), ticks: newTicks(), ended: make(chan struct{})}
	s.executor = executorFunc(tell)
	s.http.Connections = wire.NewConnections(config)
	s.http.Tickets = wire.NewMemoryTickets(time.Now)
	s.ws = &wire.WS{HTTP: s.http, Connections: s.http.Connections}
	streams := operation.NewStreams(s.http.Pipeline, s.ticks.source(), 100_000, operation.StreamObserver{Members: func(n int) { s.ticks.change(0, n) }})
	s.http.Pipeline.Streams = streams
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() {
		defer close(s.ended)
		_ = s.http.Connections.Run(ctx)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = streams.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-s.ended
	})
	return s
}

// eventually tries until it is so.
func eventually(t testing.TB, so func() bool) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it does not become so")
		}
	}
}
