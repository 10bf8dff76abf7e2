package main

import (
	"slices"
	"strings"
	"testing"

	"tributary/internal/work"
)

// TestSagasTurnAround has every write that can be taken back fail for longer than it is tried: refused each time, done each time with the
// answer lost, and by a service that stays down until long after the saga has turned around. Nothing is left of any of them. What comes
// behind the point of no return is repeated until its answer arrives.
func TestSagasTurnAround(t *testing.T) {
	torture(t)
	var troubles []trouble
	for _, merges := range []bool{false, true} {
		forth := deletionWrites[:4]
		if merges {
			forth = mergeWrites[:4]
		}
		for _, write := range forth {
			service, _, _ := strings.Cut(write, " ")
			troubles = append(troubles,
				trouble{merges: merges, points: []point{{write: write, how: lost}}},
				trouble{merges: merges, points: []point{{write: write, how: outage}, {write: service + " restore", how: outage}}})
		}
	}
	turning := len(troubles)
	for _, write := range deletionWrites[4:] {
		troubles = append(troubles, trouble{points: []point{{write: write, how: unheard}}})
	}
	troubles = append(troubles, trouble{merges: true, points: []point{{write: mergeWrites[4], how: outage}}}) // done, it needs no answer
	model := len(troubles)
	troubles = append(troubles, undisturbed()...)
	dir := families(t, len(troubles))
	untouched := everything(t, dir, len(troubles))
	s := startStage(t, dir, nil, "--account-grace", "0s")
	for i := range troubles {
		s.enter(t, i, &troubles[i])
	}
	for i, tr := range troubles[:model] {
		eventuallySo(t, tr.String()+" is in trouble", func() bool {
			steps := s.steps(t, tr.id)
			return slices.ContainsFunc(steps, func(step work.Step) bool {
				return step.State == work.StepUndoing && step.Undos > 3 || step.State == work.StepRunning && step.Attempts > 10 && i >= turning || tr.points[0].how == lost
			})
		})
	}
	s.gates.open()
	ends := make([]work.State, len(troubles))
	for i, tr := range troubles {
		ends[i] = s.ended(t, tr.id)
	}
	s.gateway.kill()
	s.demos.kill()
	now := everything(t, dir, len(troubles))
	for i, tr := range troubles {
		tr.judge(t, ends[i], untouched[i], now[i], now[model:])
	}
}

// steps are the steps of a saga as admins see them.
func (s *stage) steps(t *testing.T, id string) (steps []work.Step) {
	t.Helper()
	a, err := s.ask(t.Context(), s.url, s.admin, `query ($id: ID!) { saga(id: $id) { steps { state attempts undoAttempts } } }`, map[string]any{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range at(t, a.Data, "saga", "steps").([]any) {
		step := each.(map[string]any)
		steps = append(steps, work.Step{
			State: work.StepState(step["state"].(string)), Attempts: int(step["attempts"].(float64)), Undos: int(step["undoAttempts"].(float64)),
		})
	}
	return steps
}
