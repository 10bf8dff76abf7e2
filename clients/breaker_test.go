package clients

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func fail500(w http.ResponseWriter, _ *http.Request) { problem(w, 500, "INTERNAL", nil) }

// ask reads one user, past the cache, and returns the error.
func ask(ctx context.Context, c *Clients) error { return c.Users.ByIDs(ctx, []UserID{"a"})["a"].Err }

func reasonOf(err error) Reason {
	e, ok := err.(*Error)
	if !ok || e.Outage == nil {
		return ""
	}
	return e.Outage.Reason
}

func TestBreakerOpensAtHalfOfTwentyCalls(t *testing.T) {
	u := newUpstream(t, usersAsked)
	var changes []string
	var retries int
	c := clientsOf(t, u.URL, uncached, func(cfg *Config) {
		cfg.Observer.Breaker = func(service, from, to string) { changes = append(changes, service+" "+from+" "+to) }
		cfg.Observer.Retry = func(string) { retries++ }
	})
	for range 10 {
		if err := ask(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	u.then(fail500)
	for i := range 3 {
		if s := c.States()[0]; s.Breaker != "closed" || s.Calls != 10+3*i || s.Failures != 3*i {
			t.Fatalf("after %d failures: %+v", 3*i, s)
		}
		_ = ask(t.Context(), c) // with two retries
	}
	_ = ask(t.Context(), c) // with a retry that meets an open breaker
	s := c.States()[0]
	if s.Breaker != "open" || s.Failures != 10 || s.RetryAfter <= 29*time.Second || s.RetryAfter > 30*time.Second {
		t.Errorf("after 10 of 20 failed: %+v", s)
	}
	retries = 0
	if got := reasonOf(ask(t.Context(), c)); got != CircuitOpen || len(u.requests()) != 20 || retries != 0 {
		t.Errorf("reason %q, %d requests, %d retries", got, len(u.requests()), retries)
	}
	if s := c.States()[1]; s.Breaker != "closed" {
		t.Errorf("the breaker of another service: %+v", s)
	}
	if len(changes) != 1 || changes[0] != "user closed open" {
		t.Errorf("reported %q", changes)
	}
}

// opened makes clients whose user service has just been failing, and whose breaker tries again at once.
func opened(t *testing.T, u *upstream, change ...func(*Config)) *Clients {
	t.Helper()
	c := clientsOf(t, u.URL, append([]func(*Config){uncached, each(func(s *ServiceConfig) {
		s.Retries, s.Breaker.MinCalls, s.Breaker.Delay = 0, 1, time.Nanosecond
	})}, change...)...)
	u.then(fail500)
	_ = ask(t.Context(), c)
	if s := c.States()[0]; s.Breaker != "open" {
		t.Fatalf("not open: %+v", s)
	}
	return c
}

func TestBreakerTriesOnce(t *testing.T) {
	u := newUpstream(t, nil)
	c := opened(t, u)
	arrived, release := make(chan struct{}), make(chan struct{})
	u.then(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		usersAsked(w, r)
	})
	trial := make(chan error)
	go func() { trial <- ask(t.Context(), c) }()
	<-arrived
	if s := c.States()[0]; s.Breaker != "half-open" || s.InFlight != 1 {
		t.Errorf("during the trial: %+v", s)
	}
	for range 3 {
		if got := reasonOf(ask(t.Context(), c)); got != CircuitOpen {
			t.Errorf("beside the trial: %q", got)
		}
	}
	close(release)
	if err := <-trial; err != nil {
		t.Error(err)
	}
	if s := c.States()[0]; s.Breaker != "closed" {
		t.Errorf("after the trial: %+v", s)
	}
	if n := len(u.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestBreakerOpensAgainAfterAFailedTrial(t *testing.T) {
	u := newUpstream(t, nil)
	c := opened(t, u)
	if got := reasonOf(ask(t.Context(), c)); got != Unavailable {
		t.Errorf("the trial: %q", got)
	}
	if s := c.States()[0]; s.Breaker != "open" {
		t.Errorf("after a failed trial: %+v", s)
	}
}

// impatient has n callers ask a service that hangs, and all leave once their requests have arrived.
func impatient(t *testing.T, c *Clients, u *upstream, n int) {
	t.Helper()
	arrived := make(chan struct{})
	u.then(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, leave := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() {
			if err := ask(ctx, c); err != context.Canceled {
				t.Errorf("a caller who left got %v", err)
			}
		})
	}
	for range n {
		<-arrived
	}
	leave()
	callers.Wait()
}

func TestImpatientCallersSayNothingAboutAService(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		u := newUpstream(t, nil)
		c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) { s.Breaker.MinCalls = 2 }))
		impatient(t, c, u, 5)
		if s := c.States()[0]; s.Breaker != "closed" || s.Calls != 0 {
			t.Errorf("after five callers left: %+v", s)
		}
		if n := len(u.requests()); n != 5 {
			t.Errorf("%d requests: somebody else's call was retried", n)
		}
	})
	t.Run("half-open", func(t *testing.T) {
		u := newUpstream(t, nil)
		var changes atomic.Int32
		c := opened(t, u, func(cfg *Config) { cfg.Observer.Breaker = func(_, _, _ string) { changes.Add(1) } })
		for range 3 { // each of them takes the only trial and gives it back
			impatient(t, c, u, 1)
			if s := c.States()[0]; s.Breaker != "half-open" {
				t.Fatalf("after the trial's caller left: %+v", s)
			}
		}
		u.then(usersAsked)
		if err := ask(t.Context(), c); err != nil {
			t.Errorf("the next trial: %v", err)
		}
		if s := c.States()[0]; s.Breaker != "closed" {
			t.Errorf("after a trial at last: %+v", s)
		}
		if n := changes.Load(); n != 3 {
			t.Errorf("%d changes reported, want open, half-open and closed", n)
		}
	})
	t.Run("coalesced", func(t *testing.T) {
		u := newUpstream(t, nil)
		c := clientsOf(t, u.URL, each(func(s *ServiceConfig) { s.Breaker.MinCalls = 1 }))
		arrived, left := make(chan struct{}), make(chan struct{})
		u.then(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			close(left)
		})
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- ask(ctx, c) }()
		<-arrived
		leave()
		if err := <-done; err != context.Canceled {
			t.Errorf("got %v", err)
		}
		<-left
		c.Close()
		if s := c.States()[0]; s.Breaker != "closed" || s.Calls != 0 || s.InFlight != 0 {
			t.Errorf("after the only caller left: %+v", s)
		}
	})
}

// TestLateResultsHaveNoSay lets a call that was admitted before the breaker opened end well during the trial.
func TestLateResultsHaveNoSay(t *testing.T) {
	u := newUpstream(t, nil)
	c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) {
		s.Retries, s.Breaker.MinCalls, s.Breaker.Delay = 0, 1, time.Nanosecond
	}))
	start := func() (release chan struct{}, done chan error) {
		arrived := make(chan struct{})
		release, done = make(chan struct{}), make(chan error, 1)
		u.then(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			usersAsked(w, r)
		})
		go func() { done <- ask(t.Context(), c) }()
		<-arrived
		return release, done
	}
	releaseEarly, early := start()
	u.then(fail500)
	_ = ask(t.Context(), c)
	releaseTrial, trial := start()
	close(releaseEarly)
	if err := <-early; err != nil {
		t.Error(err)
	}
	if s := c.States()[0]; s.Breaker != "half-open" {
		t.Errorf("an early call decided: %+v", s)
	}
	close(releaseTrial)
	if err := <-trial; err != nil {
		t.Error(err)
	}
	if s := c.States()[0]; s.Breaker != "closed" {
		t.Errorf("the trial did not: %+v", s)
	}
}

func TestFullBulkhead(t *testing.T) {
	u := newUpstream(t, nil)
	c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) {
		s.Concurrency, s.QueueWait, s.Breaker.MinCalls = 1, time.Millisecond, 1
	}), func(cfg *Config) { cfg.Observer.Retry = func(string) { t.Error("a full bulkhead is tried again") } })
	arrived, release := make(chan struct{}), make(chan struct{})
	u.then(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		usersAsked(w, r)
	})
	first := make(chan error)
	go func() { first <- ask(t.Context(), c) }()
	<-arrived
	if err := ask(t.Context(), c); reasonOf(err) != Unavailable {
		t.Errorf("without room: %v", err)
	}
	if s := c.States()[0]; s.Breaker != "closed" || s.Calls != 0 {
		t.Errorf("a full bulkhead says nothing about the service: %+v", s)
	}
	if _, err := c.Users.Create(t.Context(), NewUser{Handle: "abc"}); kind(err) != KindUnavailable {
		t.Errorf("a write without room: %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if n := len(u.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestBudgetSpentCountsAsFailure has attempts that are each in time, but not all together.
func TestBudgetSpentCountsAsFailure(t *testing.T) {
	u := newUpstream(t, hang)
	c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) {
		s.Timeout, s.Budget, s.Retries = time.Minute, 100*time.Millisecond, 5
	}))
	start := time.Now()
	if err := ask(t.Context(), c); reasonOf(err) != Timeout {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if s := c.States()[0]; s.Failures != 1 {
		t.Errorf("%+v", s)
	}
}
