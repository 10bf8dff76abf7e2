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

// takeBack turns work around. A step that is under way ends first, and is then undone with the others. Work that is on its way back
// already, or has come there after it was taken back, stays as it is.
func takeBack(r *Record, now time.Time) error {
	switch {
	case r.Decision == TakeBack, undoing(*r) && !r.State.Ended():
		return nil
	case !revocable(*r):
		return ErrTooLate
	}
	r.Decision, r.RunAt, r.UpdatedAt = TakeBack, time.Time{}, now
	return nil
}

// settle writes down how an attempt ended that had begun with a record: without a failure it succeeded. errLost if it is not the
// latest one any more.
func (e *Engine) settle(r *Record, began Record, d Definition, a action, failure error, output json.RawMessage, now time.Time) error {
	switch step := r.Steps[a.step]; {
	case !sameAttempt(*r, began, a.step):
		return errLost
	case failure != nil:
		last := step.Attempts >= d.Retry.Attempts || IsPermanent(failure)
		e.failed(r, d, a, failureOf(failure, now), last, now)
	case a.kind == actDo:
		did(r, a.step, output, now)
	default:
		undid(r, a.step, now)
	}
	return nil
}

// uncount takes an attempt back that was not made or not ended. errLost as with settle.
func uncount(r *Record, began Record, a action) error {
	if !sameAttempt(*r, began, a.step) {
		return errLost
	}
	if step := &r.Steps[a.step]; a.kind == actUndo {
		step.Undos--
	} else {
		step.Attempts--
	}
	return nil
}

// sameAttempt says whether an attempt is still the latest one of its step.
func sameAttempt(r, began Record, i int) bool {
	now, then := r.Steps[i], began.Steps[i]
	return r.Attempts == began.Attempts && now.State == then.State && now.Attempts == then.Attempts && now.Undos == then.Undos
}

// again lets a failed job go on at the step that failed.
func again(r *Record, now time.Time) error {
	if r.State != Failed {
		return ErrNotFailed
	}
	for i := range r.Steps {
		if step := &r.Steps[i]; step.State == StepFailed {
			step.State, step.Attempts = StepPending, 0
		}
	}
	r.State, r.EndedAt, r.RunAt, r.UpdatedAt = Pending, time.Time{}, time.Time{}, now
	r.Attempts++
	return nil
}

// did writes down that a step succeeded; the last one completes the work, unless it was taken back meanwhile.
func did(r *Record, i int, output json.RawMessage, now time.Time) {
	calm(r, Running, now)
	r.Steps[i].State, r.Steps[i].At = StepDone, now
	if output != nil {
		r.Output = output
	}
	switch {
	case r.Decision == TakeBack:
		r.State = Compensating
	case i == len(r.Steps)-1:
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
	if state == Completed {
		r.Decision = Proceed
	}
	r.State, r.EndedAt, r.UpdatedAt, r.RunAt, r.Troubled = state, now, now, time.Time{}, time.Time{}
}

// failed writes down that an attempt failed. What has to succeed is tried again without end; of the rest, the last attempt ends a job
// and turns a saga around; what was taken back meanwhile is not tried again.
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
	case last && r.Kind == Saga, r.Decision == TakeBack:
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
