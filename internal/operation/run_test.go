package operation_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/operation"
)

// executorFunc is an executor made of a function.
type executorFunc func(context.Context, *operation.Prepared, operation.Denied) *operation.Result

func (f executorFunc) Execute(ctx context.Context, op *operation.Prepared, denied operation.Denied) *operation.Result {
	return f(ctx, op, denied)
}

func TestTheTimeoutEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		prepared := newStage(t, &root{}).prepare(t, "{ __typename }", nil)
		p := operation.Pipeline{
			Timeout: 10 * time.Second,
			Enter:   func(ctx context.Context, _ operation.Call) context.Context { return ctx },
			Observe: func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {},
			Executor: executorFunc(func(ctx context.Context, _ *operation.Prepared, _ operation.Denied) *operation.Result {
				<-ctx.Done()
				cause = ctx.Err()
				return &operation.Result{Data: []byte("null")}
			}),
		}
		start := time.Now()
		if result := p.Run(t.Context(), prepared, operation.Call{}); string(result.Data) != "null" {
			t.Errorf("result %+v", result)
		}
		if took := time.Since(start); took != 10*time.Second || !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("the work ended after %v with %v", took, cause)
		}

		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		start = time.Now()
		p.Run(ctx, prepared, operation.Call{})
		if took := time.Since(start); took != time.Second || !errors.Is(cause, context.Canceled) {
			t.Errorf("the work of a caller who left ended after %v with %v", took, cause)
		}
	})
}

// TestATimeoutIsAnsweredWithWhatThereIs has one field of the real graph wait for longer than the operation may take.
func TestATimeoutIsAnsweredWithWhatThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, &root{user: func(ctx context.Context, id clients.GlobalID) (*clients.User, error) {
			if id.ID == "slow" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return named(ctx, id)
		}})
		prepared := s.prepare(t, `{ a: user(id: "user_1") { id } b: user(id: "user_slow") { id } }`, nil)
		result := s.Run(t.Context(), prepared, operation.Call{})
		wantResult(t, result, `{"a":{"id":"user_1"},"b":null}`, "b: TIMEOUT")
	})
}

func TestRunTellsWhoCallsAndWhatCameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		call := operation.Call{Viewer: auth.Viewer{UserID: "7"}, RequestID: "r", IdempotencyKey: "i"}
		want, prepared := &operation.Result{Data: []byte(`{"__typename":"Query"}`)}, newStage(t, &root{}).prepare(t, "{ __typename }", nil)
		observed := 0
		var kept context.Context
		p := operation.Pipeline{
			Timeout: time.Minute,
			Enter: func(ctx context.Context, c operation.Call) context.Context {
				if c.Viewer.UserID != "7" || c.RequestID != "r" || c.IdempotencyKey != "i" || auth.FromContext(ctx).UserID != "7" {
					t.Errorf("entered with %+v as %+v", c, auth.FromContext(ctx))
				}
				return context.WithValue(ctx, key{}, "entered")
			},
			Executor: executorFunc(func(ctx context.Context, op *operation.Prepared, _ operation.Denied) *operation.Result {
				if op != prepared || ctx.Value(key{}) != "entered" || auth.FromContext(ctx).UserID != "7" {
					t.Error("the executor was not given the operation in the context that was entered")
				}
				kept = ctx
				time.Sleep(3 * time.Second)
				return want
			}),
			Observe: func(ctx context.Context, op *operation.Prepared, r *operation.Result, took time.Duration) {
				if observed++; op != prepared || r != want || took != 3*time.Second || ctx.Err() != nil {
					t.Errorf("observed %v, %v after %v", op, r, took)
				}
			},
		}
		if got := p.Run(t.Context(), prepared, call); got != want || observed != 1 {
			t.Errorf("got %v, observed %d times", got, observed)
		}
		if kept.Err() == nil {
			t.Error("the context of the operation outlives it")
		}
	})
}
