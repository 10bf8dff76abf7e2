package work_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

var errPermanent = work.Permanent(work.Explain(errors.New("secret detail"), "GONE", "it is gone"))

// endings are pieces of work with the errors of their steps a, b and c, and how they end.
var endings = []struct {
	name  string
	kind  work.Kind
	fails map[string][]error
	state work.State
	ran   string
	code  string
}{
	{"job", work.Job, nil, work.Completed, "a b c", ""},
	{"saga", work.Saga, nil, work.Completed, "a b c", ""},
	{"job tries again", work.Job, map[string][]error{"b": {errTransient, errTransient}}, work.Completed, "a b b b c", "INTERNAL"},
	{"job fails", work.Job, map[string][]error{"b": {errTransient, errTransient, errTransient}}, work.Failed, "a b b b", "INTERNAL"},
	{"job is refused", work.Job, map[string][]error{"b": {errPermanent}}, work.Failed, "a b", "GONE"},
	{"job takes too long", work.Job, map[string][]error{"b": {work.Permanent(context.DeadlineExceeded)}}, work.Failed, "a b", "TIMEOUT"},
	{"saga goes back", work.Saga, map[string][]error{"c": {errTransient, errPermanent}}, work.Compensated, "a b c c c/undo b/undo a/undo", "GONE"},
	{"saga's first step", work.Saga, map[string][]error{"a": {errPermanent}}, work.Compensated, "a a/undo", "GONE"},
	{"undo tries again", work.Saga, map[string][]error{"b": {errPermanent}, "a/undo": {errTransient, errPermanent, errTransient, errTransient}}, work.Compensated,
		"a b b/undo a/undo a/undo a/undo a/undo a/undo", "INTERNAL"},
}

func TestWorkEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		scripts := make([]*script, len(endings))
		var definitions []work.Definition
		for i, test := range endings {
			scripts[i] = &script{fails: map[string][]error{}}
			for step, errs := range test.fails {
				scripts[i].fails[step] = errs
			}
			definitions = append(definitions, scripts[i].steps(fmt.Sprint("it.v", i), test.kind, "a", "b", "c"))
		}
		e, _ := start(t, on, work.Options{Definitions: definitions})
		var started []work.Record
		for i := range endings {
			started = append(started, begin(t, e, work.Order{Name: fmt.Sprint("it.v", i), OwnerID: "u1"}))
		}
		for i, test := range endings {
			r := until(t, e, started[i].ID, func(r work.Record) bool { return r.State.Ended() })
			if ran := strings.Join(scripts[i].did(), " "); r.State != test.state || ran != test.ran {
				t.Errorf("%s: %s after %s", test.name, r.State, ran)
			}
			if (r.Failure == nil) != (test.code == "") || r.Failure != nil && (r.Failure.Code != test.code || strings.Contains(r.Failure.Message, "10.1.2.3")) {
				t.Errorf("%s: failure %+v", test.name, r.Failure)
			}
			if r.EndedAt.IsZero() || !r.RunAt.IsZero() {
				t.Errorf("%s: %+v", test.name, r)
			}
		}
	}, "cluster")
}

func TestFinalStepsAreRepeatedAndStuck(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		s := &script{fails: map[string][]error{"b": {errTransient, errPermanent, errTransient, errTransient}}}
		d := s.steps("it.v1", work.Saga, "a", "b", "c")
		d.Steps[1].Final = true
		d.Retry = work.Retry{Attempts: 2, First: 40 * time.Minute, Most: 40 * time.Minute} // 24 ms here
		var mu sync.Mutex
		var states []work.State
		e, _ := start(t, on, work.Options{Definitions: []work.Definition{d}, Scale: 0.00001, Announce: func(_ context.Context, r work.Record) error {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, r.State)
			return nil
		}})
		r := begin(t, e, work.Order{Name: "it.v1"})
		r = until(t, e, r.ID, func(r work.Record) bool { return r.State == work.Completed && r.Announced == r.Revision })
		mu.Lock()
		defer mu.Unlock()
		if ran := strings.Join(s.did(), " "); ran != "a b b b b b c" || r.Decision != work.Proceed || !r.Troubled.IsZero() {
			t.Errorf("%s %+v", ran, r)
		}
		want := []work.State{work.Pending, work.Running, work.Stuck, work.Running, work.Completed}
		if got := slices.Compact(slices.Clone(states)); !slices.Equal(got, want) {
			t.Errorf("announced %v", got)
		}
	})
}

func TestEngineEndsDuringAStep(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		gate := make(chan struct{})
		s := &script{gate: map[string]chan struct{}{"b": gate}}
		options := work.Options{Definitions: []work.Definition{s.steps("it.v1", work.Saga, "a", "b")}, Scale: 0.01}
		e, stop := start(t, on, options)
		r := begin(t, e, work.Order{Name: "it.v1", Input: map[string]string{"x": "y"}})
		until(t, e, r.ID, func(r work.Record) bool { return r.Steps[1].State == work.StepRunning })
		stop()
		close(gate)
		if r, _ := e.Get(t.Context(), r.ID); r.Steps[1].Attempts != 0 || r.State != work.Running {
			t.Errorf("an attempt that the end cut short counts: %+v", r)
		}
		e, _ = start(t, on, options)
		r = until(t, e, r.ID, in(work.Completed))
		if r.Steps[1].Attempts != 1 || string(r.Input) != `{"x":"y"}` {
			t.Errorf("%+v", r)
		}
	})
}

func TestAnnounceFailing(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		s := &script{}
		failures := 0
		e, _ := start(t, on, work.Options{Definitions: []work.Definition{s.steps("it.v1", work.Saga, "a", "b")}, Scale: 0.001,
			Announce: func(_ context.Context, r work.Record) error {
				if failures++; failures%3 != 0 {
					return errTransient
				}
				return nil
			}})
		r := begin(t, e, work.Order{Name: "it.v1"})
		r = until(t, e, r.ID, func(r work.Record) bool { return r.State == work.Completed && r.Announced == r.Revision })
		if ran := strings.Join(s.did(), " "); ran != "a b" || r.Steps[0].Attempts != 1 || r.Steps[1].Attempts != 1 {
			t.Errorf("%s %+v", ran, r)
		}
	})
}
