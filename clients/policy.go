package clients

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/fallback"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// callState is what the policies, which all calls share, know of one call. It travels in the context.
type callState struct {
	req      *request
	caller   context.Context           // whose end is no fault of the service
	use      func(answer) (any, error) // decodes a 2xx answer
	fallback func(*Error) any          // what to answer in an outage; nil: the error
	end      time.Time                 // of the budget for the whole call
	applied  atomic.Bool               // an attempt of this write may have been done
	wait     atomic.Int64              // nanoseconds between the last failed attempt and the next
}

type callStateKey struct{}

func callStateOf(ctx context.Context) *callState { return ctx.Value(callStateKey{}).(*callState) }

// newPolicies composes, from the outside in: stale answers, retries, the breaker, the bulkhead and hedging. Time limits are
// none of failsafe's: an attempt has a deadline on its connection, which needs no timer, no goroutine and no context of its
// own, and the budget of the whole call bounds the deadlines of all its attempts and the waits between them. The breaker is
// the service's, whatever the rest is set to.
func newPolicies(s *service, cfg ServiceConfig) failsafe.Executor[any] {
	outage := func(_ any, err error) bool { return isOutage(err) }
	retry := retrypolicy.NewBuilder[any]().
		HandleIf(outage).
		AbortOnErrors(circuitbreaker.ErrOpen, bulkhead.ErrFull).
		AbortIf(func(_ any, err error) bool {
			e, ok := errors.AsType[*Error](err)
			return ok && e.abandoned
		}).
		WithMaxRetries(cfg.Retries).
		WithDelayFunc(s.retryDelay).
		OnRetry(func(failsafe.ExecutionEvent[any]) { s.observe.retry(s.name) }).
		ReturnLastFailure()
	policies := []failsafe.Policy[any]{
		fallback.NewBuilderWithFunc(s.fall).HandleIf(outage).Build(),
		retry.Build(),
		s.breaker,
		bulkhead.NewBuilder[any](uint(cfg.Concurrency)).WithMaxWaitTime(cfg.QueueWait).Build(),
	}
	if !cfg.Hedge.Off {
		policies = append(policies, hedgepolicy.NewBuilderWithDelayFunc(s.hedgeDelay).
			OnHedge(func(failsafe.ExecutionEvent[any]) { s.observe.hedge(s.name) }).Build())
	}
	return failsafe.With(policies...)
}

// forBulk is the setting for a write to everything of a user.
func (c ServiceConfig) forBulk() ServiceConfig {
	c.Timeout, c.Budget = c.Bulk, c.Bulk
	return c
}

// waits says how long one attempt of a request may take, and how long all of them.
func (s *service) waits(r *request) (attempt, all time.Duration) {
	if r.bulk {
		return s.cfg.Bulk, s.cfg.Bulk
	}
	return s.cfg.Timeout, s.cfg.Budget
}

// isOutage is the one predicate by which retry, breaker and fallback tell an outage from an answer. A 404 or 422 is an
// answer; so is, to them, a caller's own cancellation.
func isOutage(err error) bool {
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind == KindUnavailable
	}
	return errors.Is(err, circuitbreaker.ErrOpen) || errors.Is(err, bulkhead.ErrFull)
}

// call sends a request under the service's policies. use decodes a 2xx answer and must not keep its body; fallback, if
// there is one, says what to answer in an outage. The error is an *Error or the caller's own context error.
func call[T any](ctx context.Context, s *service, r *request, use func(answer) (T, error), instead func(*Error) T) (T, error) {
	_, budget := s.waits(r)
	c := &callState{req: r, caller: ctx, use: func(a answer) (any, error) { return use(a) }, end: time.Now().Add(budget)}
	if instead != nil {
		c.fallback = func(e *Error) any { return instead(e) }
	}
	policies := s.policies
	if r.bulk {
		policies = s.patient
	}
	value, err := policies.WithContext(context.WithValue(ctx, callStateKey{}, c)).GetWithExecution(
		func(exec failsafe.Execution[any]) (any, error) { return s.attempt(exec, c) })
	if err == nil {
		return value.(T), nil
	}
	var none T
	return none, s.settle(c, err)
}

// attempt makes one exchange and reports it.
func (s *service) attempt(exec failsafe.Execution[any], c *callState) (value any, err error) {
	if !s.gate.enter() {
		return nil, s.closed()
	}
	defer s.gate.leave()
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	ctx, start := exec.Context(), time.Now()
	done := Call{Service: s.name, Method: c.req.method, Endpoint: c.req.endpoint, Target: c.req.target,
		Keys: c.req.keys, Attempt: exec.Attempts(), Start: start}
	defer func() {
		if r := recover(); r != nil {
			value, err = nil, &Error{Kind: KindInternal, Service: s.name, err: fmt.Errorf("panic: %v", r)}
		}
		done.Duration, done.Err = time.Since(start), err
		s.report(ctx, c, done)
	}()
	x, err := s.exchange(ctx, s.deadline(c, start), c.req, c.use)
	done.Status, done.Bytes = x.status, x.size
	e, ok := errors.AsType[*Error](err)
	mayBeDone := !ok && x.sent // done, though its caller may have left, or cut off by its context
	if ok && e.Kind == KindUnavailable {
		wait := s.pauseBefore(exec.Retries(), e)
		c.wait.Store(int64(wait))
		e.abandoned = e.abandoned || wait >= timeLeft(ctx, c)
		e.applied = e.applied || (x.sent && x.status/100 <= 2)
		mayBeDone = e.applied
	}
	if mayBeDone && c.req.key != "" {
		c.applied.Store(true)
	}
	return x.value, err
}

// deadline is when an attempt that starts now has to be over.
func (s *service) deadline(c *callState, start time.Time) time.Time {
	attempt, _ := s.waits(c.req)
	if end := start.Add(attempt); end.Before(c.end) {
		return end
	}
	return c.end
}

// timeLeft is how long a call may still take; below 0 when its budget is spent.
func timeLeft(ctx context.Context, c *callState) time.Duration {
	left := time.Until(c.end)
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	return left
}

// report tells the observer and the recorder about an attempt, and the hedge about the time a read took.
func (s *service) report(ctx context.Context, c *callState, done Call) {
	outcome := "ok"
	e, _ := errors.AsType[*Error](done.Err)
	switch {
	case done.Err == nil:
		if c.req.key == "" {
			s.latency.add(done.Duration)
		}
	case e != nil && e.Outage != nil && e.Outage.Reason == Timeout:
		outcome = "timeout"
	case isOutage(done.Err):
		outcome = "outage"
	case ctx.Err() != nil:
		outcome = "cancelled"
	default:
		outcome = "rejected"
	}
	s.observe.attempt(s.name, done.Method, done.Endpoint, outcome, done.Duration)
	if record := recorderOf(ctx); record != nil {
		record(done)
	}
}

// fall answers an outage with what the call has in reserve.
func (s *service) fall(exec failsafe.Execution[any]) (any, error) {
	c := callStateOf(exec.Context())
	if c.fallback == nil {
		return nil, exec.LastError()
	}
	return c.fallback(s.asError(exec.LastError())), nil
}

// asError makes an *Error of any outage.
func (s *service) asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, circuitbreaker.ErrOpen):
		e := unavailable(s.name, CircuitOpen, err)
		e.Outage.RetryAfter, e.Outage.Unasked = s.breaker.snapshot().RetryAfter, true
		return e
	case errors.Is(err, bulkhead.ErrFull):
		e := unavailable(s.name, Unavailable, err)
		e.Outage.Unasked = true
		return e
	}
	return &Error{Kind: KindInternal, Service: s.name, err: err}
}

// settle makes what the policies failed with what the caller gets.
func (s *service) settle(c *callState, err error) error {
	if own := c.caller.Err(); own != nil && !isOutage(err) {
		if _, ok := errors.AsType[*Error](err); !ok {
			if !c.applied.Load() {
				return own
			}
			err = unavailable(s.name, Timeout, own)
		}
	}
	e := s.asError(err)
	if e.Kind == KindUnavailable && c.applied.Load() {
		unknown := *e // attempts may be shared with other readers, so a copy
		unknown.Kind = KindUnknownOutcome
		return &unknown
	}
	return e
}

// pauseBefore is the wait before the next attempt: what Retry-After says, or an exponential backoff with jitter of half either way.
func (s *service) pauseBefore(retries int, e *Error) time.Duration {
	if e.Outage.RetryAfter > 0 {
		return e.Outage.RetryAfter
	}
	base := s.cfg.Backoff << min(retries, 10)
	return base/2 + time.Duration(rand.Int64N(int64(base)+1))
}

// retryDelay is the wait that the failed attempt has worked out. It is shorter than what is left of the budget.
func (s *service) retryDelay(exec failsafe.ExecutionAttempt[any]) time.Duration {
	return time.Duration(callStateOf(exec.Context()).wait.Load())
}

// hedgeDelay is how long a read may take before it is sent again; -1: it is not.
func (s *service) hedgeDelay(exec failsafe.ExecutionAttempt[any]) time.Duration {
	if callStateOf(exec.Context()).req.key != "" || !s.breaker.isClosed() || s.busy != nil && s.busy() {
		return -1
	}
	p95 := s.latency.p95()
	if p95 == 0 {
		return -1
	}
	return max(p95, s.cfg.Hedge.Floor)
}
