package operation

import (
	"cmp"
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Executor runs prepared operations. Fields that are denied are null and their reason is an error at their path. Execute never
// returns nil and is safe for concurrent use.
type Executor interface {
	Execute(ctx context.Context, op *Prepared, denied Denied) *Result
}

// Gqlgen runs operations on gqlgen's generated executor.
type Gqlgen struct {
	Schema  graphql.ExecutableSchema
	Scope   func(context.Context) context.Context // called for each response, and again for each root field of a mutation
	Present graphql.ErrorPresenterFunc
	Recover graphql.RecoverFunc
	Around  func(context.Context) graphql.FieldMiddleware // what to put around the fields of an operation; nil from it: nothing
}

// Execute runs one operation to its end.
func (g *Gqlgen) Execute(ctx context.Context, op *Prepared, denied Denied) *Result {
	ctx = g.enter(ctx, op, denied)
	return g.guarded(ctx, func(ctx context.Context) *Result {
		response := g.Schema.Exec(ctx)(ctx)
		if response == nil && op.Kind() == ast.Subscription && ctx.Err() == nil {
			return &Result{Outcome: Skipped, Errors: graphql.GetErrors(ctx)}
		}
		if response == nil {
			return g.failed(ctx, cmp.Or(context.Cause(ctx), errNoResponse))
		}
		return &Result{
			Data:       response.Data,
			Errors:     append(response.Errors, graphql.GetErrors(ctx)...),
			Extensions: graphql.GetExtensions(ctx),
		}
	})
}

// enter gives an operation gqlgen's contexts and the response's own scope.
func (g *Gqlgen) enter(ctx context.Context, op *Prepared, denied Denied) context.Context {
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{
		RawQuery:               op.Query,
		Variables:              op.Variables,
		OperationName:          op.Operation.Name,
		Doc:                    op.Document,
		Operation:              op.Operation,
		RecoverFunc:            g.Recover,
		ResolverMiddleware:     denied.around(g.around(ctx)),
		RootResolverMiddleware: g.rootField(op),
	})
	return graphql.WithResponseContext(ctx, g.Present, g.Recover)
}

// guarded runs an operation in its scope and answers for what panics outside of a resolver, such as a marshaler.
func (g *Gqlgen) guarded(ctx context.Context, run func(context.Context) *Result) (result *Result) {
	defer func() {
		if value := recover(); value != nil {
			result = g.failed(ctx, g.Recover(ctx, value))
		}
	}()
	return run(g.Scope(ctx))
}

// errNoResponse stands for an executor that ends without an answer although nobody stopped it.
var errNoResponse = errors.New("the executor gave no response")

// failed is the answer that came to nothing, with the errors that fields had met before.
func (g *Gqlgen) failed(ctx context.Context, err error) *Result {
	return &Result{
		Data:       []byte("null"),
		Errors:     append(graphql.GetErrors(ctx), g.Present(ctx, err)),
		Extensions: graphql.GetExtensions(ctx),
	}
}

// middleware is what stands around the fields of an operation; nil for nothing.
func (g *Gqlgen) middleware(ctx context.Context) (around graphql.FieldMiddleware) {
	if g.Around != nil {
		around = g.Around(ctx)
	}
	return recordingFrom(ctx).around(around)
}

func (g *Gqlgen) around(ctx context.Context) graphql.FieldMiddleware {
	if middleware := g.middleware(ctx); middleware != nil {
		return middleware
	}
	return func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) }
}

// around puts the check in front of what stands around a field. Where nothing is denied nothing is checked.
func (d Denied) around(inner graphql.FieldMiddleware) graphql.FieldMiddleware {
	if len(d) == 0 {
		return inner
	}
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		field := graphql.GetFieldContext(ctx)
		if reason := d.Reason(field.Object, field.Field.Name); reason != nil {
			return nil, reason
		}
		return inner(ctx, next)
	}
}

// rootField opens a new scope for each root field of a mutation: what one wrote, the next must not have loaded before.
func (g *Gqlgen) rootField(op *Prepared) graphql.RootFieldMiddleware {
	return func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		if op.Kind() == ast.Mutation {
			ctx = g.Scope(ctx)
		}
		return next(ctx)
	}
}
