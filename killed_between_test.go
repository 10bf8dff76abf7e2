package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// boundary is a moment between two steps of a saga: so many are done, or one has failed and so many are taken back.
type boundary struct {
	merges, back bool
	steps        int
}

// boundaries are all of both sagas; those on the way back lie behind the failing step of the tests, which is the fifth.
func boundaries() (all []boundary) {
	for _, merges := range []bool{false, true} {
		forth := 10
		if merges {
			forth = 5
		}
		for n := range forth + 1 {
			all = append(all, boundary{merges: merges, steps: n})
		}
		for n := range 5 {
			all = append(all, boundary{merges: merges, back: true, steps: n})
		}
	}
	return all
}

// is says whether a saga is there.
func (b boundary) is(steps []work.Step) bool {
	forth, back := 0, 0
	for _, step := range steps {
		switch step.State {
		case work.StepRunning, work.StepUndoing:
			return false
		case work.StepPending:
		case work.StepUndone:
			back++
			forth++
		default:
			forth++
		}
	}
	if b.back {
		return forth == 5 && back == b.steps && (back > 0 || steps[4].State == work.StepFailed)
	}
	return forth == b.steps && back == 0
}

// passed says whether a saga was there, or had not to be there any more.
func (b boundary) passed(steps []work.Step) bool {
	forth, back := 0, 0
	for _, step := range steps {
		if step.State != work.StepPending {
			forth++
		}
		if step.State == work.StepUndone || step.State == work.StepUndoing {
			back++
		}
	}
	if b.back {
		return back > b.steps
	}
	return forth > b.steps
}

// TestTortureSagasAreKilledBetweenSteps kills the gateway between each two steps of both sagas, forth and back, one after the other, while it
// goes on with those of the kills before.
func TestTortureSagasAreKilledBetweenSteps(t *testing.T) {
	torture(t)
	const seed, sample = 19, 3
	all := boundaries()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:rounds(sample, len(all))]
	for _, shared := range []bool{false, true} {
		t.Run(map[bool]string{true: "Redis", false: "files"}[shared], func(t *testing.T) {
			t.Parallel()
			var redis *redistest.Server
			if shared {
				redis = redistest.Start(t)
			}
			killBetween(t, redis, all)
		})
	}
}

func killBetween(t *testing.T, redis *redistest.Server, all []boundary) {
	const tries = 3
	troubles := undisturbed()
	dir := families(t, len(troubles)+tries*len(all))
	untouched := everything(t, dir, len(troubles)+tries*len(all))
	s := startStage(t, dir, redis, "--account-grace", "0s")
	for i := range troubles {
		s.enter(t, i, &troubles[i])
	}
	hit := 0
	for _, b := range all {
		for try := range tries {
			tr := trouble{merges: b.merges}
			if b.back {
				tr.points = []point{{write: failing(b.merges), how: down}}
			}
			s.enter(t, len(troubles), &tr)
			troubles = append(troubles, tr)
			exact := s.killAt(t, b, tr.id)
			s.start(t)
			if exact {
				hit++
				break
			}
			t.Logf("%+v was missed, try %d", b, try)
		}
	}
	ends := make([]work.State, len(troubles))
	for i, tr := range troubles {
		ends[i] = s.ended(t, tr.id)
	}
	s.gateway.kill()
	s.demos.kill()
	now, keys := everything(t, dir, len(untouched)), s.keys(t)
	for i, tr := range troubles {
		tr.judge(t, ends[i], untouched[i], now[i], now)
		tr.once(t, ends[i], keys)
	}
	t.Logf("%d of %d boundaries were hit with %d kills", hit, len(all), len(troubles)-4)
	if hit < len(all)*4/5 {
		t.Error("too few")
	}
}

// killAt kills the gateway when a saga is between the steps, and says whether it was.
func (s *stage) killAt(t *testing.T, b boundary, id string) bool {
	t.Helper()
	look := func() []work.Step { return s.steps(t, id) }
	_, record, _ := strings.Cut(id, "_")
	if s.redis != nil { // there, the time between steps is short
		store := s.records(t)
		look = func() []work.Step {
			r, err := store.Get(t.Context(), record)
			if err != nil {
				t.Fatal(err)
			}
			return r.Steps
		}
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // records tell nobody of their changes
		steps := look()
		if b.is(steps) || b.passed(steps) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprintf("%+v does not come", b), steps)
		}
	}
	s.gateway.kill()
	r, err := s.records(t).Get(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	return b.is(slices.Clone(r.Steps))
}
