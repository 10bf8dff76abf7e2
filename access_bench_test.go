package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
)

// constant is an executor that does nothing.
type constant struct{ result operation.Result }

func (c *constant) Execute(context.Context, *operation.Prepared, operation.Denied) *operation.Result {
	result := c.result
	return &result
}

// BenchmarkAccess measures what it costs to know the caller of the trivial query by a token, to know its cost, and to debit
// three memory buckets, and for comparison the same way without any of it.
func BenchmarkAccess(b *testing.B) {
	dir := b.TempDir()
	cfg := config.Default()
	cfg.DataDir = dir
	cfg.Serve.Limits.User.Points, cfg.Serve.Limits.IP.Points = 1<<40, 1<<40
	full, err := openAccess(&cfg, telemetry.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer full.Close()
	key, err := auth.OpenDevelopmentKey(dir, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	token, err := key.Issue("u1", "", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	request.RemoteAddr = "192.0.2.1:1234"
	request.Header.Set("Authorization", "Bearer "+token)
	for name, a := range map[string]*access{"with": full, "without": {}} {
		b.Run(name, func(b *testing.B) {
			g, err := newGateway(&cfg.Serve.Gateway, map[string]string{"user": "http://localhost", "post": "http://localhost", "comment": "http://localhost", "follower": "http://localhost"}, a, nil, telemetry.New(), true, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer g.clients.Close()
			g.pipeline.Executor = &constant{operation.Result{Data: []byte(`{"__typename":"Query"}`)}}
			b.ReportAllocs()
			for b.Loop() {
				call := operation.Call{}
				if a == full {
					viewer, ip, err := a.identify(request)
					if err != nil {
						b.Fatal(err)
					}
					call.Viewer, call.IP = viewer, ip
				}
				prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: "{ __typename }"})
				if errs != nil {
					b.Fatal(errs)
				}
				if result := g.pipeline.Run(b.Context(), prepared, call); result.Outcome != operation.Ran {
					b.Fatal(result.Errors)
				}
			}
		})
	}
}
