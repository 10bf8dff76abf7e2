package operation

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"tributary/internal/engine"
)

// Planned runs operations on the breadth-first engine. What the engine does not take on runs on Stock: operations that are traced field by
// field.
type Planned struct {
	Tables *engine.Tables
	Stock  *Gqlgen
	Delay  time.Duration // how long loaders wait for keys of fields that wait for something else
}

// Execute runs one operation to its end.
func (p *Planned) Execute(ctx context.Context, op *Prepared, denied Denied) *Result {
	if p.Stock.traces(ctx) {
		return p.Stock.Execute(ctx, op, denied)
	}
	plans := op.Memo(p.Tables, func() any { return engine.NewPlans(p.Tables, op.Operation) }).(*engine.Plans)
	how := engine.Run{Vars: op.Variables, Delay: p.Delay, Renew: p.Stock.Scope}
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
		return &Result{Data: data, Errors: graphql.GetErrors(ctx), Extensions: graphql.GetExtensions(ctx)}
	})
}

// traces says whether something wants to stand around the fields of this operation.
func (g *Gqlgen) traces(ctx context.Context) bool { return g.Around != nil && g.Around(ctx) != nil }
