package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

// crowded is a site that takes one request at a time, and has one that does not end before it is let go.
func crowded(t *testing.T) (s *site, refused *atomic.Int64, letGo func()) {
	t.Helper()
	s, refused = newSite(t), &atomic.Int64{}
	s.http.Overload = wire.NewOverload(wire.OverloadConfig{MaxUnderWay: 1, Refused: func(code string) {
		if code == wire.CodeOverloaded {
			refused.Add(1)
		}
	}})
	entered, free, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result {
		close(entered)
		<-free
		return &operation.Result{Data: []byte(`{"echo":"late"}`)}
	})
	go func() {
		defer close(left)
		response, err := http.Post(s.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{echo}"}`))
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		if raw, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(raw), "late") {
			t.Errorf("the request that was under way was answered %s, %v", raw, err)
		}
	}()
	<-entered
	letGo = func() {
		s.executor = echo{}
		close(free)
		<-left
	}
	return s, refused, letGo
}

func TestShedRequests(t *testing.T) {
	s, refused, letGo := crowded(t)
	const media = "application/graphql-response+json; charset=utf-8"
	ask := func(method, path, body, accept string) (*http.Response, string, bool) {
		t.Helper()
		var reused bool
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
		request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", accept)
		response, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(raw), reused
	}
	const message = `{"errors":[{"message":"this server has more to do than it can: come back in a moment","extensions":{"code":"SERVICE_OVERLOADED"}}]}`
	for i, body := range []string{`{"query":"{echo}"}`, `not JSON`, strings.Repeat("x", maxBody*4)} { // nothing of it is looked at
		response, text, reused := ask(http.MethodPost, "/graphql", body, "application/graphql-response+json")
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" || response.Header.Get("Content-Type") != media || text != message {
			t.Errorf("%.20s: %d %v %s", body, response.StatusCode, response.Header, text)
		}
		if i > 0 && !reused {
			t.Error("the connection was not kept")
		}
	}
	if response, _, _ := ask(http.MethodGet, "/graphql?query={echo}", "", "application/json"); response.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		t.Errorf("in plain JSON: %d %v", response.StatusCode, response.Header)
	}
	if response, _, _ := ask(http.MethodGet, "/graphql?query=subscription{ticks}", "", "text/event-stream"); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new event stream: %d", response.StatusCode)
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK} {
		if response, _, _ := ask(http.MethodGet, path, "", "*/*"); response.StatusCode != want {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	if response, _, _ := ask(http.MethodOptions, "/graphql", "", "*/*"); response.StatusCode != http.StatusNoContent {
		t.Errorf("OPTIONS: %d", response.StatusCode)
	}
	if refused.Load() != 5 || s.http.Overload.UnderWay() != 1 {
		t.Errorf("%d refusals were counted, want 5; %d under way, want 1", refused.Load(), s.http.Overload.UnderWay())
	}
	letGo()
	for _, body := range []string{`not JSON`, `{"query":"{echo}"}`, `{"query":"{echo}"}`} { // what is refused for itself leaves too
		if response, _, _ := ask(http.MethodPost, "/graphql", body, "application/json"); response.StatusCode == http.StatusServiceUnavailable {
			t.Errorf("%s was refused although nothing was under way", body)
		}
	}
	if n := s.http.Overload.UnderWay(); n != 0 {
		t.Errorf("%d are under way at the end", n)
	}
}

// BenchmarkShed compares what a request costs that is refused with the least that one can cost that is answered.
func BenchmarkShed(b *testing.B) {
	for name, most := range map[string]int{"refused": -1, "answered": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			s := newSite(b)
			s.http.Overload = wire.NewOverload(wire.OverloadConfig{MaxUnderWay: most})
			body := []byte(`{"query":"{echo(text:\"` + strings.Repeat("x", 300) + `\")}"}`)
			b.ReportAllocs()
			for b.Loop() {
				response, err := s.Client().Post(s.URL+"/graphql", "application/json", bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
}

// TestShedWebsockets has operations of websockets count as requests do, and subscriptions only until they have begun.
func TestShedWebsockets(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	s.http.Overload = wire.NewOverload(wire.OverloadConfig{MaxUnderWay: 1})
	c := s.ready(t)
	for _, id := range []string{"1", "2"} {
		c.subscribe(id, "subscription { ticks }")
		s.ticks.members(t, map[string]int{"1": 1, "2": 2}[id])
		eventually(t, func() bool { return s.http.Overload.UnderWay() == 0 })
	}
	entered, free := make(chan struct{}), make(chan struct{})
	s.executor = executorFunc(func(context.Context, *operation.Prepared) *operation.Result {
		close(entered)
		<-free
		return &operation.Result{Data: []byte(`{"echo":"late"}`)}
	})
	c.subscribe("3", "{ echo }")
	<-entered
	c.subscribe("4", "{ echo }")
	c.wantsError("4", wire.CodeOverloaded)
	c.subscribe("5", "subscription { ticks }")
	c.wantsError("5", wire.CodeOverloaded)
	close(free)
	c.wants(`{"id":"3","type":"next","payload":{"data":{"echo":"late"},"extensions":{"cost":{"requested":0,"actual":0}}}}`)
	c.wants(`{"id":"3","type":"complete"}`)
	s.ticks.members(t, 2)
	eventually(t, func() bool { return s.http.Overload.UnderWay() == 0 })
}
