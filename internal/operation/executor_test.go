package operation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/resolvers"
)

// root answers a few fields of the real graph; any other panics.
type root struct {
	graph.ResolverRoot
	user   func(ctx context.Context, id clients.GlobalID) (*clients.User, error)
	delete func(ctx context.Context, id clients.PostID) error
}

type (
	query struct {
		graph.QueryResolver
		root *root
	}
	mutation struct {
		graph.MutationResolver
		root *root
	}
)

func (r *root) Query() graph.QueryResolver       { return query{root: r} }
func (r *root) Mutation() graph.MutationResolver { return mutation{root: r} }

func (q query) User(ctx context.Context, id *clients.GlobalID, _ *string) (*clients.User, error) {
	return q.root.user(ctx, *id)
}

func (m mutation) DeletePost(ctx context.Context, input graph.DeletePostInput) (*graph.DeletePostPayload, error) {
	return &graph.DeletePostPayload{DeletedPostID: &input.ID, UserErrors: []*graph.UserError{}}, m.root.delete(ctx, input.ID)
}

// named answers every id with a user of that name.
func named(_ context.Context, id clients.GlobalID) (*clients.User, error) {
	return &clients.User{ID: clients.UserID(id.ID), Name: "user " + id.ID}, nil
}

type scopeKey struct{}

// stage is an executor of the real graph over a root, its scopes numbered, its errors presented as the program does.
type stage struct {
	operation.Gqlgen
	operation.Pipeline
	view   *operation.View
	scopes atomic.Int64
	log    bytes.Buffer
}

func newStage(t *testing.T, r *root) *stage {
	t.Helper()
	s := &stage{}
	real := &resolvers.Resolver{Logger: slog.New(slog.NewJSONHandler(&s.log, nil))}
	var err error
	if s.view, err = operation.NewView("test", graph.NewExecutableSchema(graph.Config{Resolvers: r}).Schema(), nil); err != nil {
		t.Fatal(err)
	}
	s.Gqlgen = operation.Gqlgen{
		Schema:  graph.NewExecutableSchema(graph.Config{Resolvers: r, Schema: s.view.Schema}),
		Scope:   func(ctx context.Context) context.Context { return context.WithValue(ctx, scopeKey{}, s.scopes.Add(1)) },
		Present: real.Present, Recover: real.Recover,
	}
	preparer, err := operation.NewPreparer(1<<20, operation.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	s.Pipeline = operation.Pipeline{
		Preparer: preparer, Executor: &s.Gqlgen, Timeout: time.Minute,
		Enter:   func(ctx context.Context, _ operation.Call) context.Context { return ctx },
		Observe: func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {},
	}
	return s
}

func (s *stage) prepare(t *testing.T, query string, variables map[string]any) *operation.Prepared {
	t.Helper()
	prepared, errs := s.Prepare(s.view, operation.Request{Query: query, Variables: variables})
	if errs != nil {
		t.Fatal(errs)
	}
	return prepared
}

// wantResult compares data and, for each error, "path: code".
func wantResult(t *testing.T, result *operation.Result, data string, errs ...string) {
	t.Helper()
	if result == nil {
		t.Fatal("no result")
	}
	if !json.Valid(result.Data) || string(result.Data) != data {
		t.Errorf("data %s, want %s", result.Data, data)
	}
	var got []string
	for _, err := range result.Errors {
		got = append(got, fmt.Sprintf("%s: %s", err.Path, err.Extensions["code"]))
	}
	if strings.Join(got, ", ") != strings.Join(errs, ", ") {
		t.Errorf("errors %q, want %q", got, errs)
	}
}

func TestAQueryHasOneScope(t *testing.T) {
	var seen sync.Map
	s := newStage(t, &root{user: func(ctx context.Context, id clients.GlobalID) (*clients.User, error) {
		seen.Store(id.ID, ctx.Value(scopeKey{}))
		return named(ctx, id)
	}})
	result := s.Execute(t.Context(), s.prepare(t, `{ a: user(id: "user_1") { id } b: user(id: "user_2") { name } }`, nil), nil)
	wantResult(t, result, `{"a":{"id":"user_1"},"b":{"name":"user 2"}}`)
	one, _ := seen.Load("1")
	two, _ := seen.Load("2")
	if s.scopes.Load() != 1 || one != int64(1) || two != int64(1) {
		t.Errorf("%d scopes were opened; the fields saw %v and %v", s.scopes.Load(), one, two)
	}
	s.Execute(t.Context(), s.prepare(t, `{ user(id: "user_1") { id } }`, nil), nil)
	if one, _ := seen.Load("1"); one != int64(2) {
		t.Errorf("the next response saw scope %v", one)
	}
}

func TestEveryRootFieldOfAMutationHasAScope(t *testing.T) {
	var order []string // fields of a mutation run one after another: the race detector would tell
	s := newStage(t, &root{delete: func(ctx context.Context, id clients.PostID) error {
		order = append(order, fmt.Sprint(id, " in ", ctx.Value(scopeKey{})))
		return nil
	}})
	result := s.Execute(t.Context(), s.prepare(t, `mutation {
		a: deletePost(input: {id: "post_1"}) { deletedPostId }
		b: deletePost(input: {id: "post_2"}) { deletedPostId }
		c: deletePost(input: {id: "post_3"}) { deletedPostId }
	}`, nil), nil)
	wantResult(t, result, `{"a":{"deletedPostId":"post_1"},"b":{"deletedPostId":"post_2"},"c":{"deletedPostId":"post_3"}}`)
	if got := strings.Join(order, ", "); got != "1 in 2, 2 in 3, 3 in 4" {
		t.Errorf("fields ran in the scopes %s", got)
	}
}

func TestVariablesReachTheResolvers(t *testing.T) {
	s := newStage(t, &root{user: named})
	result := s.Execute(t.Context(), s.prepare(t, `query($id: ID, $with: Boolean! = true) { user(id: $id) { id @skip(if: $with) name @include(if: $with) } }`, map[string]any{"id": "user_7"}), nil)
	wantResult(t, result, `{"user":{"name":"user 7"}}`)
}

func TestOneFieldsFailureIsItsOwn(t *testing.T) {
	s := newStage(t, &root{user: func(ctx context.Context, id clients.GlobalID) (*clients.User, error) {
		switch id.ID {
		case "panics":
			panic("SECRET at 10.0.0.1")
		case "fails":
			return nil, errors.New("SECRET at 10.0.0.1")
		case "denied":
			return nil, auth.ErrForbidden
		}
		return named(ctx, id)
	}})
	result := s.Execute(t.Context(), s.prepare(t, `{
		a: user(id: "user_1") { name }
		b: user(id: "user_panics") { name }
		c: user(id: "user_fails") { name }
		d: user(id: "user_denied") { name }
		e: user(id: "file_1") { name }
	}`, nil), nil)
	if len(result.Errors) != 4 {
		t.Fatalf("errors %v", result.Errors)
	}
	codes := map[string]any{}
	for _, err := range result.Errors {
		codes[err.Path[:1].String()] = err.Extensions["code"]
		if strings.Contains(err.Message, "SECRET") || err.Unwrap() != nil {
			t.Errorf("%s leaks: %q, %v", err.Path, err.Message, err.Unwrap())
		}
	}
	if codes["b"] != "INTERNAL" || codes["c"] != "INTERNAL" || codes["d"] != "FORBIDDEN" || codes["e"] != "BAD_USER_INPUT" {
		t.Errorf("codes %v", codes)
	}
	if want := `{"a":{"name":"user 1"},"b":null,"c":null,"d":null,"e":null}`; string(result.Data) != want {
		t.Errorf("data %s, want %s", result.Data, want)
	}
	if !strings.Contains(s.log.String(), "SECRET") || !strings.Contains(s.log.String(), "executor_test.go") {
		t.Error("the log does not tell what panicked and where")
	}
}

// fake is an executable schema that answers as it is told.
type fake struct {
	graphql.ExecutableSchema
	exec graphql.ResponseHandler
}

func (f fake) Exec(context.Context) graphql.ResponseHandler { return f.exec }

func TestWhatBreaksTheExecutorIsAnswered(t *testing.T) {
	panics := func(context.Context) *graphql.Response { panic("SECRET") }
	for name, tt := range map[string]struct {
		exec  graphql.ResponseHandler
		scope func(context.Context) context.Context
		want  []string
	}{
		"a marshaler panics": {exec: panics, want: []string{": INTERNAL"}},
		"a marshaler panics after a field has failed": {want: []string{"user: FORBIDDEN", ": INTERNAL"}, exec: func(ctx context.Context) *graphql.Response {
			field := &graphql.FieldContext{Field: graphql.CollectedField{Field: &ast.Field{Alias: "user"}}}
			graphql.AddError(graphql.WithFieldContext(ctx, field), auth.ErrForbidden)
			panic("SECRET")
		}},
		"the scope panics":   {scope: func(context.Context) context.Context { panic("SECRET") }, want: []string{": INTERNAL"}},
		"there is no answer": {exec: func(context.Context) *graphql.Response { return nil }, want: []string{": INTERNAL"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, &root{})
			s.Schema = fake{exec: tt.exec}
			if tt.scope != nil {
				s.Scope = tt.scope
			}
			result := s.Execute(t.Context(), s.prepare(t, `{ __typename }`, nil), nil)
			wantResult(t, result, "null", tt.want...)
			if strings.Contains(result.Errors.Error(), "SECRET") {
				t.Errorf("the answer leaks: %v", result.Errors)
			}
		})
	}
}

func TestNoAnswerBecauseTheCallerLeft(t *testing.T) {
	s := newStage(t, &root{})
	s.Schema = fake{exec: func(context.Context) *graphql.Response { return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantResult(t, s.Execute(ctx, s.prepare(t, `{ __typename }`, nil), nil), "null", ": CANCELLED")
}

func TestExtensionsAreKept(t *testing.T) {
	s := newStage(t, &root{user: func(ctx context.Context, id clients.GlobalID) (*clients.User, error) {
		graphql.RegisterExtension(ctx, "degraded", id.ID)
		return named(ctx, id)
	}})
	result := s.Execute(t.Context(), s.prepare(t, `{ user(id: "user_1") { id } }`, nil), nil)
	if result.Extensions["degraded"] != "1" {
		t.Errorf("extensions %v", result.Extensions)
	}
}

func TestAroundFields(t *testing.T) {
	s := newStage(t, &root{user: named})
	fields := make(chan string, 10)
	s.Around = func(ctx context.Context) graphql.FieldMiddleware {
		if !auth.FromContext(ctx).Admin() {
			return nil
		}
		return func(ctx context.Context, next graphql.Resolver) (any, error) {
			fields <- graphql.GetPath(ctx).String()
			return next(ctx)
		}
	}
	prepared := s.prepare(t, `{ user(id: "user_1") { id } }`, nil)
	wantResult(t, s.Execute(t.Context(), prepared, nil), `{"user":{"id":"user_1"}}`)
	if len(fields) != 0 {
		t.Error("an operation without middleware was given one")
	}
	wantResult(t, s.Execute(auth.WithViewer(t.Context(), auth.Viewer{UserID: "1", Scopes: []string{auth.ScopeAdmin}}), prepared, nil), `{"user":{"id":"user_1"}}`)
	if got := <-fields; got != "user" {
		t.Errorf("the first field around was %s", got)
	}
}

// TestOneDocumentRunsManyTimesAtOnce is for the race detector: what is cached is shared.
func TestOneDocumentRunsManyTimesAtOnce(t *testing.T) {
	s := newStage(t, &root{user: named})
	const query = `query($id: ID!, $all: Boolean!) { user(id: $id) { ...F ... on User @include(if: $all) { name } } } fragment F on User { id ... { id } }`
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				id := fmt.Sprintf("%d-%d", i, j)
				prepared, errs := s.Prepare(s.view, operation.Request{Query: query, Variables: map[string]any{"id": "user_" + id, "all": j%2 == 0}})
				if errs != nil {
					t.Error(errs)
					return
				}
				want := fmt.Sprintf(`{"user":{"id":"user_%s"}}`, id)
				if j%2 == 0 {
					want = fmt.Sprintf(`{"user":{"id":"user_%s","name":"user %s"}}`, id, id)
				}
				if result := s.Run(t.Context(), prepared, operation.Call{}); string(result.Data) != want || result.Errors != nil {
					t.Errorf("%s, %v, want %s", result.Data, result.Errors, want)
				}
			}
		})
	}
	wg.Wait()
}
