package clients

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// upstream stands for all four services at once: it notes every request and answers as the test says.
type upstream struct {
	*httptest.Server
	mu      sync.Mutex
	seen    []seen
	respond http.HandlerFunc
}

// seen is a request as it arrived.
type seen struct {
	method, target, body string
	header               http.Header
}

func newUpstream(t testing.TB, respond http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{respond: respond}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		if _, err := bodyInto(&body, r); err != nil {
			t.Errorf("reading a request: %v", err)
		}
		u.mu.Lock()
		u.seen = append(u.seen, seen{r.Method, r.URL.RequestURI(), body.String(), r.Header.Clone()})
		respond := u.respond
		u.mu.Unlock()
		respond(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func bodyInto(b *strings.Builder, r *http.Request) (int64, error) {
	buf := make([]byte, 4096)
	var total int64
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		total += int64(n)
		if err != nil {
			if err.Error() == "EOF" {
				err = nil
			}
			return total, err
		}
	}
}

// then makes the service answer in another way from now on.
func (u *upstream) then(respond http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.respond = respond
}

// requests are those seen so far.
func (u *upstream) requests() []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.seen)
}

func (u *upstream) targets() []string {
	var targets []string
	for _, r := range u.requests() {
		targets = append(targets, r.method+" "+r.target)
	}
	return targets
}

// wantTargets compares all requests seen so far.
func (u *upstream) wantTargets(t *testing.T, want ...string) {
	t.Helper()
	if got := u.targets(); !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

// clientsOf makes clients of the one upstream: without hedges, and with delays so short that nothing waits.
func clientsOf(t testing.TB, url string, change ...func(*Config)) *Clients {
	t.Helper()
	cfg := DefaultConfig()
	for _, s := range services(&cfg) {
		s.URL, s.Hedge.Off, s.Backoff = url, true, time.Millisecond
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func services(cfg *Config) []*ServiceConfig {
	return []*ServiceConfig{&cfg.User, &cfg.Post, &cfg.Comment, &cfg.Follower}
}

// each changes all services alike.
func each(change func(*ServiceConfig)) func(*Config) {
	return func(cfg *Config) {
		for _, s := range services(cfg) {
			change(s)
		}
	}
}

func uncached(cfg *Config) { cfg.Cache.Off, cfg.CoalesceOff = true, true }

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) set(cfg *Config) { cfg.Now = c.now }

var epochStart = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func user(id UserID, version int) *User {
	return &User{ID: id, Handle: strings.ToLower("h_" + string(id)), Name: "N " + string(id), Status: UserActive,
		CreatedAt: epochStart, UpdatedAt: epochStart, Version: version}
}

func post(id PostID, author UserID, version int) *Post {
	return &Post{ID: id, AuthorID: author, Title: "T" + strconv.Itoa(version), Body: "B", Status: PostPublished,
		CreatedAt: epochStart, UpdatedAt: epochStart, Version: version}
}

func comment(id CommentID, on PostID, by UserID, version int) *Comment {
	return &Comment{ID: id, PostID: on, AuthorID: &by, Body: "C" + strconv.Itoa(version), Status: CommentPublished,
		CreatedAt: epochStart, UpdatedAt: epochStart, Version: version}
}

func follow(pair Pair) *Follow {
	return &Follow{FollowerID: pair.Follower, FolloweeID: pair.Followee, FollowedAt: epochStart, Version: 1}
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// problem answers with a problem document.
func problem(w http.ResponseWriter, status int, code string, members map[string]any) {
	doc := map[string]any{"type": "about:blank", "title": "t", "status": status, "detail": "d", "code": code}
	for k, v := range members {
		doc[k] = v
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc)
}

type object = map[string]any

func items[V any](v ...V) object { return object{"items": append([]V{}, v...)} }

func pageOf[V any](total int, v ...V) object {
	return object{"items": append([]V{}, v...), "next": nil, "prev": nil, "total": total}
}

// usersAsked answers a batch read of users with everyone asked for, in version 1.
func usersAsked(w http.ResponseWriter, r *http.Request) {
	var users []*User
	for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
		users = append(users, user(UserID(id), 1))
	}
	reply(w, 200, items(users...))
}

// kind is the kind of an error, or a word for an error that has none.
func kind(err error) ErrorKind {
	switch {
	case err == nil:
		return ""
	case kindOf(err) == "":
		return ErrorKind("no kind: " + err.Error())
	}
	return kindOf(err)
}
