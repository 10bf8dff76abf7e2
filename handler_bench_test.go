package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tributary/internal/config"
	"tributary/internal/telemetry"
)

// bare is a ResponseWriter that costs next to nothing by itself.
type bare struct {
	header http.Header
	status int
	bytes  int
}

func (w *bare) Header() http.Header    { return w.header }
func (w *bare) WriteHeader(status int) { w.status = status }
func (w *bare) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}

// SetReadDeadline is what net/http's own writer has.
func (w *bare) SetReadDeadline(time.Time) error { return nil }

// BenchmarkTrivial measures the whole way of {__typename} behind net/http: all of the server's handlers, with limits and metrics as they
// are by default, and the log as bench/ has it.
func BenchmarkTrivial(b *testing.B) {
	handler := openHandler(b)
	const body = `{"query":"{__typename}"}`
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/graphql-response+json"}, "Content-Length": {"24"},
	}
	sent := httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody)
	sent.Host, sent.Header, sent.ContentLength = "127.0.0.1:8080", header, int64(len(body))
	reader := strings.NewReader(body)
	sent.Body = io.NopCloser(reader)
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		w := &bare{header: http.Header{}} // net/http makes one for each request too
		request := *sent                  // http.ServeMux writes into it
		handler.ServeHTTP(w, &request)
		if w.status != http.StatusOK || w.bytes == 0 {
			b.Fatalf("status %d", w.status)
		}
	}
}

// openHandler gives what a replica above services that are not there serves.
func openHandler(b *testing.B) http.Handler {
	cfg := config.Default()
	cfg.DataDir = b.TempDir()
	cfg.Serve.Addr = "127.0.0.1:0"
	cfg.Serve.Limits.IP = config.Limit{Points: 1e15, Restore: 1e12, Requests: new(int64)}
	g := &cfg.Serve.Gateway
	for _, s := range []*config.Service{&g.User, &g.Post, &g.Comment, &g.Follower} {
		s.URL = "http://127.0.0.1:9"
	}
	log, err := telemetry.NewLogger(io.Discard, "warn", "json")
	if err != nil {
		b.Fatal(err)
	}
	r, err := openReplica(b.Context(), &cfg, log)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	})
	return r.handler(make(chan struct{}))
}
