package work

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/history"
	"github.com/cschleiden/go-workflows/backend/metrics"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/workflow"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// large is a store that takes a second to list what has not ended.
type large struct {
	Store
	listed int
}

func (s *large) List(ctx context.Context, filter Filter, _ string, _ int) ([]Record, error) {
	if filter.openOnly() {
		s.listed++
		time.Sleep(time.Second)
	}
	return nil, ctx.Err()
}

// Clean implements Store.
func (s *large) Clean(ctx context.Context, _ time.Time, _ int) (int, error) { return 0, ctx.Err() }

// However much waits for its time, looking at it takes a small part of a core.
func TestSweepsOfMuchWorkRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &large{}
		e, err := New(Options{Store: store, File: "unused", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		(&run{Engine: e, ctx: ctx}).sweep(func(context.Context, time.Time) error { return nil })
		if store.listed < 20 || store.listed > 30 {
			t.Errorf("swept for %d s of 600", store.listed)
		}
	})
}

// waits is a store of records that wait for their time. It counts what is read of them.
type waits struct {
	large
	all    []Record
	read   int
	cleans []cleaning
}

type cleaning struct {
	before time.Time
	keep   int
}

func (s *waits) Clean(ctx context.Context, before time.Time, keep int) (int, error) {
	s.cleans = append(s.cleans, cleaning{before, keep})
	return 0, ctx.Err()
}

func (s *waits) List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error) {
	var page []Record
	for _, r := range s.all {
		if filter.picks(r) && r.ID > after && len(page) < limit {
			page = append(page, r)
		}
	}
	s.read += len(page)
	return page, ctx.Err()
}

// makes is a backend that takes note of the instances that it is to make, and of when.
type makes struct {
	backend.Backend
	options *backend.Options
	made    map[string][]time.Duration
	began   time.Time
}

func (m *makes) Options() *backend.Options { return m.options }

func (m *makes) Metrics() metrics.Client { return m.options.Metrics }

func (m *makes) Tracer() trace.Tracer { return noop.NewTracerProvider().Tracer("") }

func (m *makes) CreateWorkflowInstance(_ context.Context, instance *workflow.Instance, _ *history.Event) error {
	m.made[instance.InstanceID] = append(m.made[instance.InstanceID], time.Since(m.began))
	return nil
}

// TestASweepIsAPage: the first look is at all that has not ended, each later sweep is at a page of it, until all has been looked at again.
func TestASweepIsAPage(t *testing.T) {
	const all = 5*openPage + 7
	synctest.Test(t, func(t *testing.T) {
		store := &waits{}
		for i := range all {
			store.all = append(store.all, Record{ID: fmt.Sprintf("r%05d", i), State: Waiting, Attempts: 1})
		}
		e, err := New(Options{Store: store, File: "unused", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*allRest-time.Second)
		defer cancel()
		m := &makes{options: backend.ApplyOptions(), made: map[string][]time.Duration{}, began: time.Now()}
		e.client.Store(client.New(m))
		(&run{Engine: e, ctx: ctx}).sweep(func(context.Context, time.Time) error { return nil })
		for i, r := range store.all {
			later := time.Duration(i/openPage) * sweepRest
			for look, at := range m.made[r.ID] {
				want := time.Duration(look) * allRest
				if look > 0 {
					want += later
				}
				if at != want {
					t.Fatalf("%s: look %d was after %s, not %s", r.ID, look, at, want)
				}
			}
			if n := len(m.made[r.ID]); n != 3 {
				t.Fatalf("%s was looked at %d times", r.ID, n)
			}
		}
		if want := (cleaning{m.began.Add(-30 * 24 * time.Hour), 1000}); len(store.cleans) != 1 || store.cleans[0] != want {
			t.Errorf("cleaned %v, not %v", store.cleans, want)
		}
		if store.read != 3*all {
			t.Errorf("%d records were read for three looks at %d", store.read, all)
		}
	})
}
