// Package resolvers answers the fields of the graph: it loads through the operation's loaders, pages, and commands.
package resolvers

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/event"
	"tributary/internal/explain"
	"tributary/internal/usage"
	"tributary/internal/work"
	"tributary/internal/work/job"
	"tributary/internal/work/saga"
	"tributary/internal/work/webhook"
)

// Resolver is the root that gqlgen's generated code calls. It is safe for concurrent use and holds nothing of an
// operation; that stands in the context, put there by Scope.
type Resolver struct {
	Clients    *clients.Clients
	Keys       *auth.Keys         // the API keys
	Log        event.Log          // what happened; nil where there are no events
	Work       *work.Engine       // jobs and sagas; nil where there are none
	Accounts   *saga.Accounts     // the sagas about accounts; nil without Work
	Exports    *job.Links         // where exports are fetched; nil where there are none
	Webhooks   *webhook.Endpoints // nil without Work
	OpenSignUp bool               // whether anyone may create users
	Versions   Versions           // of the schema
	Uses       *usage.Table       // of deprecated elements; nil where nobody counts them
	LoaderWait time.Duration      // how long a loader gathers keys before it asks
	Logger     *slog.Logger

	SDL func(context.Context) string // the schema for composition in a federated graph, in the version that the operation of ctx is in
}

type scopeKey struct{}

// scope is what the fields of one response share.
type scope struct {
	*loaders // made for the first field that loads its scope: there are many, and not every operation needs one
	once     sync.Once
	how      loading // without clients nothing is loaded, or by the loaders that are there
	viewer   auth.Viewer
	report   *report
	open     openPosts
	outer    *scope         // the response's, when this is of fields that begin early
	below    clients.PostID // the provisional post that they stand below: who sees them sees it
}

// Scope gives a response its loaders. It is called once for each response, and again for each root field of a mutation,
// which then sees the writes of the fields before it; what is degraded is reported once for the whole response.
func (r *Resolver) Scope(ctx context.Context) context.Context {
	s := &scope{viewer: auth.FromContext(ctx), report: &report{}}
	if outer, ok := ctx.Value(scopeKey{}).(*scope); ok {
		s.report = outer.report
		ctx = withFieldKey(ctx)
	}
	s.how = loading{ctx, r.LoaderWait, r.Recover, r.Clients, explain.FromContext(ctx)}
	return context.WithValue(ctx, scopeKey{}, s)
}

// withFieldKey makes the caller's idempotency key one of this root field, so that two fields of one mutation do not collide.
func withFieldKey(ctx context.Context) context.Context {
	caller := clients.CallerFrom(ctx)
	if field := graphql.GetRootFieldContext(ctx); field != nil && caller.IdempotencyKey != "" {
		caller.IdempotencyKey += ":" + field.Field.Alias
	}
	return clients.WithCaller(ctx, caller)
}

func load(ctx context.Context) *scope {
	s := ctx.Value(scopeKey{}).(*scope)
	if s.how.clients != nil {
		s.once.Do(func() {
			s.loaders = new(loaders)
			s.setUp(&s.how, s.viewer)
		})
	}
	return s
}
