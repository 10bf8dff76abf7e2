package operation

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
	"tributary/internal/limit"
)

// The codes of an operation that the pipeline does not run, and of an answer that it does not pass on.
const (
	CodeCostLimitExceeded = "COST_LIMIT_EXCEEDED"
	CodeThrottled         = "THROTTLED"
	CodeResponseTooLarge  = "RESPONSE_TOO_LARGE"
	CodeTooManyErrors     = "TOO_MANY_ERRORS"
	CodeNoIntrospection   = "INTROSPECTION_DISABLED"
)

// Pipeline prepares and runs operations. It is safe for concurrent use.
type Pipeline struct {
	*Preparer
	Executor         Executor
	Coalescing       *Coalescing                                              // lets queries share runs; nil: each runs by itself
	Streams          *Streams                                                 // what subscriptions run on; nil: there are none
	Limiter          *limit.Limiter                                           // who may spend how much; nil: everybody everything
	MaxCost          int64                                                    // of one operation, in points; 0: no bound
	Timeout          time.Duration                                            // of one operation
	MaxErrors        int                                                      // in one answer; 0: no bound
	MaxResponseBytes int                                                      // of the data of one answer; 0: no bound
	KeyEnded         func(ctx context.Context, keyID string) bool             // whether an API key is good no longer, as far as is known; nil: none ends
	Introspect       func(auth.Viewer) bool                                   // who may read the schema; nil: everybody
	Free             func(*gqlerror.Error) bool                               // whether a failed field cost nothing; nil: none did
	Recent           func(context.Context, []string)                          // told, before an operation runs, what the limiter says its caller has written of late; nil: nobody is
	Enter            func(context.Context, Call) context.Context              // puts what the resolvers need of the call into the context
	Observe          func(context.Context, *Prepared, *Result, time.Duration) // told of every operation, also of one that did not run
	Rejected         func(code string)                                        // told of every request that Prepare refuses; nil: nobody
	Deprecated       func(Call, *View, []string)                              // told what of a view is deprecated that an operation used which ran, by coordinate; nil: nobody
}

// Run runs a prepared operation, if its caller may and can pay for it. Its work ends when ctx does or the timeout has passed;
// the result is never nil.
func (p *Pipeline) Run(ctx context.Context, op *Prepared, call Call) *Result {
	bill := p.open(op, call)
	start := time.Now()
	result := p.forbid(op, call.Viewer)
	if result == nil && op.Deferred() {
		result = refuseDeferred(op)
	}
	if result == nil {
		result = bill.admit(ctx)
	}
	if result != nil {
		op.tell(result)
		p.Observe(ctx, op, result, time.Since(start))
		return result
	}
	run := execution{executor: p.Executor, op: op, denied: op.protected.denied(call.Viewer), deadline: time.Now().Add(p.Timeout), request: call.RequestID}
	key, shared := p.Coalescing.key(ctx, op, call.Viewer)
	ctx = limit.WithCharge(p.Enter(auth.WithViewer(ctx, call.Viewer), call), bill.charge())
	var late bool
	if shared {
		result, late = p.Coalescing.run(ctx, key, &run)
	} else {
		result, late = run.alone(ctx)
	}
	bill.settle(result, late || ctx.Err() != nil)
	p.bound(result)
	op.tell(result)
	p.noteDeprecated(op, call)
	p.Observe(ctx, op, result, time.Since(start))
	return result
}

// Subscribe is Streams.Subscribe.
func (p *Pipeline) Subscribe(ctx context.Context, op *Prepared, call Call, m Member) (*Subscription, *Result) {
	if op.Deferred() {
		return nil, refuseDeferred(op)
	}
	if p.Streams == nil {
		return nil, &Result{Outcome: Refused, Errors: gqlerror.List{refuse(CodeNotASubscription, "this server has no subscriptions")}}
	}
	sub, result := p.Streams.Subscribe(ctx, op, call, m)
	if result == nil {
		p.noteDeprecated(op, call)
	}
	return sub, result
}

// noteDeprecated tells Deprecated of an operation that ran, or of a subscription that began.
func (p *Pipeline) noteDeprecated(op *Prepared, call Call) {
	if p.Deprecated == nil {
		return
	}
	if used := op.Deprecations(); len(used) > 0 {
		p.Deprecated(call, op.View, used)
	}
}

// forbid refuses an operation that reads the schema to those who may not.
func (p *Pipeline) forbid(op *Prepared, viewer auth.Viewer) *Result {
	if !op.introspects || p.Introspect == nil || p.Introspect(viewer) {
		return nil
	}
	err := refuse(CodeNoIntrospection, "the schema cannot be read here by this caller: its SDL is part of the documentation")
	return &Result{Outcome: Refused, Errors: gqlerror.List{err}}
}

// bound cuts off what makes an answer too long to send.
func (p *Pipeline) bound(result *Result) {
	if p.MaxResponseBytes > 0 && len(result.Data) > p.MaxResponseBytes {
		result.Data = []byte("null")
		result.Errors = gqlerror.List{refuse(CodeResponseTooLarge, "the answer is larger than this server sends: ask for less at a time")}
	}
	if more := len(result.Errors) - p.MaxErrors; p.MaxErrors > 0 && more > 0 {
		last := refuse(CodeTooManyErrors, "further errors are left out")
		last.Extensions["omitted"] = more
		result.Errors = append(result.Errors[:p.MaxErrors:p.MaxErrors], last)
	}
}
