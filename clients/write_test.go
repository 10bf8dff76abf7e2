package clients

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// write is one of the clients' writes, on the post p1, the comment c2 below c1, the user u1 and the edge from a to b.
type writeCase struct {
	name   string
	do     func(context.Context, *Clients) (any, error)
	line   string // as it is sent
	body   string
	status int
	answer any
	want   any
}

func writeCases() []writeCase {
	p1, u1, c2 := post("p1", "u1", 2), user("u1", 2), comment("c2", "p1", "u1", 2)
	parent := CommentID("c1")
	c2.ParentID = &parent
	name, published, body := "New", PostPublished, "new"
	edge := Pair{"a", "b"}
	nothing := func(err error) (any, error) { return nil, err }
	return []writeCase{
		{"create user", func(ctx context.Context, c *Clients) (any, error) {
			return c.Users.Create(ctx, NewUser{Handle: "Abc", Name: "N", Bio: &body})
		}, "POST /users", `{"handle":"Abc","name":"N","bio":"new"}`, 201, u1, u1},
		{"update user", func(ctx context.Context, c *Clients) (any, error) {
			return c.Users.Update(ctx, "u1", 1, UserPatch{Name: &name, Email: Nullable[string]{Set: true}, Bio: Nullable[string]{Set: true, Value: &body}})
		}, "PATCH /users/u1", `{"name":"New","email":null,"bio":"new"}`, 200, u1, u1},
		{"create post", func(ctx context.Context, c *Clients) (any, error) {
			return c.Posts.Create(ctx, NewPost{AuthorID: "u1", Title: "t", Body: "b"})
		}, "POST /posts", `{"authorId":"u1","title":"t","body":"b","status":"draft"}`, 201, p1, p1},
		{"update post", func(ctx context.Context, c *Clients) (any, error) {
			return c.Posts.Update(ctx, "p1", 1, PostPatch{Title: &name})
		}, "PATCH /posts/p1", `{"title":"New"}`, 200, p1, p1},
		{"publish post", func(ctx context.Context, c *Clients) (any, error) {
			return c.Posts.Update(ctx, "p1", 1, PostPatch{Status: &published})
		}, "PATCH /posts/p1", `{"status":"published"}`, 200, p1, p1},
		{"delete post", func(ctx context.Context, c *Clients) (any, error) {
			return nothing(c.Posts.Delete(ctx, post("p1", "u1", 1)))
		},
			"DELETE /posts/p1", "", 204, nil, nil},
		{"create comment", func(ctx context.Context, c *Clients) (any, error) {
			return c.Comments.Create(ctx, NewComment{PostID: "p1", ParentID: &parent, AuthorID: "u1", Body: "b"})
		}, "POST /comments", `{"postId":"p1","parentId":"c1","authorId":"u1","body":"b"}`, 201, c2, c2},
		{"update comment", func(ctx context.Context, c *Clients) (any, error) { return c.Comments.Update(ctx, c2, 1, body) },
			"PATCH /comments/c2", `{"body":"new"}`, 200, c2, c2},
		{"delete comment", func(ctx context.Context, c *Clients) (any, error) { return nothing(c.Comments.Delete(ctx, c2)) },
			"DELETE /comments/c2", "", 204, nil, nil},
		{"follow", func(ctx context.Context, c *Clients) (any, error) {
			follow, created, err := c.Followers.Follow(ctx, edge)
			return []any{follow, created}, err
		}, "PUT /edges/a/b", "", 201, follow(edge), []any{*follow(edge), true}},
		{"follow again", func(ctx context.Context, c *Clients) (any, error) {
			follow, created, err := c.Followers.Follow(ctx, edge)
			return []any{follow, created}, err
		}, "PUT /edges/a/b", "", 200, follow(edge), []any{*follow(edge), false}},
		{"unfollow", func(ctx context.Context, c *Clients) (any, error) { return nothing(c.Followers.Unfollow(ctx, edge)) },
			"DELETE /edges/a/b", "", 204, nil, nil},
	}
}

// give answers a write as a sound service does.
func (tc *writeCase) give(w http.ResponseWriter, _ *http.Request) {
	if tc.status == 204 {
		w.WriteHeader(204)
		return
	}
	reply(w, tc.status, tc.answer)
}

func TestWrites(t *testing.T) {
	for _, tc := range writeCases() {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, tc.give)
			c := clientsOf(t, u.URL)
			got, err := tc.do(t.Context(), c)
			if err != nil || (tc.want != nil && !reflect.DeepEqual(got, tc.want)) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tc.want)
			}
			u.wantTargets(t, tc.line)
			r := u.requests()[0]
			if r.body != tc.body {
				t.Errorf("body %s\nwant %s", r.body, tc.body)
			}
			if key := r.header.Get("Idempotency-Key"); len(key) < 20 || len(key) > 255 {
				t.Errorf("Idempotency-Key %q", key)
			}
			wantMatch, wantType := "", ""
			if strings.HasPrefix(tc.line, "PATCH") {
				wantMatch = `"1"`
			}
			if tc.body != "" {
				wantType = "application/json"
			}
			if m, ct := r.header.Get("If-Match"), r.header.Get("Content-Type"); m != wantMatch || ct != wantType {
				t.Errorf("If-Match %q, Content-Type %q", m, ct)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL, uncached, each(func(s *ServiceConfig) { s.Token = "secret" }))
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	}))
	_ = ask(WithCaller(ctx, Caller{Actor: "u7", RequestID: "req-1", IdempotencyKey: "k"}), c)
	_ = ask(WithCaller(t.Context(), Caller{Actor: "u7\r\nX-Evil: 1", RequestID: "a b"}), c)
	_ = ask(t.Context(), clientsOf(t, u.URL, uncached))
	common := map[string]string{"Accept": "application/json, application/problem+json", "User-Agent": "tributary"}
	for i, extra := range []map[string]string{
		{"Authorization": "Bearer secret", "X-Actor": "u7", "X-Request-Id": "req-1",
			"Traceparent": "00-01000000000000000000000000000000-0200000000000000-01"},
		{"Authorization": "Bearer secret"},
		{},
	} {
		got := u.requests()[i].header
		want := http.Header{}
		for _, m := range []map[string]string{common, extra} {
			for k, v := range m {
				want.Set(k, v)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("request %d: headers %v\nwant %v", i, got, want)
		}
	}
}

func TestIdempotencyKeys(t *testing.T) {
	u := newUpstream(t, nil)
	c := clientsOf(t, u.URL)
	sent := func(caller string, which int) string {
		tc := writeCases()[which]
		u.then(tc.give)
		if _, err := tc.do(WithCaller(t.Context(), Caller{IdempotencyKey: caller}), c); err != nil {
			t.Fatal(err)
		}
		all := u.requests()
		return all[len(all)-1].header.Get("Idempotency-Key")
	}
	seen := make(map[string]string) // key → what it was for
	for i, tc := range writeCases() {
		for _, caller := range []string{"k", "l"} {
			key, purpose := sent(caller, i), tc.line+" for "+caller
			if was, known := seen[key]; known && was != purpose {
				t.Errorf("%s got the key of %s", purpose, was)
			}
			seen[key] = purpose
			if again := sent(caller, i); again != key {
				t.Errorf("%s got another key the second time", purpose)
			}
		}
		first, second := sent("", i), sent("", i)
		if first == second {
			t.Errorf("%s: two writes without a key got the same one", tc.line)
		}
	}
}

func TestRetriedWritesKeepTheirKey(t *testing.T) {
	for _, tc := range writeCases() {
		u := newUpstream(t, failFirst(2, cut("", true), tc.give))
		c := clientsOf(t, u.URL)
		got, err := tc.do(t.Context(), c)
		if err != nil || (tc.want != nil && !reflect.DeepEqual(got, tc.want)) {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
		all := u.requests()
		if len(all) != 3 || all[0].header.Get("Idempotency-Key") != all[2].header.Get("Idempotency-Key") || all[0].body != all[2].body {
			t.Errorf("%s: %d requests, keys or bodies differ", tc.name, len(all))
		}
	}
}

// TestOutcomes tells what a failed write means: done or not, and why.
func TestOutcomes(t *testing.T) {
	status := func(code int, name string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { problem(w, code, name, nil) }
	}
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		kind     ErrorKind
		reason   Reason
		requests int
	}{
		{"not found", status(404, "NOT_FOUND"), KindNotFound, "", 1},
		{"conflict", status(409, "CONFLICT"), KindConflict, "", 1},
		{"version", status(412, "VERSION_MISMATCH"), KindConflict, "", 1},
		{"invalid", status(422, "INVALID"), KindInvalid, "", 1},
		{"bad request", status(400, "BAD_REQUEST"), KindInvalid, "", 1},
		{"unauthenticated", status(401, "UNAUTHENTICATED"), KindInternal, "", 1},
		{"throttled", status(429, "THROTTLED"), KindUnavailable, Unavailable, 3},
		{"unavailable", status(503, "UNAVAILABLE"), KindUnavailable, Unavailable, 3},
		{"failed and said so", status(500, "INTERNAL"), KindUnavailable, Unavailable, 3},
		{"failed somehow", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oops", http.StatusInternalServerError) }, KindUnknownOutcome, Unavailable, 3},
		{"gateway timeout", status(504, "X"), KindUnknownOutcome, Unavailable, 3},
		{"refused", nil, KindUnavailable, Unavailable, 0},
		{"reset", cut("", true), KindUnknownOutcome, Unavailable, 3},
		{"reset, then refused politely", failFirst(1, cut("", true), status(503, "UNAVAILABLE")), KindUnknownOutcome, Unavailable, 3},
		{"reset, then invalid", failFirst(1, cut("", true), status(422, "INVALID")), KindInvalid, "", 2},
		{"truncated", plain("application/json", `{"id":"p1"`), KindUnknownOutcome, Unavailable, 3},
		{"another entity", plain("application/json", `{"id":"p2","authorId":"u1","status":"draft","createdAt":"2025-01-01T00:00:00Z","version":2}`), KindUnknownOutcome, Unavailable, 1},
		{"too slow", hang, KindUnknownOutcome, Timeout, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u := newUpstream(t, tc.handler)
			c := clientsOf(t, u.URL, each(func(s *ServiceConfig) {
				if tc.reason == Timeout {
					s.Timeout, s.Retries = 50*time.Millisecond, 1
				}
			}))
			if tc.handler == nil {
				aimAt(t, c.Posts.svc, refusingURL(t))
			}
			_, err := c.Posts.Update(t.Context(), "p1", 1, PostPatch{})
			e, _ := errors.AsType[*Error](err)
			if e == nil || e.Kind != tc.kind || (e.Outage == nil) != (tc.reason == "") || (e.Outage != nil && e.Outage.Reason != tc.reason) {
				t.Errorf("got %v", err)
			}
			if n := len(u.requests()); n != tc.requests {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("open breaker", func(t *testing.T) {
		u := newUpstream(t, nil)
		c := opened(t, u, each(func(s *ServiceConfig) { s.Breaker.Delay = time.Minute }))
		if _, err := c.Users.Create(t.Context(), NewUser{}); kind(err) != KindUnavailable || reasonOf(err) != CircuitOpen {
			t.Errorf("got %v", err)
		}
	})
}

func TestProblemsAreToldInFull(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			problem(w, 412, "VERSION_MISMATCH", object{"version": 7})
			return
		}
		problem(w, 422, "INVALID", object{"errors": []object{{"field": "handle", "code": "TAKEN", "message": "is taken"}}})
	})
	c := clientsOf(t, u.URL)
	_, err := c.Users.Create(t.Context(), NewUser{})
	if e, _ := errors.AsType[*Error](err); e == nil || !slices.Equal(e.Fields, []FieldError{{"handle", "TAKEN", "is taken"}}) || e.Status != 422 || e.Code != "INVALID" {
		t.Errorf("422: %+v", e)
	}
	_, err = c.Users.Update(t.Context(), "a", 1, UserPatch{})
	if e, _ := errors.AsType[*Error](err); e == nil || e.Version != 7 {
		t.Errorf("412: %+v", e)
	}
}

func TestMalformedTargetsAreNotFound(t *testing.T) {
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	c, ctx := clientsOf(t, u.URL), t.Context()
	_, err1 := c.Users.Update(ctx, "../x", 1, UserPatch{})
	_, err2 := c.Posts.Update(ctx, "", 1, PostPatch{})
	err3 := c.Posts.Delete(ctx, &Post{ID: "a/b"})
	_, _, err4 := c.Followers.Follow(ctx, Pair{"a", "b/c"})
	err5 := c.Followers.Unfollow(ctx, Pair{"a?", "b"})
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if kind(err) != KindNotFound {
			t.Errorf("%d: %v", i+1, err)
		}
	}
}

// TestACallerWhoLeavesAWrite knows whether it may have been done.
func TestACallerWhoLeavesAWrite(t *testing.T) {
	arrived := make(chan struct{})
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	c := clientsOf(t, u.URL)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.Users.Create(ctx, NewUser{})
		done <- err
	}()
	<-arrived
	leave()
	if err := <-done; kind(err) != KindUnknownOutcome || !errors.Is(err, context.Canceled) {
		t.Errorf("left under way: %v", err)
	}
	if _, err := c.Users.Create(ctx, NewUser{}); err != context.Canceled {
		t.Errorf("left before: %v", err)
	}
	if s := c.States()[0]; s.Calls != 0 {
		t.Errorf("it counts for the breaker: %+v", s)
	}
}
