package work_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

func TestProgressAndOutput(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		panicked := false
		d := work.Definition{Name: "export.v1", Kind: work.Job, Retry: quick, Steps: []work.StepDefinition{{Name: "all", Do: func(ctx context.Context, call *work.Call) error {
			if !panicked {
				panicked = true
				panic("a secret")
			}
			for i := range int64(1000) {
				call.Progress(ctx, i+1, 1000)
			}
			if err := call.SetOutput(make([]int, work.MaxPayload)); !errors.Is(err, work.ErrTooLarge) {
				t.Error(err)
			}
			return call.SetOutput(map[string]int{"rows": 1000})
		}}}}
		told, attempts := 0, make(chan work.Attempt, 10)
		e, stop := start(t, on, work.Options{
			Definitions: []work.Definition{d}, Observer: func(a work.Attempt) { attempts <- a }, Retention: time.Hour,
			Announce: func(_ context.Context, r work.Record) error {
				if r.Done > 0 && r.State == work.Running {
					told++
				}
				return nil
			},
		})
		r := begin(t, e, work.Order{Name: "export.v1"})
		r = until(t, e, r.ID, in(work.Completed))
		if r.Done != 1000 || r.Total != 1000 || string(r.Output) != `{"rows":1000}` || r.Failure == nil || r.Failure.Code != work.CodeInternal {
			t.Errorf("%+v", r)
		}
		stop()
		if told < 2 || told > 10 {
			t.Errorf("progress was announced %d times", told)
		}
		if a, b := <-attempts, <-attempts; a.Err == nil || b.Err != nil || a.Step != "all" {
			t.Errorf("%+v %+v", a, b)
		}
		// An hour and a bit later it is forgotten.
		e, _ = start(t, on, work.Options{Retention: time.Hour, Now: func() time.Time { return time.Now().Add(61 * time.Minute) }})
		deadline := time.Now().Add(10 * time.Second)
		for {
			if _, err := e.Get(t.Context(), r.ID); errors.Is(err, work.ErrUnknown) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it is kept")
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

func TestRedisComesLateAndForgets(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client()
	dir := t.TempDir()
	store := openStore(t, dir) // records elsewhere, so that Redis can lose all it has
	server.Kill()
	gate := make(chan struct{})
	s := &script{gate: map[string]chan struct{}{"b": gate}}
	on := func(o *work.Options) { o.Store, o.Redis = store, client }
	e, _ := start(t, on, work.Options{Definitions: []work.Definition{s.steps("it.v1", work.Job, "a", "b")}, Scale: 0.01})
	first := begin(t, e, work.Order{Name: "it.v1"})
	server.Restart()
	until(t, e, first.ID, func(r work.Record) bool { return r.Steps[1].State == work.StepRunning })
	flush(t, client)
	close(gate)
	until(t, e, begin(t, e, work.Order{Name: "it.v1"}).ID, in(work.Completed))
}

func TestOptionsAreChecked(t *testing.T) {
	s := &script{}
	good := work.Options{Store: openStore(t, t.TempDir()), File: filepath.Join(t.TempDir(), "drive.db"), Logger: quiet(t)}
	for what, spoil := range map[string]func(*work.Options){
		"no store": func(o *work.Options) { o.Store = nil }, "no file": func(o *work.Options) { o.File = "" },
		"scale":         func(o *work.Options) { o.Scale = -1 },
		"twice":         func(o *work.Options) { d := s.steps("a", work.Job, "x"); o.Definitions = []work.Definition{d, d} },
		"no steps":      func(o *work.Options) { o.Definitions = []work.Definition{s.steps("a", work.Job)} },
		"two of a name": func(o *work.Options) { o.Definitions = []work.Definition{s.steps("a", work.Job, "x", "x")} },
		"no kind":       func(o *work.Options) { o.Definitions = []work.Definition{s.steps("a", "", "x")} },
	} {
		o := good
		spoil(&o)
		if _, err := work.New(o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	e, err := work.New(good)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if e.Diagnostics().ServeHTTP(w, httptest.NewRequest("GET", "/api/stats", nil)); w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}
