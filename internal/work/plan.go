package work

import (
	"math/rand/v2"
	"slices"
	"time"
)

// troubleLimit is after what time of failing, in production, something that has to succeed counts as stuck.
const troubleLimit = time.Hour

// actionKind is what is to be done next with a piece of work.
type actionKind int

const (
	actEnd    actionKind = iota // nothing: it has ended
	actWait                     // until a time, as State says
	actDo                       // an attempt of a step
	actUndo                     // an attempt of undoing a step
	actFinish                   // write down that it has ended, as state says
	actGiveUp                   // write down that a step failed whose last attempt was cut short
)

type action struct {
	kind  actionKind
	step  int
	until time.Time
	state State
}

// plan tells from a record alone what is next: it is the place where work goes on after a crash.
func plan(r Record, d Definition, now time.Time) action {
	switch {
	case r.State.Ended():
		return action{kind: actEnd}
	case r.RunAt.After(now):
		return action{kind: actWait, until: r.RunAt, state: resting(r)}
	case undoing(r):
		return planUndo(r)
	}
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.State != StepDone })
	if i < 0 {
		return action{kind: actFinish, state: Completed}
	}
	step, of := r.Steps[i], d.Steps[i]
	if step.State == StepPending && of.Wait != nil {
		if until := of.Wait(r); until.After(now) {
			return action{kind: actWait, until: until, state: Waiting}
		}
	}
	if step.State == StepRunning && step.Attempts >= d.Retry.Attempts && !final(d, i) {
		return action{kind: actGiveUp, step: i}
	}
	return action{kind: actDo, step: i}
}

// planUndo goes through the steps from behind.
func planUndo(r Record) action {
	for i, step := range slices.Backward(r.Steps) {
		if step.State != StepPending && step.State != StepUndone {
			return action{kind: actUndo, step: i}
		}
	}
	if slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State == StepUndone }) {
		return action{kind: actFinish, state: Compensated}
	}
	return action{kind: actFinish, state: Cancelled}
}

// undoing says whether the way leads back.
func undoing(r Record) bool {
	return r.Decision == TakeBack || slices.ContainsFunc(r.Steps, func(s Step) bool {
		return s.State == StepFailed || s.State == StepUndoing || s.State == StepUndone
	})
}

// resting is the state of a record until its time: of an attempt, or, where no step is under way, of its own.
func resting(r Record) State {
	switch {
	case r.State == Stuck && !r.Troubled.IsZero(): // and not for want of a definition, which there is now
		return Stuck
	case undoing(r):
		return Compensating
	case slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State == StepRunning }):
		return Running
	}
	return Waiting
}

// begun says whether any step was ever begun.
func begun(r Record) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State != StepPending })
}

// final says whether a step is the point of no return or lies behind it.
func final(d Definition, i int) bool {
	return slices.ContainsFunc(d.Steps[:i+1], func(s StepDefinition) bool { return s.Final })
}

// decides says whether with a step the work can no longer be taken back: it is final, or of a job nothing behind it waits.
func decides(d Definition, i int) bool {
	return final(d, i) || d.Kind == Job && !slices.ContainsFunc(d.Steps[i+1:], func(s StepDefinition) bool { return s.Wait != nil })
}

// revocable says whether work can be taken back as it stands: a saga until its final step begins, a job before its first step and
// where it waits for its time.
func revocable(r Record) bool {
	return !r.State.Ended() && r.Decision == Undecided && !undoing(r) && (r.Kind == Saga || !begun(r) || r.State == Waiting)
}

// matches says whether the steps of a record are those of a definition.
func matches(r Record, d Definition) bool {
	return slices.EqualFunc(r.Steps, d.Steps, func(s Step, of StepDefinition) bool { return s.Name == of.Name })
}

// delay is how long to rest after the attempt-th failure, before scaling. random is in [0, 1).
func (p Retry) delay(attempt int, random float64) time.Duration {
	rest := p.First
	for range attempt - 1 {
		if rest >= p.Most {
			break
		}
		rest *= 2
	}
	return time.Duration(float64(min(rest, p.Most)) * (0.8 + 0.4*random))
}

func (e *Engine) nextTry(d Definition, attempt int, now time.Time) time.Time {
	return now.Add(e.scaled(d.Retry.delay(attempt, rand.Float64())))
}
