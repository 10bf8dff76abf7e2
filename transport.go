package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/wire"
)

// scopeFederation lets a router of a federated graph send documents that nobody has listed.
const scopeFederation = "federation"

// newTransport makes the handler of the graph, over HTTP, websockets and event streams.
func newTransport(s *config.Serve, g *gateway, a *access, connections *wire.Connections) (*wire.WS, error) {
	origins, err := wire.NewOrigins(s.AllowedOrigins)
	if err != nil {
		return nil, fmt.Errorf("--allowed-origins: %w", err)
	}
	persisted, err := newPersisted(s, a.redis)
	if err != nil {
		return nil, err
	}
	var tickets wire.Tickets = wire.NewMemoryTickets(time.Now)
	if a.redis != nil {
		tickets = wire.NewRedisTickets(a.redis, time.Now)
	}
	return &wire.WS{Connections: connections, HTTP: &wire.HTTP{
		Pipeline: g.pipeline, Views: g.views, Identify: a.identify, Origins: origins,
		Persisted: persisted, FreeDocuments: func(v auth.Viewer) bool { return v.HasScopes(scopeFederation) },
		MaxBodyBytes: s.MaxBodyBytes, MaxURLBytes: s.MaxURLBytes, MaxJSONDepth: s.MaxJSONDepth, MaxJSONValues: s.MaxJSONValues,
		BodyTimeout: s.BodyTimeout, MaxBatch: s.MaxBatch,
		Connections: connections, Tickets: tickets, Overload: overload(&s.HTTP, g.pipeline.Rejected),
	}}, nil
}

// leastPerProcessor are the requests at a time that are taken for each processor, however late everything is.
const leastPerProcessor = 16

// overload makes what refuses requests while there is too much to do.
func overload(h *config.HTTP, refused func(code string)) *wire.Overload {
	return wire.NewOverload(wire.OverloadConfig{
		MaxUnderWay: h.MaxConcurrent, Delay: h.OverloadDelay, Least: leastPerProcessor * runtime.GOMAXPROCS(0), Waited: wire.SchedulingDelay(), Refused: refused,
	})
}

// newPersisted makes what knows documents by their names.
func newPersisted(s *config.Serve, client redis.UniversalClient) (*wire.Persisted, error) {
	var trusted *wire.Manifest
	if s.Persisted.Manifest != "" {
		var err error
		if trusted, err = wire.ReadManifest(s.Persisted.Manifest); err != nil {
			return nil, fmt.Errorf("--persisted-manifest: %w", err)
		}
	}
	var automatic wire.Store
	if s.Persisted.APQ {
		var err error
		if automatic, err = newDocumentStore(s, client); err != nil {
			return nil, fmt.Errorf("--persisted-apq: %w", err)
		}
	}
	persisted, err := wire.NewPersisted(wire.PersistedMode(s.Persisted.Documents), trusted, automatic, int(s.MaxBodyBytes))
	if err != nil {
		return nil, fmt.Errorf("--persisted-documents: %w", err)
	}
	return persisted, nil
}

func newDocumentStore(s *config.Serve, client redis.UniversalClient) (wire.Store, error) {
	if client == nil {
		return wire.NewMemoryStore(s.Persisted.APQBytes)
	}
	return wire.NewRedisStore(client, s.Persisted.APQBytes, int(s.MaxBodyBytes), s.Limits.RedisWait)
}
