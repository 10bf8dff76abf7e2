package clients

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesWhatMakesNoSense(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"":                            func(*Config) {},
		"user service: url":           func(c *Config) { c.User.URL = "localhost:80" },
		"post service: url":           func(c *Config) { c.Post.URL = "" },
		"comment service: url":        func(c *Config) { c.Comment.URL = "ftp://x" },
		"follower service: url":       func(c *Config) { c.Follower.URL = "http://x?y=z" },
		"user service: url: must not": func(c *Config) { c.User.URL = "http://a:b@x" },
		"timeout":                     func(c *Config) { c.User.Timeout = 0 },
		"budget":                      func(c *Config) { c.User.Budget = -1 },
		"retries":                     func(c *Config) { c.User.Retries = -1 },
		"failure rate":                func(c *Config) { c.User.Breaker.FailureRate = 1.1 },
		"at least 1 call":             func(c *Config) { c.User.Breaker.MinCalls = 0 },
		"window":                      func(c *Config) { c.User.Breaker.Window = 0 },
		"concurrency":                 func(c *Config) { c.User.Concurrency = 0 },
		"parallel":                    func(c *Config) { c.User.Parallel = 0 },
		"max keys":                    func(c *Config) { c.User.MaxKeys = 501 },
		"max URL bytes":               func(c *Config) { c.User.MaxURLBytes = 1 },
		"cache":                       func(c *Config) { c.Cache.Bytes = 0 },
		"keep not below fresh":        func(c *Config) { c.Cache.Keep = 0 },
	} {
		cfg := DefaultConfig()
		for _, s := range services(&cfg) {
			s.URL = "http://x"
		}
		change(&cfg)
		_, err := New(cfg)
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
		if err != nil && strings.Contains(err.Error(), "a:b") {
			t.Errorf("a secret in %v", err)
		}
	}
}

func TestStates(t *testing.T) {
	u, now := newUpstream(t, usersAsked), newClock()
	c := clientsOf(t, u.URL, now.set)
	if err := ask(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	states := c.States()
	for i, name := range []string{"user", "post", "comment", "follower"} {
		want := State{Service: name, Breaker: "closed", Since: now.now()}
		if i == 0 {
			want.Calls = 1
		}
		if states[i] != want {
			t.Errorf("got %+v, want %+v", states[i], want)
		}
	}
}

// TestABaseWithAPath calls a service that stands below a path.
func TestABaseWithAPath(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL+"/api/v2/")
	if err := ask(t.Context(), c); err != nil {
		t.Error(err)
	}
	u.wantTargets(t, "GET /api/v2/users?ids=a")
}

func TestIDsOnTheGraph(t *testing.T) {
	var out bytes.Buffer
	UserID("1").MarshalGQL(&out)
	PostID("2").MarshalGQL(&out)
	CommentID("3").MarshalGQL(&out)
	if out.String() != `"user_1""post_2""comment_3"` {
		t.Errorf("got %s", &out)
	}
	var u UserID
	var p PostID
	var c CommentID
	var g GlobalID
	if err := errors.Join(u.UnmarshalGQL("user_1"), p.UnmarshalGQL("post_2"), c.UnmarshalGQL("comment_3"), g.UnmarshalGQL("post_4")); err != nil ||
		u != "1" || p != "2" || c != "3" || g != (GlobalID{KindPost, "4"}) {
		t.Errorf("got %q %q %q %v, %v", u, p, c, g, err)
	}
	for _, bad := range []error{u.UnmarshalGQL("post_1"), p.UnmarshalGQL(1), c.UnmarshalGQL("comment_"), g.UnmarshalGQL(nil)} {
		if !errors.Is(bad, ErrMalformedID) {
			t.Errorf("got %v", bad)
		}
	}
}

func TestOddAnswersAreLoggedOnceInAWhile(t *testing.T) {
	u, now := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, items(user("intruder", 1))) }), newClock()
	var log bytes.Buffer
	c := clientsOf(t, u.URL, uncached, now.set, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 3 {
		_ = ask(t.Context(), c)
	}
	now.add(time.Minute)
	_ = ask(t.Context(), c)
	if n := strings.Count(log.String(), "service=user endpoint=/users count=1"); n != 2 {
		t.Errorf("%d lines in two minutes:\n%s", n, &log)
	}
}

func TestCallerTravels(t *testing.T) {
	want := Caller{Actor: "u1", RequestID: "r", IdempotencyKey: "k"}
	if got := CallerFrom(WithCaller(t.Context(), want)); got != want {
		t.Errorf("got %+v", got)
	}
	if got := CallerFrom(context.Background()); got != (Caller{}) {
		t.Errorf("got %+v", got)
	}
}
