package clients

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/common"
)

// breaker puts failsafe's circuit breaker into the policies in a way of its own. failsafe knows only success and failure,
// and counts a cancelled call as one of them; a half-open breaker would be closed by it, or keep its only trial for ever.
// Here a call may also end without a verdict, which counts for nothing and gives its trial back. And a call that was let in
// under an earlier state has no say in a later one.
type breaker struct {
	svc *service

	mu    sync.Mutex // every use of cb, so that a state and the calls admitted under it belong together
	cb    circuitbreaker.CircuitBreaker[any]
	epoch uint64 // counts changes of state
	since time.Time
	mute  bool // a half-open state is being renewed, which is nobody's business
}

// verdict is what a call says about the health of its service.
type verdict int

const (
	noVerdict verdict = iota
	healthy
	failing
)

func newBreaker(s *service) *breaker {
	b := &breaker{svc: s, since: s.now()}
	cfg := s.cfg.Breaker
	b.cb = circuitbreaker.NewBuilder[any]().
		WithFailureRateThreshold(cfg.FailureRate, uint(cfg.MinCalls), cfg.Window).
		WithDelay(cfg.Delay).
		WithSuccessThreshold(1). // which also makes it one trial
		OnStateChanged(b.changed).
		Build()
	return b
}

// changed is called by cb, and therefore under mu.
func (b *breaker) changed(e circuitbreaker.StateChangedEvent) {
	b.epoch++
	if b.mute {
		return
	}
	b.since = b.svc.now()
	b.svc.observe.breaker(b.svc.name, e.OldState.String(), e.NewState.String())
	if b.svc.log != nil {
		b.svc.log.Warn("circuit breaker changed", "service", b.svc.name, "from", e.OldState.String(), "to", e.NewState.String())
	}
}

// ToExecutor makes it a policy of failsafe's.
func (b *breaker) ToExecutor(any) any { return breakerExecutor{b} }

type breakerExecutor struct{ b *breaker }

// Apply is all that failsafe asks of a policy's executor.
func (e breakerExecutor) Apply(inner func(failsafe.Execution[any]) *common.PolicyResult[any]) func(failsafe.Execution[any]) *common.PolicyResult[any] {
	return func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
		epoch, admitted := e.b.admit()
		if !admitted {
			return &common.PolicyResult[any]{Error: circuitbreaker.ErrOpen, Done: true}
		}
		result := inner(exec)
		e.b.record(epoch, judge(callStateOf(exec.Context()).caller, result.Error))
		return result
	}
}

// judge says what a result tells about the service. A caller that has left and a call that never got its turn tell nothing;
// a call that was cut off while its caller still waits has used up its budget.
func judge(caller context.Context, err error) verdict {
	e, ok := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, bulkhead.ErrFull), ok && e.Outage != nil && e.Outage.Unasked:
		return noVerdict
	case isOutage(err):
		return failing
	case err == nil:
		return healthy
	case caller.Err() != nil:
		return noVerdict
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failing
	}
	return healthy
}

func (b *breaker) admit() (epoch uint64, admitted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	admitted = b.cb.TryAcquirePermit()
	return b.epoch, admitted
}

func (b *breaker) record(epoch uint64, v verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case epoch != b.epoch:
	case v == healthy:
		b.cb.RecordSuccess()
	case v == failing:
		b.cb.RecordFailure()
	case b.cb.IsHalfOpen():
		// failsafe has no way to give a trial back but a new half-open state.
		b.mute = true
		b.cb.Open()
		b.cb.HalfOpen()
		b.mute = false
	}
}

func (b *breaker) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cb.IsClosed()
}

// snapshot fills the breaker's part of a State.
func (b *breaker) snapshot() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return State{
		Breaker: b.cb.State().String(), Since: b.since, RetryAfter: b.cb.RemainingDelay(),
		Calls: int(b.cb.Metrics().Executions()), Failures: int(b.cb.Metrics().Failures()),
	}
}
