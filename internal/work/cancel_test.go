package work_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/work"
)

// TestCancelAndProceedCompete takes work back just when its wait ends: one of both wins, and what happens is what it says. How long
// that is goes by how long the machine, the race detector on or not, takes to bring as much work there.
func TestCancelAndProceedCompete(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		const tries, sample = 100, 20
		s := &script{}
		end := time.Now().Add(time.Hour) // written between the two lots
		wait := func(work.Record) time.Time { s.mu.Lock(); defer s.mu.Unlock(); return end }
		d := s.steps("grace.v1", work.Saga, "a", "b")
		d.Steps[1].Final, d.Steps[1].Wait = true, wait
		e, _ := start(t, on, work.Options{Definitions: []work.Definition{d}})
		lot := func(n int) []work.Record {
			records := make([]work.Record, n)
			for i := range records {
				records[i] = begin(t, e, work.Order{Name: "grace.v1"})
			}
			return records
		}
		began := time.Now()
		for _, r := range lot(sample) {
			until(t, e, r.ID, in(work.Waiting))
		}
		took := time.Since(began) * tries / sample
		s.mu.Lock()
		end = time.Now().Add(took + time.Second)
		s.mu.Unlock()
		records := lot(tries)
		won, turn := make([]bool, tries), rand.Perm(tries) // in the order of their beginnings one of both would be ahead all the time
		var wg sync.WaitGroup
		for i, r := range records {
			until(t, e, r.ID, in(work.Waiting, work.Completed)) // some are late where others load the machine
			wg.Go(func() {
				time.Sleep(time.Until(end) + time.Duration(turn[i]-tries/10)*took/tries) // the race is for this time
				_, err := e.Cancel(t.Context(), r.ID)
				if won[i] = err == nil; err != nil && !errors.Is(err, work.ErrTooLate) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		count := 0
		for i, r := range records {
			r = until(t, e, r.ID, func(r work.Record) bool { return r.State.Ended() })
			if won[i] {
				count++
			}
			var ran []string
			for _, step := range r.Steps {
				ran = append(ran, string(step.State))
			}
			switch steps := strings.Join(ran, " "); {
			case won[i] && (r.State != work.Compensated || r.Decision != work.TakeBack || steps != "UNDONE PENDING"):
				t.Errorf("taken back: %+v", r)
			case !won[i] && (r.State != work.Completed || r.Decision != work.Proceed || steps != "DONE DONE"):
				t.Errorf("gone on: %+v", r)
			}
		}
		if count == 0 || count == tries {
			t.Error("they did not compete")
		}
		t.Logf("%d of %d were taken back, %v for all", count, tries, took)
	})
}

func TestCancelBeforeAndAfter(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		s := &script{fails: map[string][]error{"b": {errTransient, errTransient, errTransient}}}
		e, _ := start(t, on, work.Options{Definitions: []work.Definition{s.steps("it.v1", work.Job, "a", "b")}})
		later := begin(t, e, work.Order{Name: "it.v1", Key: "k", RunAt: time.Now().Add(time.Hour)})
		until(t, e, later.ID, in(work.Waiting))
		if _, created, err := e.Start(t.Context(), work.Order{Name: "it.v1", Key: "k"}); created || err != nil {
			t.Error("the key is used twice", err)
		}
		for range 2 { // taking it back again changes nothing
			if r, err := e.Cancel(t.Context(), later.ID); err != nil || r.Decision != work.TakeBack {
				t.Error(err)
			}
		}
		if r := until(t, e, later.ID, func(r work.Record) bool { return r.State.Ended() }); r.State != work.Cancelled || len(s.did()) != 0 {
			t.Errorf("%+v", r)
		}
		r := begin(t, e, work.Order{Name: "it.v1", OwnerID: "u1", Input: "mine"})
		until(t, e, r.ID, in(work.Failed))
		if _, err := e.Cancel(t.Context(), r.ID); !errors.Is(err, work.ErrTooLate) {
			t.Error(err)
		}
		if _, err := e.Retry(t.Context(), r.ID); err != nil {
			t.Error(err)
		}
		r = until(t, e, r.ID, func(r work.Record) bool { return r.State.Ended() })
		if ran := strings.Join(s.did(), " "); r.State != work.Completed || r.Attempts != 2 || ran != "a b b b b" {
			t.Errorf("%s %+v", ran, r)
		}
		if _, err := e.Retry(t.Context(), r.ID); !errors.Is(err, work.ErrNotFailed) {
			t.Error(err)
		}
		if err := e.Redact(t.Context(), "u1"); err != nil {
			t.Error(err)
		}
		if r, err := e.Get(t.Context(), r.ID); err != nil || r.Input != nil {
			t.Errorf("%+v, %v", r, err)
		}
		if _, _, err := e.Start(t.Context(), work.Order{Name: "it.v2"}); !errors.Is(err, work.ErrUndefined) {
			t.Error(err)
		}
		if _, _, err := e.Start(t.Context(), work.Order{Name: "it.v1", Input: strings.Repeat("x", work.MaxPayload)}); !errors.Is(err, work.ErrTooLarge) {
			t.Error(err)
		}
	})
}

func TestVersionsOfDefinitions(t *testing.T) {
	everywhere(t, func(t *testing.T, on func(*work.Options)) {
		s := &script{gate: map[string]chan struct{}{"b": make(chan struct{})}}
		v1, v2 := s.steps("it.v1", work.Job, "a", "b"), s.steps("it.v2", work.Job, "c")
		e, stop := start(t, on, work.Options{Definitions: []work.Definition{v1}, Scale: 0.01})
		r := begin(t, e, work.Order{Name: "it.v1"})
		until(t, e, r.ID, func(r work.Record) bool { return r.Steps[1].State == work.StepRunning })
		stop()
		close(s.gate["b"])
		e, stop = start(t, on, work.Options{Definitions: []work.Definition{v2}, Scale: 0.01})
		if r := until(t, e, r.ID, in(work.Stuck)); r.Failure == nil || r.Failure.Code != work.CodeUnknownWork {
			t.Errorf("%+v", r)
		}
		stop()
		e, _ = start(t, on, work.Options{Definitions: []work.Definition{v1, v2}, Scale: 0.01})
		until(t, e, r.ID, in(work.Completed))
		until(t, e, begin(t, e, work.Order{Name: "it.v2"}).ID, in(work.Completed))
	})
}
