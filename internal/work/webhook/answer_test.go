package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// TestAnswers: what each answer counts as, over real connections.
func TestAnswers(t *testing.T) {
	status := func(code int, field, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if field != "" {
				w.Header().Set(field, value)
			}
			w.WriteHeader(code)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   dispatch.Result
	}{
		"200":             {status(200, "", ""), dispatch.Result{Delivered: true, Status: 200}},
		"202 later":       {status(202, "Retry-After", "60"), dispatch.Result{Delivered: true, Status: 202}},
		"302":             {status(302, "Location", "/"), dispatch.Result{Status: 302, Problem: "REDIRECT"}},
		"303":             {status(303, "Location", "/"), dispatch.Result{Status: 303, Problem: "REDIRECT"}},
		"307":             {status(307, "Location", "http://127.0.0.1:1/"), dispatch.Result{Status: 307, Problem: "REDIRECT"}},
		"304":             {status(304, "", ""), dispatch.Result{Status: 304, Problem: "REDIRECT"}},
		"400":             {status(400, "Retry-After", "60"), dispatch.Result{Status: 400, Problem: "STATUS_4XX"}},
		"410":             {status(410, "", ""), dispatch.Result{Status: 410, Problem: "GONE", Gone: true}},
		"429":             {status(429, "Retry-After", "60"), dispatch.Result{Status: 429, Problem: "STATUS_4XX", RetryAfter: time.Minute}},
		"500":             {status(500, "Retry-After", "60"), dispatch.Result{Status: 500, Problem: "STATUS_5XX"}},
		"503":             {status(503, "Retry-After", "90"), dispatch.Result{Status: 503, Problem: "STATUS_5XX", RetryAfter: 90 * time.Second}},
		"503 nonsense":    {status(503, "Retry-After", "soon"), dispatch.Result{Status: 503, Problem: "STATUS_5XX"}},
		"504 for ever":    {status(504, "Retry-After", strings.Repeat("9", 40)), dispatch.Result{Status: 504, Problem: "STATUS_5XX", RetryAfter: 24 * time.Hour}},
		"600":             {status(600, "", ""), dispatch.Result{Status: 600, Problem: "STATUS_6XX"}},
		"slow":            {func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }, dispatch.Result{Problem: "TIMEOUT"}},
		"huge header":     {status(200, "X", strings.Repeat("x", 32<<10)), dispatch.Result{Problem: "CONNECTION_FAILED"}},
		"breaks off":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, dispatch.Result{Problem: "CONNECTION_FAILED"}},
		"huge":            {huge, dispatch.Result{Delivered: true, Status: 200, Excerpt: strings.Repeat("z", 1024)}},
		"body comes late": {late, dispatch.Result{Delivered: true, Status: 200, Excerpt: "begun"}},
		"binary":          {write("a\x00\x1b[1m\xff\u202eb\r\n c"), dispatch.Result{Delivered: true, Status: 200, Excerpt: "a [1m b c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(s *setup) {
				if name == "slow" || name == "body comes late" {
					s.sender.Timeout = 500 * time.Millisecond
				}
			})
			r := receive(t, test.answer)
			b.create(admin, r.URL)
			all, err := b.store.Consumers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := b.sender.Send(t.Context(), all[0], event.Event{ID: "e", Source: "post", Data: []byte(`{}`)}, 1); got != test.want {
				t.Errorf("%+.2000v", got)
			}
			if len(r.requests()) != 1 {
				t.Error(len(r.requests()), "requests")
			}
		})
	}
}

func write(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func huge(w http.ResponseWriter, _ *http.Request) {
	for range 1000 {
		if _, err := io.WriteString(w, strings.Repeat("z", 64<<10)); err != nil {
			return
		}
	}
}

func late(w http.ResponseWriter, q *http.Request) {
	_, _ = io.WriteString(w, "begun")
	w.(http.Flusher).Flush()
	<-q.Context().Done()
}

// TestNoAnswer: what cannot be reached.
func TestNoAnswer(t *testing.T) {
	quiet := log.New(io.Discard, "", 0)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := receive(t, nil)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts by the kernel alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	b := newBench(t, func(s *setup) { s.sender.Timeout, s.targets.Resolver = 2*time.Second, names(t, nil) })
	for url, want := range map[string]string{
		secure.URL: webhook.ProblemTLS,
		strings.Replace(plain.URL, "http:", "https:", 1):  webhook.ProblemTLS,
		fmt.Sprintf("http://%s/", closed.Addr()):          webhook.ProblemConnection,
		fmt.Sprintf("http://%s/", silent.Addr()):          webhook.ProblemTimeout,
		strings.Replace(secure.URL, "https:", "http:", 1): "STATUS_4XX",
		"http://name.invalid/":                            webhook.ProblemConnection,
	} {
		if d := b.ping(url); d.Problem != want {
			t.Errorf("%s: %+v", url, d)
		}
	}
}

// TestTrustedTLS delivers over HTTP/2 to a certificate that is trusted.
func TestTrustedTLS(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, q.Proto)
	}))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	b := newBench(t, func(s *setup) { s.sender.Roots, s.targets.AllowHTTP = pool(secure), false })
	if d := b.ping(secure.URL); d.Outcome != dispatch.Delivered || d.Excerpt != "HTTP/2.0" {
		t.Errorf("%+v", d)
	}
}

// TestProxy: the environment's proxy is not used.
func TestProxy(t *testing.T) {
	proxy, r := receive(t, nil), receive(t, nil)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	b := newBench(t, func(s *setup) { s.targets.Resolver = names(t, nil) })
	b.ping(r.URL)
	b.ping("http://name.invalid/")
	if len(proxy.requests()) != 0 || len(r.requests()) != 1 {
		t.Error(len(proxy.requests()), len(r.requests()))
	}
}

// TestGoneAndBack: an endpoint that is gone is disabled, and once it is enabled it gets what it missed.
func TestGoneAndBack(t *testing.T) {
	b := newBench(t, nil)
	var gone atomic.Bool
	gone.Store(true)
	r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
		}
	})
	made := b.create(ann, r.URL)
	b.run()
	b.write("post.created", "post/p1", time.Now(), `{}`)
	b.until("disabled", func() bool {
		e, err := b.Get(t.Context(), ann, made.ID)
		return err == nil && e.State == dispatch.Disabled && *e.Reason == dispatch.ReasonGone
	})
	b.write("post.updated", "post/p1", time.Now(), `{}`)
	gone.Store(false)
	if _, err := b.Update(t.Context(), ann, made.ID, webhook.Update{Enabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	b.until("it has both", func() bool { return len(r.requests()) == 3 })
	if ids := r.ids(); ids[0] != ids[1] || ids[2] == ids[0] {
		t.Error(ids)
	}
}

// TestShowHangs: what an owner may see is not waited for without end.
func TestShowHangs(t *testing.T) {
	b := newBench(t, func(s *setup) {
		s.sender.Timeout = 20 * time.Millisecond
		s.sender.Show = func(ctx context.Context, _ webhook.Endpoint, _ event.Event) (json.RawMessage, bool, error) {
			<-ctx.Done()
			return nil, false, ctx.Err()
		}
	})
	b.create(ann, target)
	all, err := b.store.Consumers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := b.sender.Send(t.Context(), all[0], ping, 1); got != (dispatch.Result{Problem: webhook.ProblemInternal}) {
		t.Errorf("%+v", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := b.sender.Send(ended, all[0], ping, 1); got != (dispatch.Result{Problem: webhook.ProblemCancelled}) {
		t.Errorf("%+v", got)
	}
}
