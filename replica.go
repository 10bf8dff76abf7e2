package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/internal/config"
	"tributary/internal/console"
	"tributary/internal/demo"
	"tributary/internal/operation"
	"tributary/internal/rest"
	"tributary/internal/telemetry"
	"tributary/internal/wire"
)

// replica is one gateway with all it takes: what is open, and what runs.
type replica struct {
	cfg         *config.Config
	log         *slog.Logger
	metrics     *telemetry.Metrics
	listener    net.Listener
	access      *access
	events      *events
	services    *services
	gateway     *gateway
	durable     *durable // nil when this replica takes no part in durable work
	streams     *operation.Streams
	connections *wire.Connections
	graphql     *wire.WS
}

// openReplica opens everything and starts nothing. The caller closes it.
func openReplica(ctx context.Context, cfg *config.Config, log *slog.Logger) (_ *replica, err error) {
	r, s := &replica{cfg: cfg, log: log, metrics: telemetry.New()}, &cfg.Serve
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.listener, err = net.Listen("tcp", s.Addr); err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	if r.access, err = openAccess(cfg, r.metrics, log); err != nil {
		return nil, err
	}
	if r.events, err = openEvents(ctx, cfg, r.access.redis, r.metrics, log); err != nil {
		return nil, err
	}
	sink := &demo.EventSink{URL: "http://" + reachable(r.listener.Addr()) + "/events", Secrets: r.events.signing(s.DemoNames())}
	if r.services, err = openServices(ctx, cfg.DataDir, &s.Gateway, s.DemoMode(), sink, log); err != nil {
		return nil, err
	}
	if r.gateway, err = newGateway(&s.Gateway, r.services.URLs, r.access, r.events.log, r.metrics, s.DemoMode(), log); err != nil {
		return nil, err
	}
	r.events.clients = r.gateway.clients
	if r.durable, err = openDurable(ctx, cfg, cmp.Or(s.Work.PublicURL, "http://"+reachable(r.listener.Addr())), r.events, r.gateway.clients, r.gateway.views.Supports, r.metrics, log); err != nil {
		return nil, err
	}
	r.durable.serve(r.gateway.resolver)
	r.streams = operation.NewStreams(r.gateway.pipeline, r.events.source(s.Events.Buffer), s.Events.MaxSubscriptions, operation.StreamObserver{
		Members: r.metrics.Subscriptions, Delivered: r.metrics.SubscriptionDelivered, Executed: r.metrics.SubscriptionExecuted,
		Ended: func(reason operation.EndReason) { r.metrics.SubscriptionEnded(string(reason)) },
	})
	r.gateway.pipeline.Streams = r.streams
	r.connections = wire.NewConnections(wire.ConnectionsConfig{DrainOver: s.ShutdownTimeout * 9 / 10, MaxPerCaller: s.Events.MaxConnections, Logger: log})
	if r.graphql, err = newTransport(s, r.gateway, r.access, r.connections); err != nil {
		return nil, err
	}
	shed := r.graphql.HTTP.Overload
	r.metrics.Overload(shed.UnderWay, shed.Limit, shed.Waited)
	r.gateway.clients.HedgeUnless(shed.Busy)
	return r, nil
}

// handler is everything that can be asked for.
func (r *replica) handler(draining <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", r.graphql)
	guard := func(methods string, next http.Handler) http.Handler {
		return r.graphql.HTTP.Origins.Guard(methods, next, rest.Foreign())
	}
	versions := guard(rest.MethodsReads, wire.Versions(r.gateway.views, r.access.introspect == nil, time.Now))
	mux.Handle("GET "+operation.VersionsPath, versions)
	mux.Handle("OPTIONS "+operation.VersionsPath, versions)
	mux.Handle("/graphql/stream-ticket", r.graphql.HTTP.StreamTicket())
	mux.Handle("/events", r.events.ingest)
	reads := &rest.Reads{Pipeline: r.gateway.pipeline, Views: r.gateway.views, Identify: r.access.identify, Logger: r.log}
	mux.Handle(rest.PathAPI, guard(rest.MethodsReads, r.graphql.HTTP.Overload.Guard(reads, rest.Overloaded())))
	if r.durable != nil {
		webhooks := &rest.Webhooks{Endpoints: r.durable.webhooks, Identify: r.access.identify, Charge: r.access.charge, Choose: chooseVersion(r.gateway.views), Logger: r.log}
		mux.Handle(rest.PathWebhooks, guard(rest.MethodsWebhooks, webhooks))
		mux.Handle(rest.PathWebhooks+"/", guard(rest.MethodsWebhook, webhooks))
	}
	if r.durable != nil && r.durable.links != nil {
		mux.Handle("/exports/", r.durable.links)
	}
	mux.Handle("GET /metrics", r.metrics.Handler())
	mux.Handle("GET /healthz", wire.Healthy())
	mux.Handle("GET /readyz", wire.Ready(draining))
	pages := console.Handler()
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		if wire.IsVersionPath(req.URL.Path) { // also of a version that there is not
			r.graphql.ServeHTTP(w, req)
			return
		}
		pages.ServeHTTP(w, req)
	})
	return wire.Secure(wire.Identify(wire.Log(r.log, wire.Recover(r.log, wire.Hosts(r.cfg.Serve.AllowedHosts, mux)))))
}

// Run serves until ctx ends. Then connections that stay are told to come back elsewhere, running operations finish, and what
// they need ends after them.
func (r *replica) Run(ctx context.Context) error {
	s := &r.cfg.Serve
	draining := make(chan struct{})
	server := &http.Server{
		Handler:           r.handler(draining),
		ReadHeaderTimeout: s.HeaderTimeout,
		ReadTimeout:       s.HeaderTimeout + s.BodyTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelWarn),
	}
	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBelow()
	group, ctx := errgroup.WithContext(ctx)
	parts := []func(context.Context) error{r.services.Run, r.access.Run, r.events.Run, r.streams.Run, r.graphql.HTTP.Overload.Run}
	if r.durable != nil {
		parts = append(parts, r.durable.Run)
	}
	for _, part := range parts {
		group.Go(func() error { return part(below) })
	}
	group.Go(func() error {
		defer stopBelow()
		var front errgroup.Group
		front.Go(func() error { return r.connections.Run(ctx) })
		front.Go(func() error { return serveHTTP(ctx, server, r.listener, draining, s.ShutdownTimeout, r.log) })
		return front.Wait()
	})
	return group.Wait()
}

// Close gives up what is open. After Run most of it is closed already.
func (r *replica) Close() error {
	var errs []error
	if r.durable != nil {
		errs = append(errs, r.durable.Close())
	}
	if r.gateway != nil {
		r.gateway.clients.Close()
	}
	if r.services != nil {
		errs = append(errs, r.services.Close())
	}
	if r.events != nil {
		errs = append(errs, r.events.Close())
	}
	if r.access != nil {
		errs = append(errs, r.access.Close())
	}
	if r.listener != nil {
		if err := r.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
