package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/relay"
)

// people answers users, their addresses and posts, and the authors of posts, and counts what it is asked for.
type people struct {
	root
	users, posts, deletes atomic.Int64
	email                 func(ctx context.Context, id clients.UserID) (*string, error)
}

type (
	ofUser struct {
		graph.UserResolver
		*people
	}
	ofPost struct {
		graph.PostResolver
		*people
	}
)

func (p *people) User() graph.UserResolver { return ofUser{people: p} }
func (p *people) Post() graph.PostResolver { return ofPost{people: p} }

func newPeople() *people {
	p := &people{email: func(_ context.Context, id clients.UserID) (*string, error) {
		return new(string(id) + "@example.com"), nil
	}}
	p.user = func(ctx context.Context, id clients.GlobalID) (*clients.User, error) {
		p.users.Add(1)
		if id.ID == "none" {
			return nil, nil
		}
		return named(ctx, id)
	}
	p.delete = func(context.Context, clients.PostID) error { p.deletes.Add(1); return nil }
	return p
}

func (p ofUser) Email(ctx context.Context, u *clients.User) (*string, error) {
	return p.email(ctx, u.ID)
}

func (p ofUser) Posts(_ context.Context, users []*clients.User, first *int, _ *string, _ *int, _ *string, _ *relay.Order) ([]*relay.Connection[*clients.Post], error) {
	p.posts.Add(1)
	all := make([]*relay.Connection[*clients.Post], len(users))
	for i, u := range users {
		all[i] = &relay.Connection[*clients.Post]{}
		for n := range *first {
			post := &clients.Post{ID: clients.PostID(fmt.Sprint(u.ID, n)), Title: "of " + string(u.ID)}
			all[i].Edges = append(all[i].Edges, relay.Edge[*clients.Post]{Node: post})
		}
	}
	return all, nil
}

func (p ofPost) Author(_ context.Context, posts []*clients.Post) ([]*clients.User, error) {
	all := make([]*clients.User, len(posts))
	for i, post := range posts {
		all[i] = &clients.User{ID: clients.UserID("of" + post.ID), Name: "author"}
	}
	return all, nil
}

// onBoth runs a test on each executor.
func onBoth(t *testing.T, test func(t *testing.T, s *stage, p *people)) {
	for _, name := range []string{"engine", "gqlgen"} {
		t.Run(name, func(t *testing.T) {
			p := newPeople()
			s := newStage(t, &p.root)
			set := graph.Config{Resolvers: p, Schema: s.view.Schema}
			s.Schema = graph.NewExecutableSchema(set)
			if name == "engine" {
				s.Executor = &operation.Planned{Tables: graph.NewTables(set), Stock: &s.Gqlgen, Delay: time.Millisecond}
			}
			test(t, s, p)
		})
	}
}

// told writes a part on one line: data, or label, path and data of each increment, its errors, and whether more follows.
func told(part *operation.Part) string {
	var b strings.Builder
	if part.First != nil {
		fmt.Fprintf(&b, "%s%s", part.First.Data, codes(part.First.Errors))
	}
	for _, each := range part.Increments {
		fmt.Fprintf(&b, "[%s|%s|%s%s]", each.Label, each.Path, each.Data, codes(each.Errors))
	}
	if part.HasNext {
		b.WriteString(" …")
	}
	return b.String()
}

func codes(errs gqlerror.List) string {
	var b strings.Builder
	for _, err := range errs {
		fmt.Fprintf(&b, " !%s %s", err.Path, err.Extensions["code"])
	}
	return b.String()
}

// deferred runs an operation in parts and writes them down.
func (s *stage) deferred(t *testing.T, query string, variables map[string]any, viewer auth.Viewer) []string {
	t.Helper()
	var parts []string
	result := s.RunDeferred(t.Context(), s.prepare(t, query, variables), operation.Call{Viewer: viewer}, func(part *operation.Part) error {
		parts = append(parts, told(part))
		return nil
	})
	if result != nil {
		t.Fatalf("it did not run: %v", result.Errors)
	}
	return parts
}

func TestDeferredFragmentsAreAnsweredLater(t *testing.T) {
	for name, tt := range map[string]struct {
		query string
		vars  map[string]any
		want  []string
	}{
		"inline": {`{ user(id: "user_1") { id ... @defer(label: "later") { name email } } }`, nil,
			[]string{`{"user":{"id":"user_1"}} …`, `[later|user|{"name":"user 1","email":"1@example.com"}]`}},
		"a spread": {`{ a: user(id: "user_1") { ...F @defer } b: user(id: "user_2") { ...F } } fragment F on User { name }`, nil,
			[]string{`{"a":{},"b":{"name":"user 2"}} …`, `[|a|{"name":"user 1"}]`}},
		"at the root": {`{ ... @defer { user(id: "user_1") { name } } }`, nil,
			[]string{`{} …`, `[||{"user":{"name":"user 1"}}]`}},
		"in a list": {`{ user(id: "user_1") { posts(first: 2) { nodes { id ... @defer { title author { name } } } } } }`, nil,
			[]string{`{"user":{"posts":{"nodes":[{"id":"post_10"},{"id":"post_11"}]}}} …`,
				`[|user.posts.nodes[0]|{"title":"of 1","author":{"name":"author"}}][|user.posts.nodes[1]|{"title":"of 1","author":{"name":"author"}}]`}},
		"nested": {`{ user(id: "user_1") { ... @defer(label: "outer") { posts(first: 1) { nodes { id ... @defer(label: "inner") { author { id } } } } } } }`, nil,
			[]string{`{"user":{}} …`, `[outer|user|{"posts":{"nodes":[{"id":"post_10"}]}}] …`, `[inner|user.posts.nodes[0]|{"author":{"id":"user_of10"}}]`}},
		"directly nested": {`{ user(id: "user_1") { ... @defer(label: "a") { name ... @defer(label: "b") { id } } } }`, nil,
			[]string{`{"user":{}} …`, `[a|user|{"name":"user 1"}] …`, `[b|user|{"id":"user_1"}]`}},
		"nested, with nothing of the outer's own": {`{ user(id: "user_1") { id ... @defer(label: "a") { ... @defer(label: "b") { name } } } }`, nil,
			[]string{`{"user":{"id":"user_1"}} …`, `[b|user|{"name":"user 1"}]`}},
		"a deferred spread in a deferred spread": {`{ user(id: "user_1") { ...F @defer } } fragment F on User { ...G @defer } fragment G on User { name }`, nil,
			[]string{`{"user":{}} …`, `[|user|{"name":"user 1"}]`}},
		"nested beside what is skipped": {`{ user(id: "user_1") { ... @defer { id @skip(if: true) ... @defer { name } } } }`, nil,
			[]string{`{"user":{}} …`, `[|user|{"name":"user 1"}]`}},
		"nested with conditions of type": {`{ user(id: "user_1") { ... @defer { ... on Node { ... on Post { title } ... on User { ... on Node @defer(label: "u") { id } } } } } }`, nil,
			[]string{`{"user":{}} …`, `[u|user|{"id":"user_1"}]`}},
		"a way that is skipped": {`{ user(id: "user_1") @skip(if: true) { ... @defer { name } } user(id: "user_1") { id } }`, nil,
			[]string{`{"user":{"id":"user_1"}} …`, ``}},
		"what is also asked for at once": {`{ user(id: "user_1") { name ... @defer { name id } } }`, nil,
			[]string{`{"user":{"name":"user 1"}} …`, `[|user|{"name":"user 1","id":"user_1"}]`}},
		"by a variable": {`query($now: Boolean!, $later: Boolean!) { user(id: "user_1") { ... @defer(if: $now) { id } ... @defer(if: $later) { name } } }`, map[string]any{"now": false, "later": true},
			[]string{`{"user":{"id":"user_1"}} …`, `[|user|{"name":"user 1"}]`}},
		"a variable that is not given": {`query($if: Boolean) { user(id: "user_1") { ... @defer(if: $if) { id } } }`, nil,
			[]string{`{"user":{}} …`, `[|user|{"id":"user_1"}]`}},
		"no object":             {`{ user(id: "user_none") { ... @defer { id } } }`, nil, []string{`{"user":null}`}},
		"an object of no match": {`{ user(id: "user_1") { ... on Node { ... on Post @defer { title } } } }`, nil, []string{`{"user":{}} …`, ``}},
		"skipped":               {`{ user(id: "user_1") { id ... @defer @skip(if: true) { name } } }`, nil, []string{`{"user":{"id":"user_1"}} …`, ``}},
		"in a fragment": {`{ a: user(id: "user_1") { ...F } } fragment F on User { id ... @defer { name } }`, nil,
			[]string{`{"a":{"id":"user_1"}} …`, `[|a|{"name":"user 1"}]`}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *stage, _ *people) {
				if got := s.deferred(t, tt.query, tt.vars, auth.Viewer{}); !slices.Equal(got, tt.want) {
					t.Errorf("%q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestTheWayToADeferredFragmentIsNotGoneAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		s.deferred(t, `{ user(id: "user_1") { posts(first: 3) { nodes { ... @defer { author { ... @defer { name } } } } ... @defer { pageInfo { hasNextPage } } } } }`, nil, auth.Viewer{})
		if p.users.Load() != 1 || p.posts.Load() != 1 {
			t.Errorf("the user was read %d times and the posts %d times", p.users.Load(), p.posts.Load())
		}
	})
}

func TestADeferredFragmentDoesNotWriteAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		got := s.deferred(t, `mutation { a: deletePost(input: {id: "post_1"}) { ... @defer { deletedPostId } } b: deletePost(input: {id: "post_2"}) { deletedPostId ... @defer { userErrors { code } } } }`, nil, auth.Viewer{})
		slices.Sort(got[1:]) // either may be first
		if len(got) != 3 || got[0] != `{"a":{},"b":{"deletedPostId":"post_2"}} …` || p.deletes.Load() != 2 {
			t.Errorf("%d deletes, %q", p.deletes.Load(), got)
		}
	})
}

func TestErrorsOfADeferredFragmentStandInItsPart(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		p.email = func(context.Context, clients.UserID) (*string, error) { return nil, errors.New("SECRET") }
		got := s.deferred(t, `{ a: user(id: "file_1") { id } user(id: "user_1") { id ... @defer(label: "x") { name email } } }`, nil, auth.Viewer{})
		want := []string{`{"a":null,"user":{"id":"user_1"}} !a BAD_USER_INPUT …`, `[x|user|{"name":"user 1","email":null} !user.email INTERNAL]`}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestProtectedFieldsStayProtectedInParts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		query := `{ user(id: "user_1") { id ... @defer { id } } ... @defer(label: "admin") { apiKeys { nodes { id } } } }`
		got := s.deferred(t, query, nil, auth.Viewer{UserID: "u"})
		if !slices.Contains(got[1:], `[admin||{"apiKeys":null} !apiKeys FORBIDDEN] …`) && !slices.Contains(got[1:], `[admin||{"apiKeys":null} !apiKeys FORBIDDEN]`) {
			t.Errorf("%q", got)
		}
	})
}

func TestTheClientLeavesBetweenTheParts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		ended := make(chan error, 1)
		p.email = func(ctx context.Context, _ clients.UserID) (*string, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}
		parts := 0
		result := s.RunDeferred(t.Context(), s.prepare(t, `{ user(id: "user_1") { id ... @defer { email } } }`, nil), operation.Call{}, func(*operation.Part) error {
			parts++
			return errors.New("it has left")
		})
		if result != nil || parts != 1 || len(ended) != 1 {
			t.Errorf("%d parts were sent, %d fields ended, and %v", parts, len(ended), result)
		}
	})
}

func TestPartsShareOneDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		s.Timeout = 20 * time.Millisecond
		p.email = func(ctx context.Context, _ clients.UserID) (*string, error) { <-ctx.Done(); return nil, ctx.Err() }
		got := s.deferred(t, `{ user(id: "user_1") { id ... @defer { email } } }`, nil, auth.Viewer{})
		if len(got) != 2 || strings.HasSuffix(got[1], "…") || !strings.Contains(got[1], "!") {
			t.Errorf("%q", got)
		}
	})
}

func TestTooManyDeferralsAreAnsweredAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		query := "{ user(id: \"user_1\") { " + strings.Repeat("... @defer { name } ", 17) + "} }"
		if got := s.deferred(t, query, nil, auth.Viewer{}); !slices.Equal(got, []string{`{"user":{"name":"user 1"}}`}) {
			t.Errorf("%q", got)
		}
	})
}

func TestBoundsHoldOverAllParts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		s.MaxResponseBytes = 60
		got := s.deferred(t, `{ user(id: "user_1") { id ... @defer { posts(first: 9) { nodes { id ... @defer { title } } } } } }`, nil, auth.Viewer{})
		if want := []string{`{"user":{"id":"user_1"}} …`, `[|user|null ! RESPONSE_TOO_LARGE]`}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		s.MaxResponseBytes, s.MaxErrors = 0, 2
		p.email = func(context.Context, clients.UserID) (*string, error) { return nil, errors.New("no") }
		got = s.deferred(t, `{ user(id: "user_1") { id ... @defer { posts(first: 5) { nodes { id author { email } } } } } }`, nil, auth.Viewer{})
		if strings.Count(got[1], "INTERNAL") != 2 || !strings.Contains(got[1], "TOO_MANY_ERRORS") {
			t.Errorf("%q", got[1])
		}
	})
}

func TestTheLastPartTellsTheCost(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, _ *people) {
		query := `{ user(id: "user_1") { posts(first: 10) { nodes { id } } ... @defer { email } } }`
		first := s.Run(t.Context(), s.prepare(t, `{ user(id: "user_1") { posts(first: 10) { nodes { id } } } }`, nil), operation.Call{})
		later := s.Run(t.Context(), s.prepare(t, `{ user(id: "user_1") { email } }`, nil), operation.Call{})
		whole := operation.Cost{Requested: first.Cost.Requested + later.Cost.Requested, Actual: first.Cost.Actual + later.Cost.Actual}
		var observed []*operation.Result
		s.Observe = func(_ context.Context, _ *operation.Prepared, r *operation.Result, _ time.Duration) {
			observed = append(observed, r)
		}
		var cost []string
		s.RunDeferred(t.Context(), s.prepare(t, query, nil), operation.Call{}, func(part *operation.Part) error {
			extensions := part.Extensions
			if part.First != nil {
				extensions = part.First.Extensions
			}
			raw, _ := json.Marshal(extensions["cost"])
			cost = append(cost, string(raw))
			return nil
		})
		want := []string{fmt.Sprintf(`{"requested":%d}`, whole.Requested), fmt.Sprintf(`{"requested":%d,"actual":%d}`, whole.Requested, whole.Actual)}
		if !slices.Equal(cost, want) || len(observed) != 1 || observed[0].Cost != whole {
			t.Errorf("cost %q, want %q; observed %v", cost, want, observed)
		}
	})
}

func TestDeferIsRefusedWhereThereAreNoParts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *stage, p *people) {
		op := s.prepare(t, `query($if: Boolean! = true) { user(id: "user_1") { ... @defer(if: $if) { id } } }`, nil)
		result := s.Run(t.Context(), op, operation.Call{})
		if result.Outcome != operation.Refused || result.Data != nil || result.Errors[0].Extensions["code"] != operation.CodeDeferNotSupported || p.users.Load() != 0 {
			t.Errorf("outcome %v, %s, %v, %d reads", result.Outcome, result.Data, result.Errors, p.users.Load())
		}
		op = s.prepare(t, `query($if: Boolean! = true) { user(id: "user_1") { ... @defer(if: $if) { id } ... @defer(if: false) { name } } }`, map[string]any{"if": false})
		wantResult(t, s.Run(t.Context(), op, operation.Call{}), `{"user":{"id":"user_1","name":"user 1"}}`)
	})
}

func TestASubscriptionHasNoParts(t *testing.T) {
	s := newStage(t, &root{})
	op := s.prepare(t, `subscription { postAdded { ... @defer { cursor } } }`, nil)
	sub, result := s.Subscribe(t.Context(), op, operation.Call{}, nil)
	if sub != nil || result == nil || result.Outcome != operation.Refused || result.Errors[0].Extensions["code"] != operation.CodeDeferNotSupported {
		t.Errorf("%v, %+v", sub, result)
	}
}
