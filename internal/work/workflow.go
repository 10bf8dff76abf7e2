package work

import (
	"time"

	"github.com/cschleiden/go-workflows/workflow"
)

// attemptsPerHistory bounds the history of an instance, which is replayed when another process takes it over.
const attemptsPerHistory = 200

// next is what an attempt tells the workflow.
type next struct {
	End     bool          `json:"end,omitempty"`
	Waiting bool          `json:"waiting,omitempty"` // it may be woken, to be taken back
	Rest    time.Duration `json:"rest,omitempty"`
}

// workflow drives one record of any definition. It knows nothing but what the attempts tell: all state is in the record, so that
// histories hold ids alone, and definitions may change without regard to them.
func (e *Engine) workflow(ctx workflow.Context, id string) error {
	wake := workflow.NewSignalChannel[bool](ctx, wakeSignal)
	options := workflow.ActivityOptions{RetryOptions: workflow.RetryOptions{MaxAttempts: 1}}
	troubles := 0
	for n := 1; ; n++ {
		told, err := workflow.ExecuteActivity[next](ctx, options, activityName, id).Get(ctx)
		if err != nil { // it could not be read, written or announced
			told = next{Rest: e.scaled(time.Second << min(troubles, 5))}
			troubles++
		} else {
			troubles = 0
		}
		if told.End {
			return nil
		}
		if told.Rest > 0 {
			rest(ctx, wake, told.Rest)
		}
		// Not while it may be woken, which lasts for a bounded number of attempts: a signal that came together with it would wake the
		// former instance to a life of its own.
		if n >= e.attemptsPerHistory && !told.Waiting {
			return workflow.ContinueAsNew(ctx, id)
		}
	}
}

// rest ends with the time or a signal.
func rest(ctx workflow.Context, wake workflow.Channel[bool], d time.Duration) {
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	workflow.Select(ctx,
		workflow.Await(workflow.ScheduleTimer(timerCtx, d), func(workflow.Context, workflow.Future[any]) {}),
		workflow.Receive(wake, func(workflow.Context, bool, bool) {}),
	)
}
