package work_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// TestManyAttemptsGoOnInAnotherHistory tries one step more often than a history holds: the instance goes on under another execution.
func TestManyAttemptsGoOnInAnotherHistory(t *testing.T) {
	t.Parallel()
	const fails = 220
	s := &script{fails: map[string][]error{"a": {}}}
	for range fails {
		s.fails["a"] = append(s.fails["a"], errTransient)
	}
	server := redistest.Start(t)
	client := server.Client()
	d := s.steps("it.v1", work.Job, "a")
	d.Retry = work.Retry{Attempts: fails + 1, First: time.Millisecond, Most: time.Millisecond}
	e, _ := start(t, func(o *work.Options) { o.Store, o.Redis = work.NewRedis(server.Client()), client },
		work.Options{Definitions: []work.Definition{d}, Scale: 1e-9}) // so that nothing rests: timers take a while each
	r := begin(t, e, work.Order{Name: "it.v1"})
	r = until(t, e, r.ID, func(r work.Record) bool { return r.State.Ended() })
	if r.State != work.Completed || r.Steps[0].Attempts != fails+1 || len(s.did()) != fails+1 {
		t.Errorf("%d runs: %+v", len(s.did()), r)
	}
	histories, err := client.Keys(t.Context(), "{work}:wf:*history*").Result()
	if err != nil || len(histories) != 2 {
		t.Errorf("%q, %v", histories, err)
	}
}

// TestRedactBesideWork takes away what ended work holds of a person, while more of theirs runs, and from within it.
func TestRedactBesideWork(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		var e *work.Engine
		var mu sync.Mutex
		var seen []string
		gate := make(chan struct{})
		def := work.Definition{Name: "it.v1", Kind: work.Job, Retry: quick, Steps: []work.StepDefinition{
			{Name: "redacts", Do: func(ctx context.Context, call *work.Call) error {
				<-gate
				if err := call.SetOutput("mine too"); err != nil {
					return err
				}
				return e.Redact(ctx, call.Record.OwnerID)
			}},
			{Name: "reads", Do: func(_ context.Context, call *work.Call) error {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, string(call.Record.Input))
				return nil
			}},
		}}
		e, _ = start(t, on, work.Options{Definitions: []work.Definition{def}})
		before := begin(t, e, work.Order{Name: "it.v1", OwnerID: "u1", Input: "mine", RunAt: time.Now().Add(time.Hour)})
		if _, err := e.Cancel(t.Context(), before.ID); err != nil {
			t.Fatal(err)
		}
		until(t, e, before.ID, in(work.Cancelled))
		running := make([]work.Record, 12)
		for i := range running {
			running[i] = begin(t, e, work.Order{Name: "it.v1", OwnerID: "u1", Input: "mine"})
		}
		other := begin(t, e, work.Order{Name: "it.v1", OwnerID: "u2", Input: "theirs"})
		close(gate)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 10 {
					if err := e.Redact(t.Context(), "u1"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for _, r := range append(running, other) {
			r = until(t, e, r.ID, in(work.Completed, work.Failed))
			if r.State != work.Completed || r.Steps[0].Attempts != 1 || r.Steps[1].Attempts != 1 {
				t.Errorf("%+v", r)
			}
		}
		wg.Wait()
		if err := e.Redact(t.Context(), "u1"); err != nil {
			t.Error(err)
		}
		for _, r := range append(running, before) {
			if r, err := e.Get(t.Context(), r.ID); err != nil || r.Input != nil || r.Output != nil {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if r, err := e.Get(t.Context(), other.ID); err != nil || string(r.Input) != `"theirs"` && json.Valid(r.Output) {
			t.Errorf("%+v, %v", r, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if all := strings.Join(seen, ""); strings.Count(all, `"mine"`) != len(running) || strings.Count(all, `"theirs"`) != 1 {
			t.Errorf("the steps saw %s", all)
		}
	})
}

// TestAHalfMadeFileIsMadeAnew leaves the file that drives the work as a crash during its making does, with work under way.
func TestAHalfMadeFileIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, store := filepath.Join(dir, "drive.db"), openStore(t, dir)
	on := func(o *work.Options) { o.Store, o.File = store, file }
	for i, spoil := range []string{
		"UPDATE schema_migrations SET dirty = 1",
		"UPDATE schema_migrations SET dirty = 1; DROP TABLE instances; DROP TABLE activities",
		"DELETE FROM instances; DELETE FROM activities; DELETE FROM pending_events", // all is lost, though well made
	} {
		s := &script{gate: map[string]chan struct{}{"b": make(chan struct{})}}
		options := work.Options{Definitions: []work.Definition{s.steps(fmt.Sprint("it.v", i), work.Saga, "a", "b")}, Scale: 0.01}
		e, stop := start(t, on, options)
		r := begin(t, e, work.Order{Name: fmt.Sprint("it.v", i)})
		until(t, e, r.ID, func(r work.Record) bool { return r.Steps[1].State == work.StepRunning })
		stop()
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), spoil); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		close(s.gate["b"])
		e, stop = start(t, on, options)
		r = until(t, e, r.ID, in(work.Completed))
		stop()
		if ran := strings.Join(s.did(), " "); ran != "a b b" || r.Steps[0].Attempts != 1 {
			t.Errorf("%s: %s, %+v", spoil, ran, r)
		}
	}
}
