package clients

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// failFirst fails the first n requests and then answers.
func failFirst(n int32, failing, then http.HandlerFunc) http.HandlerFunc {
	var count atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) <= n {
			failing(w, r)
			return
		}
		then(w, r)
	}
}

func TestReadsAreRetriedTwice(t *testing.T) {
	for failures, wantErr := range map[int32]bool{0: false, 1: false, 2: false, 3: true} {
		u := newUpstream(t, failFirst(failures, fail500, usersAsked))
		retries := 0
		c := clientsOf(t, u.URL, func(cfg *Config) { cfg.Observer.Retry = func(string) { retries++ } })
		if err := ask(t.Context(), c); (err != nil) != wantErr {
			t.Errorf("%d failures: %v", failures, err)
		}
		if n := int32(len(u.requests())); n != min(failures+1, 3) || retries != int(n-1) {
			t.Errorf("%d failures: %d requests, %d retries reported", failures, n, retries)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	throttled := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		problem(w, 429, "THROTTLED", nil)
	}
	u := newUpstream(t, failFirst(1, throttled, usersAsked))
	c := clientsOf(t, u.URL)
	start := time.Now()
	if err := ask(t.Context(), c); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("asked again after %s", took)
	}
	t.Run("beyond the caller's deadline", func(t *testing.T) {
		u := newUpstream(t, failFirst(1, throttled, usersAsked))
		c := clientsOf(t, u.URL, uncached)
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		start := time.Now()
		err, _ := errors.AsType[*Error](ask(ctx, c))
		if err == nil || err.Outage.RetryAfter != time.Second || err.Code != "THROTTLED" || time.Since(start) > 800*time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
	})
}

func TestBackoffGrowsAndJitters(t *testing.T) {
	c := clientsOf(t, "http://127.0.0.1:1", each(func(s *ServiceConfig) { s.Backoff = 100 * time.Millisecond }))
	seen := make(map[time.Duration]bool)
	for retries := range 3 {
		base := 100 * time.Millisecond << retries
		for range 50 {
			d := c.Users.svc.pauseBefore(retries, unavailable("user", Unavailable, nil))
			if d < base/2 || d > base*3/2 {
				t.Errorf("retry %d after %s", retries+1, d)
			}
			seen[d] = true
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d different delays", len(seen))
	}
}

// TestHedge lets a slow read be overtaken by its second sending, and the slow one be cancelled.
func TestHedge(t *testing.T) {
	cancelled := make(chan struct{})
	slow := func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(cancelled)
	}
	u := newUpstream(t, failFirst(1, slow, usersAsked))
	hedges := 0
	c := clientsOf(t, u.URL, uncached, func(cfg *Config) {
		cfg.User.Hedge = HedgeConfig{Floor: 20 * time.Millisecond}
		cfg.Observer.Hedge = func(string) { hedges++ }
	})
	for range latencyStep {
		c.Users.svc.latency.add(time.Millisecond)
	}
	start := time.Now()
	if err := ask(t.Context(), c); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("hedged after %s, below the floor", took)
	}
	<-cancelled
	if n := len(u.requests()); n != 2 || hedges != 1 {
		t.Errorf("%d requests, %d hedges reported", n, hedges)
	}
	if s := c.States()[0]; s.Failures != 0 {
		t.Errorf("the overtaken attempt counts: %+v", s)
	}
}

func TestHedgeDelay(t *testing.T) {
	u := newUpstream(t, nil)
	c := opened(t, u, func(cfg *Config) {
		cfg.User.Hedge = HedgeConfig{Floor: 20 * time.Millisecond}
		cfg.User.Breaker.Delay = time.Minute
	})
	s, p := c.Users.svc, c.Posts.svc
	delay := func(s *service, key string) time.Duration {
		ctx := context.WithValue(t.Context(), callStateKey{}, &callState{req: &request{key: key}})
		return s.hedgeDelay(fakeAttempt{ctx: ctx})
	}
	if d := delay(p, ""); d != -1 {
		t.Errorf("before anything is known: %s", d)
	}
	for i := range 2 * latencyStep {
		s.latency.add(time.Duration(i) * time.Millisecond)
		p.latency.add(time.Duration(i) * time.Millisecond)
	}
	if d := delay(p, ""); d != 60*time.Millisecond {
		t.Errorf("the 95th percentile of 0 to 63 ms: %s", d)
	}
	c.HedgeUnless(func() bool { return true })
	if d := delay(p, ""); d != -1 {
		t.Errorf("while this process is busy: %s", d)
	}
	c.HedgeUnless(func() bool { return false })
	if d := delay(p, "key"); d != -1 {
		t.Errorf("a write: %s", d)
	}
	if d := delay(s, ""); d != -1 {
		t.Errorf("an open breaker: %s", d)
	}
}

// TestRetriesEndWithTheBudget: a wait that the budget does not cover is not begun, and the answer says what the service did.
func TestRetriesEndWithTheBudget(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) { s.Backoff, s.Budget, s.Retries = time.Minute, time.Second, 5 }))
	start := time.Now()
	if err := ask(t.Context(), c); reasonOf(err) != Unavailable {
		t.Errorf("got %v", err)
	}
	if n, took := len(u.requests()), time.Since(start); n != 1 || took > 900*time.Millisecond {
		t.Errorf("%d requests, %s", n, took)
	}
}

// TestAnAttemptThatComesTooLate is not made, says nothing about the service, and costs no connection.
func TestAnAttemptThatComesTooLate(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL, uncached)
	if err := ask(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s, before := c.Users.svc, len(u.requests())
	_, err := s.exchange(t.Context(), time.Now(), &request{method: http.MethodGet, target: "/users?ids=u1"}, nil)
	if e, _ := errors.AsType[*Error](err); e == nil || e.Outage.Reason != Timeout || !e.Outage.Unasked || judge(t.Context(), err) != noVerdict {
		t.Errorf("got %v", err)
	}
	if _, err := s.conns.take(t.Context(), time.Now()); err == nil || len(s.conns.idle) != 1 || len(u.requests()) != before {
		t.Errorf("%v, %d connections idle, %d requests", err, len(s.conns.idle), len(u.requests())-before)
	}
}
