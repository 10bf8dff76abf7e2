package operation

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"tributary/internal/engine"
)

// Planned runs operations on the breadth-first engine, in the scope and with the contexts of Stock. What Stock puts around fields is put
// around calls of resolvers, one for all parents where a resolver takes many.
type Planned struct {
	Tables *engine.Tables
	Stock  *Gqlgen
	Delay  time.Duration // how long loaders wait for keys of fields that wait for something else
	// Fork gives fields that begin before their object is there a context of their own, see engine.Run.
	Fork func(ctx context.Context, obj any) (own context.Context, adopt func(context.Context))
}

// Execute runs one operation to its end.
func (p *Planned) Execute(ctx context.Context, op *Prepared, denied Denied) *Result {
	plans := op.Memo(p.Tables, func() any { return engine.NewPlans(p.Tables, op.Operation) }).(*engine.Plans)
	whole := &Result{Finished: true}
	how := engine.Run{Vars: op.Variables, Delay: p.Delay, Renew: p.Stock.Scope, Fork: p.Fork, Around: p.Stock.middleware(ctx), Counts: &whole.Counts}
	if len(denied) > 0 {
		how.Denied = denied.Reason
	}
	ctx = p.Stock.enter(ctx, op, denied)
	return p.Stock.guarded(ctx, func(ctx context.Context) *Result {
		plan, err := plans.For(op.Variables)
		if err != nil {
			return p.Stock.failed(ctx, err)
		}
		data := plan.Execute(ctx, how)
		if data == nil && ctx.Err() != nil {
			return p.Stock.failed(ctx, context.Cause(ctx))
		}
		if data == nil {
			return &Result{Outcome: Skipped, Errors: graphql.GetErrors(ctx)}
		}
		whole.Data, whole.Errors, whole.Extensions = data, graphql.GetErrors(ctx), graphql.GetExtensions(ctx)
		return whole
	})
}
