package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/config"
	"tributary/internal/event"
	"tributary/internal/explain"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
	"tributary/resolvers"
)

// gateway is what it takes to run operations, whoever asks for them.
type gateway struct {
	resolver *resolvers.Resolver
	clients  *clients.Clients
	pipeline *operation.Pipeline
	views    *operation.Views
	view     *operation.View // of those who name no version
}

// newGateway wires the way of an operation from the pipeline down to the services. The caller closes its clients.
func newGateway(cfg *config.Gateway, urls map[string]string, access *access, events event.Log, metrics *telemetry.Metrics, demo bool, log *slog.Logger) (*gateway, error) {
	written := &written{store: access.shared, lost: metrics.WritesLost, log: log}
	set := clientConfig(cfg, urls, metrics, log)
	if access.shared != nil {
		set.OnWrite = written.remember
	}
	services, err := clients.New(set)
	if err != nil {
		return nil, err
	}
	written.apply = services.ApplyOnce
	metrics.Watch(config.Services()...)
	preparer, err := operation.NewPreparer(cfg.DocumentCacheSize, bounds(&cfg.Max))
	if err != nil {
		return nil, err
	}
	weights, err := cfg.Weights()
	if err != nil {
		return nil, err
	}
	resolver := &resolvers.Resolver{Clients: services, Keys: access.keys, Log: events, OpenSignUp: demo, LoaderWait: cfg.LoaderWait, Logger: log}
	views, err := schemaViews(&cfg.Versions, weights)
	if err != nil {
		return nil, err
	}
	resolver.SDL = subgraphs(views)
	resolver.Versions, resolver.Uses = versionsOf(views), access.uses
	return &gateway{
		resolver: resolver,
		clients:  services,
		views:    views,
		view:     views.Standard(),
		pipeline: &operation.Pipeline{
			Preparer:         preparer,
			Executor:         executor(cfg, resolver, views),
			Coalescing:       coalescing(cfg, services, metrics),
			Limiter:          access.limiter,
			MaxCost:          cfg.Max.Cost,
			Timeout:          cfg.OperationTimeout,
			MaxErrors:        cfg.Max.Errors,
			MaxResponseBytes: cfg.Max.ResponseBytes,
			KeyEnded:         access.keyEnded,
			Introspect:       access.introspect,
			Free:             resolvers.Free,
			Recent:           written.recent,
			Enter:            enter,
			Observe:          observe(metrics),
			Rejected:         metrics.Rejected,
			Deprecated:       countDeprecated(access.uses, metrics),
		},
	}, nil
}

// schemaViews are the versions of the schema.
func schemaViews(c *config.Versions, weights map[string]float64) (*operation.Views, error) {
	ends, err := c.Ends()
	if err != nil {
		return nil, fmt.Errorf("--version-sunset: %w", err)
	}
	whole := graph.NewExecutableSchema(graph.Config{Resolvers: &resolvers.Resolver{}}).Schema()
	return operation.NewViews(whole, operation.ViewsConfig{Weights: weights, Default: c.Default, Sunsets: ends, Now: time.Now})
}

// executor is what runs operations, in each version.
func executor(cfg *config.Gateway, resolver *resolvers.Resolver, views *operation.Views) operation.Executor {
	byView := operation.ByView{}
	for _, view := range views.All() {
		byView[view.Name] = executorOf(cfg, resolver, view)
	}
	return byView
}

// executorOf is what runs operations in one version: the engine, or gqlgen's executor.
func executorOf(cfg *config.Gateway, resolver *resolvers.Resolver, view *operation.View) operation.Executor {
	set := graph.Config{Resolvers: resolver, Schema: view.Schema}
	stock := &operation.Gqlgen{
		Schema: graph.NewExecutableSchema(set),
		Scope:  resolver.Scope, Present: resolver.Present, Recover: resolver.Recover,
		Around: traced,
	}
	if cfg.Executor == "gqlgen" {
		return stock
	}
	tables := graph.NewTables(set)
	resolvers.Early(tables)
	tables.Hide(view.Version.Lacks...)
	return &operation.Planned{Tables: tables, Stock: stock, Delay: cfg.LoaderWait, Fork: resolver.Fork}
}

// coalescing lets overlapping queries share runs; nil where they are not to.
func coalescing(cfg *config.Gateway, services *clients.Clients, metrics *telemetry.Metrics) *operation.Coalescing {
	if !cfg.Coalesce {
		return nil
	}
	return &operation.Coalescing{
		Version: services.Changes,
		Shares:  resolvers.Shared,
		Alone:   func(ctx context.Context) bool { return explain.FromContext(ctx) != nil },
		Joined:  metrics.Shared,
	}
}

// bounds are those of the configuration.
func bounds(c *config.Bounds) operation.Bounds {
	return operation.Bounds{
		Tokens: c.Tokens, NameBytes: c.NameBytes, Operations: c.Operations, Depth: c.Depth, ValueDepth: c.ValueDepth,
		Aliases: c.Aliases, RootFields: c.RootFields, Directives: c.Directives, Fields: c.Fields, Arguments: c.Arguments,
		FragmentNesting: c.FragmentNesting, ListNesting: c.ListNesting, VariableValues: c.VariableValues, Errors: c.ValidationErrors,
	}
}

// observe counts operations.
func observe(metrics *telemetry.Metrics) func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {
	return func(_ context.Context, op *operation.Prepared, r *operation.Result, took time.Duration) {
		if r.Outcome != operation.Ran {
			metrics.Rejected(r.Errors[0].Extensions["code"].(string))
			return
		}
		metrics.Operation(string(op.Kind()), string(r.Data) != "null", len(r.Errors) > 0, took)
		metrics.Points(r.Cost.Requested, r.Cost.Actual)
	}
}

// enter tells the clients for whom they call.
func enter(ctx context.Context, call operation.Call) context.Context {
	return clients.WithCaller(ctx, clients.Caller{
		Actor: clients.UserID(call.Viewer.UserID), RequestID: call.RequestID, IdempotencyKey: call.IdempotencyKey,
	})
}

// traced lets explain see what fields call by themselves.
func traced(ctx context.Context) graphql.FieldMiddleware {
	if trace := explain.FromContext(ctx); trace != nil {
		return trace.AroundField
	}
	return nil
}

func clientConfig(cfg *config.Gateway, urls map[string]string, m *telemetry.Metrics, log *slog.Logger) clients.Config {
	c := clients.DefaultConfig()
	c.User = serviceConfig(c.User, urls["user"], cfg.ServiceToken, &cfg.User)
	c.Post = serviceConfig(c.Post, urls["post"], cfg.ServiceToken, &cfg.Post)
	c.Comment = serviceConfig(c.Comment, urls["comment"], cfg.ServiceToken, &cfg.Comment)
	c.Follower = serviceConfig(c.Follower, urls["follower"], cfg.ServiceToken, &cfg.Follower)
	c.Cache = clients.CacheConfig{Off: !cfg.Cache.Enabled, Bytes: cfg.Cache.Bytes, Fresh: cfg.Cache.Fresh, FreshLive: cfg.Cache.Live, Keep: cfg.Cache.Keep}
	c.CoalesceOff = !cfg.Coalesce
	c.Log = log
	c.Observer = clients.Observer{
		Attempt: m.Attempt, Retry: m.Retry, Hedge: m.Hedge, Breaker: m.Breaker,
		Hits: m.Hits, Misses: m.Misses, Evicted: m.Evicted, Joined: m.Joined, Stale: m.Stale, Unasked: m.Unasked, Live: m.EventsLive,
	}
	return c
}

func serviceConfig(c clients.ServiceConfig, url, token string, set *config.Service) clients.ServiceConfig {
	c.URL, c.Token = url, token
	c.Timeout, c.Budget, c.Retries = set.Timeout, set.Budget, set.Retries
	c.Breaker = clients.BreakerConfig{
		FailureRate: set.BreakerFailureRate, MinCalls: set.BreakerMinCalls, Window: set.BreakerWindow, Delay: set.BreakerDelay,
	}
	c.Concurrency = set.Concurrency
	c.Hedge = clients.HedgeConfig{Off: !set.Hedge, Floor: set.HedgeFloor}
	return c
}
