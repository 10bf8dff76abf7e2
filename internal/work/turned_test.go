package work_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

// TestCancelDuringAStep takes a saga back while a step is under way, however that ends.
func TestCancelDuringAStep(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		for _, during := range []string{"a", "b"} {
			for what, ends := range map[string]error{"done": nil, "transient": errTransient, "permanent": errPermanent} {
				t.Run(during+" "+what, func(t *testing.T) {
					gate := make(chan struct{})
					s := &script{gate: map[string]chan struct{}{during: gate}, fails: map[string][]error{during: {ends}}}
					d := s.steps("it.v1", work.Saga, "a", "b", "c")
					d.Steps[2].Final = true
					d.Retry = work.Retry{Attempts: 3, First: time.Hour, Most: time.Hour} // which nobody waits for
					e, _ := start(t, on, work.Options{Definitions: []work.Definition{d}})
					r := begin(t, e, work.Order{Name: "it.v1"})
					until(t, e, r.ID, func(work.Record) bool { return strings.HasSuffix(strings.Join(s.did(), " "), during) })
					for range 2 {
						if r, err := e.Cancel(t.Context(), r.ID); err != nil || r.Decision != work.TakeBack {
							t.Error(r, err)
						}
					}
					if ran := strings.Join(s.did(), " "); strings.Contains(ran, "undo") {
						t.Errorf("undone while it runs: %s", ran)
					}
					close(gate)
					r = until(t, e, r.ID, func(r work.Record) bool { return r.State.Ended() })
					want := map[string]string{"a": "a a/undo", "b": "a b b/undo a/undo"}[during]
					if ran := strings.Join(s.did(), " "); r.State != work.Compensated || ran != want || (r.Failure != nil) != (ends != nil) {
						t.Errorf("%s after %s: %+v", r.State, ran, r)
					}
				})
			}
		}
	})
}

// TestCancelAroundTheEnds takes back what has begun: a saga between two attempts, one without a point of no return, and a job.
func TestCancelAroundTheEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		gate := make(chan struct{})
		s := &script{fails: map[string][]error{"fails": {errTransient}}, gate: map[string]chan struct{}{"last": gate, "alone": gate, "final": gate}}
		resting, whole := s.steps("resting.v1", work.Saga, "ok", "fails"), s.steps("whole.v1", work.Saga, "last")
		job, final := s.steps("job.v1", work.Job, "alone"), s.steps("final.v1", work.Saga, "final")
		resting.Retry, final.Steps[0].Final = work.Retry{Attempts: 3, First: time.Hour, Most: time.Hour}, true
		e, _ := start(t, on, work.Options{Definitions: []work.Definition{resting, whole, job, final}})
		running := func(r work.Record) bool { return r.State == work.Running && r.Steps[0].State == work.StepRunning }
		cases := []struct {
			name  string
			late  bool
			ready func(work.Record) bool
		}{
			{"resting.v1", false, func(r work.Record) bool { return r.Steps[1].Failure != nil }},
			{"whole.v1", false, running}, {"job.v1", true, running}, {"final.v1", true, running},
		}
		var started []work.Record
		for _, test := range cases {
			r := begin(t, e, work.Order{Name: test.name})
			until(t, e, r.ID, test.ready)
			if _, err := e.Cancel(t.Context(), r.ID); errors.Is(err, work.ErrTooLate) != test.late || !test.late && err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			started = append(started, r)
		}
		close(gate)
		for i, test := range cases {
			r := until(t, e, started[i].ID, func(r work.Record) bool { return r.State.Ended() })
			if want := map[bool]work.State{false: work.Compensated, true: work.Completed}[test.late]; r.State != want {
				t.Errorf("%s: %+v", test.name, r)
			}
		}
	})
}

// TestHistoriesGoOn has the histories of instances end all the time, while sagas are taken back in all their moments.
func TestHistoriesGoOn(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		var mu sync.Mutex
		effects, tries := map[string]int{}, map[string]int{}
		do := func(_ context.Context, call *work.Call) error {
			mu.Lock()
			defer mu.Unlock()
			if tries[call.Key]++; tries[call.Key] < 3 {
				return errTransient
			}
			if call.Fence != "" {
				delete(effects, call.Fence)
			} else {
				effects[call.Key]++
			}
			return nil
		}
		d := work.Definition{Name: "it.v1", Kind: work.Saga, Retry: quick}
		for _, step := range []string{"a", "b", "c"} {
			d.Steps = append(d.Steps, work.StepDefinition{Name: step, Do: do, Undo: do})
		}
		d.Steps[2].Final = true
		e, err := newEngine(t, on, work.Options{Definitions: []work.Definition{d}})
		if err != nil {
			t.Fatal(err)
		}
		e.Histories(2)
		runs(t, e)
		ends := map[work.State]int{}
		var wg sync.WaitGroup
		for i := range 20 {
			r := begin(t, e, work.Order{Name: "it.v1"})
			wg.Go(func() {
				if i%4 > 0 {
					time.Sleep(rand.N(1500 * time.Millisecond)) // any moment will do
					if _, err := e.Cancel(t.Context(), r.ID); err != nil && !errors.Is(err, work.ErrTooLate) {
						t.Error(err)
					}
				}
				r := until(t, e, r.ID, func(r work.Record) bool { return r.State.Ended() })
				mu.Lock()
				defer mu.Unlock()
				ends[r.State]++
				left := 0
				for _, step := range r.Steps {
					left += effects[r.ID+"/"+step.Name]
				}
				if want := map[work.State]int{work.Completed: 3}[r.State]; left != want {
					t.Errorf("%s with %d effects: %+v", r.State, left, r)
				}
			})
		}
		wg.Wait()
		t.Log(fmt.Sprint(ends))
	})
}
