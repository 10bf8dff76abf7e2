package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/diag"
	"github.com/cschleiden/go-workflows/registry"
	"github.com/cschleiden/go-workflows/worker"
)

const (
	// filePoll is how often a file is asked for tasks, twice: idle, that costs 1 to 2 % of a core. Redis tells by itself.
	filePoll = 100 * time.Millisecond
	openRest = time.Second // between two attempts to reach Redis
)

// Run does the work until its context ends, and waits for the steps that are under way: their contexts end with it. It waits for
// Redis if that is not there; a file that cannot be opened is an error. It may run once at a time, and again.
func (e *Engine) Run(ctx context.Context) error {
	b, err := e.opened(ctx)
	if err != nil || b == nil {
		return err
	}
	guard := &guarded{b.Backend, e.logger}
	cache := newExecutors()
	w := e.worker(guard, cache)
	r := &run{Engine: e, ctx: ctx}
	if err := errors.Join(
		w.RegisterWorkflow(e.workflow, registry.WithName(workflowName)),
		w.RegisterActivity(r.attempt, registry.WithName(activityName)),
	); err != nil {
		return errors.Join(fmt.Errorf("work: %w", err), b.close())
	}
	if err := w.Start(ctx); err != nil { // the guarded backend gives it no reason to
		return errors.Join(fmt.Errorf("work: start: %w", err), b.close())
	}
	e.client.Store(client.New(guard))
	handler := locked(diag.NewServeMux(b.Backend))
	e.diagnostics.Store(&handler)
	r.sweep(b.clean)
	e.diagnostics.Store(nil)
	e.client.Store(nil)
	err = w.WaitForCompletion()
	cache.close()
	return errors.Join(err, b.close())
}

// opened opens the backend; nil if the context ended first.
func (e *Engine) opened(ctx context.Context) (*opened, error) {
	for {
		b, err := e.open(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, nil
		case err == nil || e.options.Redis == nil:
			return b, err
		}
		e.logger.LogAttrs(ctx, slog.LevelWarn, "work waits for Redis", slog.Any("error", err))
		if !pause(ctx, openRest) {
			return nil, nil
		}
	}
}

func (e *Engine) worker(b backend.Backend, cache *executors) *worker.Worker {
	beat := e.options.Lock * 3 / 10
	return worker.New(b, &worker.Options{
		WorkflowWorkerOptions: worker.WorkflowWorkerOptions{
			WorkflowPollers: 1, MaxParallelWorkflowTasks: e.options.Parallel, WorkflowHeartbeatInterval: beat,
			WorkflowPollingInterval: filePoll, WorkflowExecutorCache: cache,
		},
		ActivityWorkerOptions: worker.ActivityWorkerOptions{
			ActivityPollers: 1, MaxParallelActivityTasks: e.options.Parallel, ActivityHeartbeatInterval: beat,
			ActivityPollingInterval: filePoll,
		},
	})
}

// locked keeps a page of the library from reading the scripts while they are written.
func locked(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scripts.RLock()
		defer scripts.RUnlock()
		page.ServeHTTP(w, r)
	})
}

// pause waits; false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
