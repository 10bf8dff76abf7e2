package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
)

// front stands before the replicas as a load balancer does: a request goes to the first that answers it.
func front(t *testing.T, urls []string) *httptest.Server {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		for _, url := range urls {
			request, _ := http.NewRequestWithContext(r.Context(), r.Method, url+r.URL.RequestURI(), bytes.NewReader(body))
			request.Header = r.Header.Clone()
			response, err := transport.RoundTrip(request)
			if err != nil {
				continue
			}
			answer, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode == http.StatusServiceUnavailable {
				continue
			}
			w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
			w.WriteHeader(response.StatusCode)
			_, _ = w.Write(answer)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	return server
}

// cluster is three replicas on one Redis, and the demo services as a program beside them.
type cluster struct {
	urls     []string
	replicas []*process
	front    *httptest.Server
	log      event.Log
	tokens   []string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	redis, issuer := redistest.Start(t), startIssuer(t)
	port := freePorts(t, 7)
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two bytes, so"))
	c := &cluster{log: event.NewRedis(redis.Client(), redis.Client())}
	for i := range 3 {
		c.urls = append(c.urls, fmt.Sprintf("http://127.0.0.1:%d", port+4+i))
	}
	c.front = front(t, c.urls)
	spawnSaying(t, "follower service at", "demo", "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--data-dir", smallDir(t),
		"--events-url", c.front.URL+"/events", "--events-secret", secret, "--log-level", "error")
	for _, url := range c.urls {
		args := []string{"serve", "--addr", strings.TrimPrefix(url, "http://"), "--data-dir", t.TempDir(), "--redis-url", redis.URL(), "--replicas", "3",
			"--log-level", "error", "--shutdown-timeout", "2s", "--limit-ip-points", "1000000000", "--limit-user-points", "1000000000",
			"--limit-ip-requests", "0", "--limit-user-requests", "0", "--jwks-url", issuer.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph"}
		for i, name := range []string{"user", "post", "comment", "follower"} {
			args = append(args, "--"+name+"-url", fmt.Sprintf("http://127.0.0.1:%d", port+i), "--events-"+name+"-secrets", secret)
		}
		c.replicas = append(c.replicas, spawnSaying(t, "serves the graph", args...))
	}
	for i := range 8 {
		c.tokens = append(c.tokens, issuer.token(t, map[string]any{"sub": fmt.Sprint("u", i+1)}))
	}
	return c
}

// write has four callers write a comment and publish a post in turn until ctx ends, and counts what is acknowledged.
func (c *cluster) write(ctx context.Context, acknowledged *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			pace := time.NewTicker(25 * time.Millisecond)
			defer pace.Stop()
			for i := 0; ; i++ {
				w := newWrite(fmt.Sprintf("mark-%d-%d-end", caller, i), c.tokens[caller], 2*(i%2))
				for done := false; !done; {
					select {
					case <-ctx.Done():
						return
					case <-pace.C:
					}
					done, _ = w.send(ctx, client, c.front.URL)
				}
				acknowledged.Add(1)
			}
		})
	}
	callers.Wait()
}
