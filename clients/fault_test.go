package clients

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// cut answers with a raw response and then ends the connection, by a reset if hard.
func cut(raw string, hard bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(raw))
		if hard {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
}

func plain(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// flood answers with 100 MB, and counts what went out before the reader had enough.
func flood(sent *atomic.Int64, announce bool) http.HandlerFunc {
	const size = 100 << 20
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if announce {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		chunk := []byte(strings.Repeat(" ", 64<<10))
		for range size / len(chunk) {
			n, err := w.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// fault is one way in which a service fails.
type fault struct {
	name    string
	handler http.HandlerFunc // nil: nobody listens
	reason  Reason
	retry   time.Duration // RetryAfter to be told
}

const (
	good = `{"items":[{"id":"a","handle":"abc","name":"n","status":"active","createdAt":"2025-01-01T00:00:00Z","updatedAt":"2025-01-01T00:00:00Z","version":1}]}`
	head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
)

func faults(sent *atomic.Int64) []fault {
	return []fault{
		{name: "slow", handler: hang, reason: Timeout},
		{name: "slow body", reason: Timeout, handler: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(good[:20]))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		{name: "500", handler: func(w http.ResponseWriter, _ *http.Request) { problem(w, 500, "INTERNAL", nil) }, reason: Unavailable},
		{name: "502 of a proxy", handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) }, reason: Unavailable},
		{name: "404 of a proxy", handler: func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, reason: Unavailable},
		{name: "429 with Retry-After", reason: Unavailable, retry: 30 * time.Second, handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			problem(w, 429, "THROTTLED", nil)
		}},
		{name: "503 with a date", reason: Unavailable, retry: time.Hour, handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Fri, 31 Dec 2199 23:59:59 GMT")
			problem(w, 503, "UNAVAILABLE", nil)
		}},
		{name: "refused", reason: Unavailable},
		{name: "reset", handler: cut("", true), reason: Unavailable},
		{name: "reset mid-body", handler: cut(head+"Content-Length: 500\r\n\r\n"+good[:40], true), reason: Unavailable},
		{name: "truncated body", handler: cut(head+"Content-Length: 500\r\n\r\n"+good, false), reason: Unavailable},
		{name: "truncated chunks", handler: cut(head+"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"ite", false), reason: Unavailable},
		{name: "truncated JSON", handler: plain("application/json", good[:len(good)-9]), reason: Unavailable},
		{name: "not JSON", handler: plain("application/json", "<html>hello</html>"), reason: Unavailable},
		{name: "other JSON", handler: plain("application/json", `{"users":[]}`), reason: Unavailable},
		{name: "JSON of another type", handler: plain("application/json", strings.Replace(good, `"n"`, "5", 1)), reason: Unavailable},
		{name: "null", handler: plain("application/json", "null"), reason: Unavailable},
		{name: "two documents", handler: plain("application/json", good+good), reason: Unavailable},
		{name: "empty", handler: plain("application/json", ""), reason: Unavailable},
		{name: "wrong content type", handler: plain("text/html", good), reason: Unavailable},
		{name: "no content type", handler: plain("", good), reason: Unavailable},
		{name: "no content", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, reason: Unavailable},
		{name: "redirect", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(302)
		}, reason: Unavailable},
		{name: "not HTTP", handler: cut("hello, who is there?\r\n\r\n", false), reason: Unavailable},
		{name: "endless headers", handler: cut("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n", false), reason: Unavailable},
		{name: "100 MB announced", handler: flood(sent, true), reason: Unavailable},
		{name: "100 MB", handler: flood(sent, false), reason: Unavailable},
	}
}

// TestFaults lets one service fail in every way there is, while another goes on: what the cache has is answered as stale,
// the rest fails in time and with its reason, the breaker opens, and one trial is enough to recover.
func TestFaults(t *testing.T) {
	var sent atomic.Int64
	for _, tc := range faults(&sent) {
		t.Run(tc.name, func(t *testing.T) {
			sent.Store(0)
			u, others := newUpstream(t, plain("application/json", good)), newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 200, items(post("p", "a", 1)))
			})
			now := newClock()
			c := clientsOf(t, others.URL, now.set, func(cfg *Config) {
				s := &cfg.User
				s.URL, s.Retries, s.Budget = u.URL, 1, 2*time.Second
				if tc.reason == Timeout {
					s.Timeout, s.Budget = 150*time.Millisecond, 500*time.Millisecond
				}
				s.MaxBodyBytes = 1 << 20
				s.Breaker.MinCalls = 4
			})
			ctx := t.Context()
			if a := c.Users.ByIDs(ctx, []UserID{"a"})["a"]; a.Err != nil || a.Value.Name != "n" {
				t.Fatalf("before: %+v", a)
			}
			now.add(time.Minute)
			if tc.handler == nil {
				aimAt(t, c.Users.svc, refusingURL(t))
			}
			u.then(tc.handler)
			start := time.Now()
			got := c.Users.ByIDs(ctx, []UserID{"a", "b"})
			if took := time.Since(start); took > c.Users.svc.cfg.Budget+time.Second {
				t.Errorf("it took %s", took)
			}
			want := Outage{Service: "user", Reason: tc.reason, RetryAfter: tc.retry}
			b, _ := errors.AsType[*Error](got["b"].Err)
			if b == nil || b.Kind != KindUnavailable || *b.Outage != want {
				t.Errorf("b: %v %+v, want %+v", got["b"].Err, b, want)
			}
			want.Age = time.Minute
			if a := got["a"]; a.Err != nil || a.Value == nil || a.Stale == nil || *a.Stale != want {
				t.Errorf("a: %+v %+v, want %+v", a, a.Stale, want)
			}
			if a := c.Posts.ByIDs(ctx, []PostID{"p"})["p"]; a.Err != nil || a.Stale != nil {
				t.Errorf("the other service: %+v", a)
			}
			if n := sent.Load(); n > 20<<20 {
				t.Errorf("%d MB went out", n>>20)
			}
			recovers(t, c, u, good)
		})
	}
}

// recovers fails the service until its breaker opens, repairs it, and lets the trial come.
func recovers(t *testing.T, c *Clients, u *upstream, good string) {
	t.Helper()
	ctx := t.Context()
	for range 10 {
		if c.States()[0].Breaker == "open" {
			break
		}
		c.Users.ByIDs(ctx, []UserID{"b"})
	}
	asked := len(u.requests())
	err, _ := errors.AsType[*Error](c.Users.ByIDs(ctx, []UserID{"b"})["b"].Err)
	if err == nil || err.Outage.Reason != CircuitOpen || err.Outage.RetryAfter <= 0 || err.Outage.RetryAfter > 30*time.Second {
		t.Fatalf("not open: %v, %+v", err, c.States()[0])
	}
	if a := c.Users.ByIDs(ctx, []UserID{"a"})["a"]; a.Stale == nil || a.Stale.Reason != CircuitOpen {
		t.Errorf("no stale answer from an open breaker: %+v", a)
	}
	if n := len(u.requests()); n != asked {
		t.Errorf("an open breaker sent %d requests", n-asked)
	}
	aimAt(t, c.Users.svc, u.URL)
	u.then(plain("application/json", good))
	c.Users.svc.breaker.delayIsOver()
	if a := c.Users.ByIDs(ctx, []UserID{"a"})["a"]; a.Err != nil || a.Stale != nil {
		t.Errorf("the trial: %+v", a)
	}
	if s := c.States()[0]; s.Breaker != "closed" {
		t.Errorf("after the trial: %+v", s)
	}
}

// delayIsOver is what the breaker does with the first call after its delay.
func (b *breaker) delayIsOver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cb.HalfOpen()
}

// refusingURL is where nobody listens.
func refusingURL(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

// TestRefusedReads tells that an answer which is no outage is neither retried nor replaced by an old one.
func TestRefusedReads(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 405, 422} {
		u := newUpstream(t, usersAsked)
		now := newClock()
		c := clientsOf(t, u.URL, now.set)
		c.Users.ByIDs(t.Context(), []UserID{"a"})
		now.add(time.Minute)
		u.then(func(w http.ResponseWriter, _ *http.Request) { problem(w, status, "WHATEVER", nil) })
		if a := c.Users.ByIDs(t.Context(), []UserID{"a"})["a"]; kind(a.Err) != KindInternal || a.Stale != nil {
			t.Errorf("%d: %+v", status, a)
		}
		if n := len(u.requests()); n != 2 {
			t.Errorf("%d: %d requests", status, n)
		}
		if s := c.States()[0]; s.Failures != 0 {
			t.Errorf("%d counts as a failure: %+v", status, s)
		}
	}
}

func TestErrorsNameNoAddress(t *testing.T) {
	url := refusingURL(t)
	c := clientsOf(t, url)
	err, _ := errors.AsType[*Error](c.Users.ByIDs(t.Context(), []UserID{"a"})["a"].Err)
	if err == nil || err.Outage.Reason != Unavailable {
		t.Fatalf("got %v", err)
	}
	if text := fmt.Sprintf("%+v", *err.Outage); strings.Contains(text, "127.0.0.1") {
		t.Errorf("an outage names an address: %s", text)
	}
}

// TestOversizedAnswers are given up at once, and not asked for again.
func TestOversizedAnswers(t *testing.T) {
	var sent atomic.Int64
	for _, announced := range []bool{true, false} {
		u := newUpstream(t, flood(&sent, announced))
		c := clientsOf(t, u.URL, each(func(s *ServiceConfig) { s.MaxBodyBytes = 100_000 }))
		var calls []Call
		ctx := WithRecorder(t.Context(), func(call Call) { calls = append(calls, call) })
		err := ask(ctx, c)
		if kind(err) != KindUnavailable || !errors.Is(err, ErrContract) {
			t.Errorf("got %v", err)
		}
		if len(calls) != 1 || (announced && calls[0].Bytes != 0) || calls[0].Bytes > 100_001 {
			t.Errorf("announced %v: %+v", announced, calls)
		}
	}
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(404)
		_, _ = w.Write([]byte(strings.Repeat(" ", 1<<20)))
	})
	if err := ask(t.Context(), clientsOf(t, u.URL)); kind(err) != KindInternal || len(u.requests()) != 1 {
		t.Errorf("a problem of 1 MB: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newUpstream(t, usersAsked)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
	c := clientsOf(t, u.URL)
	if err := ask(t.Context(), c); kind(err) != KindUnavailable || len(elsewhere.requests()) != 0 {
		t.Errorf("got %v, and %q there", err, elsewhere.targets())
	}
}

// TestBodiesAreReadToTheEnd, so that one connection serves call after call, whatever they come to.
func TestBodiesAreReadToTheEnd(t *testing.T) {
	var opened atomic.Int32
	answers := []http.HandlerFunc{usersAsked, fail500, plain("text/html", "<html>"), func(w http.ResponseWriter, _ *http.Request) { problem(w, 404, "NOT_FOUND", nil) }}
	var n atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers[int(n.Add(1))%len(answers)](w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := clientsOf(t, s.URL, uncached, each(func(s *ServiceConfig) { s.Breaker.MinCalls = 1000 }))
	for range 20 {
		_ = ask(t.Context(), c)
	}
	if got := opened.Load(); got != 1 || n.Load() < 20 {
		t.Errorf("%d connections for %d requests", got, n.Load())
	}
}
