package work_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// backends are where engines are tested.
var backends = map[string]func(t *testing.T) func(*work.Options){
	"sqlite": func(t *testing.T) func(*work.Options) {
		dir := t.TempDir()
		store := openStore(t, dir)
		return func(o *work.Options) { o.Store, o.File = store, filepath.Join(dir, "drive.db") }
	},
	"redis": func(t *testing.T) func(*work.Options) {
		server := redistest.Start(t)
		commands, blocking := server.Client(), server.Client()
		return func(o *work.Options) { o.Store, o.Redis = work.NewRedis(commands), blocking }
	},
	"cluster": func(t *testing.T) func(*work.Options) {
		url := redistest.StartCluster(t)
		commands, blocking := redistest.Client(t, url), redistest.Client(t, url)
		return func(o *work.Options) { o.Store, o.Redis = work.NewRedis(commands), blocking }
	},
}

func openStore(t testing.TB, dir string) *work.SQLite {
	t.Helper()
	store, err := work.OpenSQLite(t.Context(), filepath.Join(dir, "work.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// everywhere runs a test on each backend. A cluster differs in what a key may stand beside, for which few tests are enough.
func everywhere(t *testing.T, test func(t *testing.T, on func(*work.Options)), more ...string) {
	t.Parallel()
	for _, name := range append([]string{"sqlite", "redis"}, more...) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, backends[name](t))
		})
	}
}

// script is what steps do, and what they have done.
type script struct {
	mu    sync.Mutex
	ran   []string // keys, with the attempt's number dropped
	fails map[string][]error
	gate  map[string]chan struct{} // a step waits for its one, or for the end of its context
}

func (s *script) do(ctx context.Context, call *work.Call) error {
	_, key, _ := cut(call.Key)
	s.mu.Lock()
	s.ran = append(s.ran, key)
	gate := s.gate[key]
	var err error
	if rest := s.fails[key]; len(rest) > 0 {
		err, s.fails[key] = rest[0], rest[1:]
	}
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// cut parts the id of a record from the name of a step.
func cut(key string) (id, step string, found bool) {
	for i := range key {
		if key[i] == '/' {
			return key[:i], key[i+1:], true
		}
	}
	return key, "", false
}

func (s *script) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ran)
}

var (
	errTransient = errors.New("dial tcp 10.1.2.3: refused")
	quick        = work.Retry{Attempts: 3, First: time.Millisecond, Most: 4 * time.Millisecond}
)

// steps makes a definition of named steps that all do what the script says.
func (s *script) steps(name string, kind work.Kind, names ...string) work.Definition {
	d := work.Definition{Name: name, Kind: kind, Retry: quick}
	for _, step := range names {
		d.Steps = append(d.Steps, work.StepDefinition{Name: step, Do: s.do, Undo: s.do})
	}
	return d
}

// start runs an engine until stop is called, at the latest at the end of the test.
func start(t *testing.T, on func(*work.Options), options work.Options) (e *work.Engine, stop func()) {
	t.Helper()
	e, err := newEngine(t, on, options)
	if err != nil {
		t.Fatal(err)
	}
	return e, runs(t, e)
}

func newEngine(t *testing.T, on func(*work.Options), options work.Options) (*work.Engine, error) {
	options.Logger = quiet(t)
	options.Lock = time.Second
	on(&options)
	return work.New(options)
}

// runs runs an engine as start does.
func runs(t *testing.T, e *work.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// until waits for a record to be as wanted.
func until(t *testing.T, e *work.Engine, id string, wanted func(work.Record) bool) work.Record {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		r, err := e.Get(t.Context(), id)
		if err == nil && wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not come: %+v, %v", r, err)
		}
		time.Sleep(5 * time.Millisecond) // records tell nobody of their changes
	}
}

func in(states ...work.State) func(work.Record) bool {
	return func(r work.Record) bool { return slices.Contains(states, r.State) }
}

func begin(t *testing.T, e *work.Engine, order work.Order) work.Record {
	t.Helper()
	r, created, err := e.Start(t.Context(), order)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	return r
}

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
