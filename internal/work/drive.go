package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/core"
)

// The names that the library keeps in histories. What goes under them must stay able to go on with histories of former versions.
const (
	workflowName = "work.v1"
	activityName = "attempt.v1"
	wakeSignal   = "wake"
)

// instanceID is the id of the instance that drives a record: another one for each retry by hand, since a late signal for an instance
// that has ended would make Redis forget which one of the same id is active.
func instanceID(r Record) string {
	if r.Attempts <= 1 {
		return r.ID
	}
	return fmt.Sprintf("%s.%d", r.ID, r.Attempts)
}

// launch makes the instance that drives a record, if there is none. When it fails or the engine does not run, the sweeper does it later.
func (e *Engine) launch(ctx context.Context, r Record) {
	if c := e.client.Load(); c != nil {
		e.missed(ctx, "work waits to be taken up", r, e.create(ctx, c, r))
	}
}

func (e *Engine) create(ctx context.Context, c *client.Client, r Record) error {
	_, err := c.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: instanceID(r), Queue: core.QueueDefault}, workflowName, r.ID)
	if errors.Is(err, backend.ErrInstanceAlreadyExists) {
		return nil
	}
	return err
}

// wake has a record looked at before its time.
func (e *Engine) wake(ctx context.Context, r Record) {
	c := e.client.Load()
	if c == nil {
		return
	}
	err := c.SignalWorkflow(ctx, instanceID(r), wakeSignal, true)
	if errors.Is(err, backend.ErrInstanceNotFound) {
		err = e.create(ctx, c, r)
	}
	e.missed(ctx, "work waits to be taken back", r, err)
}

// missed logs what the sweeper will do again.
func (e *Engine) missed(ctx context.Context, what string, r Record, err error) {
	if err != nil && ctx.Err() == nil {
		e.logger.LogAttrs(ctx, slog.LevelWarn, what, slog.String("work", r.ID), slog.Any("error", err))
	}
}
