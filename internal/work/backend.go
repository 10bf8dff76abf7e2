package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/history"
	"github.com/cschleiden/go-workflows/core"
	"github.com/cschleiden/go-workflows/workflow"
)

// pollRest is how long polling rests after it failed.
const pollRest = time.Second

// scripts keeps the library's own package-level variables apart: opening a backend on Redis writes the scripts that all others read.
var scripts sync.RWMutex

// guarded is a backend of the library whose polling survives its failures: it would log each of many a second, end the process where
// Redis has lost the events of a task, and fail for good where Redis has lost the queues.
type guarded struct {
	backend.Backend
	logger *slog.Logger
}

// polled makes of a failure a rest in which there is no task.
func (b *guarded) polled(ctx context.Context, err error, prepare func(context.Context, []workflow.Queue) error, queues []workflow.Queue) error {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	b.logger.LogAttrs(ctx, slog.LevelWarn, "work cannot be polled", slog.Any("error", err))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollRest):
	}
	return prepare(ctx, queues)
}

// unprepared logs that queues are not there, which polling will find and repair.
func (b *guarded) unprepared(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		b.logger.LogAttrs(ctx, slog.LevelDebug, "the queues of work cannot be prepared", slog.Any("error", err))
	}
}

func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

func (b *guarded) GetWorkflowTask(ctx context.Context, queues []workflow.Queue) (*backend.WorkflowTask, error) {
	task, err := func() (_ *backend.WorkflowTask, err error) {
		scripts.RLock()
		defer scripts.RUnlock()
		defer caught(&err)
		return b.Backend.GetWorkflowTask(ctx, queues)
	}()
	if err != nil {
		return nil, b.polled(ctx, err, b.PrepareWorkflowQueues, queues)
	}
	return task, nil
}

func (b *guarded) GetActivityTask(ctx context.Context, queues []workflow.Queue) (*backend.ActivityTask, error) {
	task, err := func() (_ *backend.ActivityTask, err error) {
		scripts.RLock()
		defer scripts.RUnlock()
		defer caught(&err)
		return b.Backend.GetActivityTask(ctx, queues)
	}()
	if err != nil {
		return nil, b.polled(ctx, err, b.PrepareActivityQueues, queues)
	}
	return task, nil
}

// The rest only waits while another backend is opened.

func (b *guarded) CreateWorkflowInstance(ctx context.Context, instance *workflow.Instance, event *history.Event) error {
	scripts.RLock()
	defer scripts.RUnlock()
	return b.Backend.CreateWorkflowInstance(ctx, instance, event)
}

func (b *guarded) SignalWorkflow(ctx context.Context, instanceID string, event *history.Event) error {
	scripts.RLock()
	defer scripts.RUnlock()
	return b.Backend.SignalWorkflow(ctx, instanceID, event)
}

func (b *guarded) PrepareWorkflowQueues(ctx context.Context, queues []workflow.Queue) error {
	scripts.RLock()
	defer scripts.RUnlock()
	b.unprepared(ctx, b.Backend.PrepareWorkflowQueues(ctx, queues))
	return nil
}

func (b *guarded) PrepareActivityQueues(ctx context.Context, queues []workflow.Queue) error {
	scripts.RLock()
	defer scripts.RUnlock()
	b.unprepared(ctx, b.Backend.PrepareActivityQueues(ctx, queues))
	return nil
}

func (b *guarded) CompleteActivityTask(ctx context.Context, task *backend.ActivityTask, result *history.Event) error {
	scripts.RLock()
	defer scripts.RUnlock()
	return b.Backend.CompleteActivityTask(ctx, task, result)
}

func (b *guarded) CompleteWorkflowTask(ctx context.Context, task *backend.WorkflowTask, state core.WorkflowInstanceState,
	executed, activities, timers []*history.Event, others []*history.WorkflowEvent,
) error {
	scripts.RLock()
	defer scripts.RUnlock()
	return b.Backend.CompleteWorkflowTask(ctx, task, state, executed, activities, timers, others)
}
