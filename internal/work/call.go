package work

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// progressRest is how long progress rests between two writes, in production.
const progressRest = 500 * time.Millisecond

// Call is what a step gets. It is for the goroutine of the step alone.
type Call struct {
	Record Record // as it stood when the attempt began
	Key    string // idempotency key of this step, the same in every attempt, also after a retry by hand
	Fence  string // of an Undo: the key of what it takes back; else empty
	run    *run
	action action
	output json.RawMessage
	told   time.Time // when progress was written last
}

// Progress shows how far the step is: done of total units of its own; a total of 0 is not known. It is written and announced at most
// twice a second, and when all is done. It is for the eye: when it cannot be written, this is logged and the step goes on.
func (c *Call) Progress(ctx context.Context, done, total int64) {
	now := c.run.now()
	if now.Sub(c.told) < c.run.scaled(progressRest) && (total == 0 || done < total) {
		return
	}
	c.told = now
	_, err := c.run.store.Update(ctx, c.Record.ID, func(r *Record) error {
		if !sameAttempt(*r, c.Record, c.action.step) {
			return errLost
		}
		r.Done, r.Total, r.UpdatedAt = done, total, now
		return nil
	})
	if err == nil {
		err = c.run.announce(ctx, c.Record.ID)
	}
	if err != nil && ctx.Err() == nil {
		c.run.logger.LogAttrs(ctx, slog.LevelWarn, "progress of work cannot be told", slog.String("work", c.Record.ID), slog.Any("error", err))
	}
}

// SetOutput sets what the work gives, kept when the step succeeds. ErrTooLarge beyond MaxPayload.
func (c *Call) SetOutput(v any) error {
	output, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("work: output: %w", err)
	}
	if len(output) > MaxPayload {
		return ErrTooLarge
	}
	c.output = output
	return nil
}
