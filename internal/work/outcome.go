package work

import (
	"encoding/json"
	"time"
)

// The changes below are what attempts do to records. Each leaves a record from which plan goes on.

// beginDo counts an attempt of a step before it is made.
func beginDo(r *Record, d Definition, i int, now time.Time) {
	step := &r.Steps[i]
	step.State, step.At, r.RunAt, r.UpdatedAt = StepRunning, now, time.Time{}, now
	step.Attempts++
	if decides(d, i) {
		r.Decision = Proceed
	}
	if r.State != Stuck || r.Troubled.IsZero() {
		r.State = Running
	}
}

func beginUndo(r *Record, i int, now time.Time) {
	step := &r.Steps[i]
	step.State, step.At, r.RunAt, r.UpdatedAt = StepUndoing, now, time.Time{}, now
	step.Undos++
	if r.State != Stuck || r.Troubled.IsZero() {
		r.State = Compensating
	}
}

// did writes down that a step succeeded; the last one completes the work.
func did(r *Record, i int, output json.RawMessage, now time.Time) {
	calm(r, Running, now)
	r.Steps[i].State, r.Steps[i].At = StepDone, now
	if output != nil {
		r.Output = output
	}
	if i == len(r.Steps)-1 {
		finish(r, Completed, now)
	}
}

func undid(r *Record, i int, now time.Time) {
	calm(r, Compensating, now)
	r.Steps[i].State, r.Steps[i].At = StepUndone, now
	if next := planUndo(*r); next.kind == actFinish {
		finish(r, next.state, now)
	}
}

// calm ends the trouble.
func calm(r *Record, state State, now time.Time) {
	r.State, r.Troubled, r.RunAt, r.UpdatedAt = state, time.Time{}, time.Time{}, now
}

func finish(r *Record, state State, now time.Time) {
	r.State, r.EndedAt, r.UpdatedAt, r.RunAt, r.Troubled = state, now, now, time.Time{}, time.Time{}
}

// failed writes down that an attempt failed. What has to succeed is tried again without end; of the rest, the last attempt ends a job
// and turns a saga around.
func (e *Engine) failed(r *Record, d Definition, a action, f *Failure, last bool, now time.Time) {
	step := &r.Steps[a.step]
	r.Failure, step.Failure, step.At, r.UpdatedAt = f, f, now, now
	switch {
	case a.kind == actUndo:
		e.troubled(r, now)
		r.RunAt = e.nextTry(d, step.Undos, now)
	case final(d, a.step):
		e.troubled(r, now)
		r.RunAt = e.nextTry(d, step.Attempts, now)
	case last && r.Kind == Saga:
		step.State, r.State = StepFailed, Compensating
	case last:
		step.State = StepFailed
		finish(r, Failed, now)
	default:
		r.RunAt = e.nextTry(d, step.Attempts, now)
	}
}

func (e *Engine) troubled(r *Record, now time.Time) {
	if r.Troubled.IsZero() {
		r.Troubled = now
	}
	if now.Sub(r.Troubled) >= e.scaled(troubleLimit) {
		r.State = Stuck
	}
}
