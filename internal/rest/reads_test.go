package rest_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/graph"
	"tributary/internal/operation"
	"tributary/internal/rest"
	"tributary/internal/wire"
)

// canned answers every operation alike, and remembers it.
type canned struct {
	result operation.Result
	ran    *operation.Prepared
}

func (c *canned) Execute(_ context.Context, op *operation.Prepared, _ operation.Denied) *operation.Result {
	c.ran = op
	copied := c.result
	return &copied
}

var wide = operation.Bounds{
	Tokens: 1000, NameBytes: 100, Operations: 1, Depth: 10, ValueDepth: 10, Aliases: 100, RootFields: 10, Directives: 10, Fields: 1000, Arguments: 100,
	FragmentNesting: 10, ListNesting: 10, VariableValues: 100, Errors: 10,
}

// newReads makes Reads over the real schema and an executor.
func newReads(t *testing.T, executor operation.Executor, bounds operation.Bounds) *rest.Reads {
	t.Helper()
	views, err := operation.NewViews(graph.NewExecutableSchema(graph.Config{}).Schema(), operation.ViewsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	preparer, err := operation.NewPreparer(1<<20, bounds)
	if err != nil {
		t.Fatal(err)
	}
	return &rest.Reads{
		Views: views, Identify: identify, Logger: slog.New(slog.DiscardHandler),
		Pipeline: &operation.Pipeline{
			Preparer: preparer, Executor: executor, Timeout: time.Minute, MaxResponseBytes: 1 << 10,
			Enter:   func(ctx context.Context, _ operation.Call) context.Context { return ctx },
			Observe: func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {},
		},
	}
}

func ask(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

var documented = []string{"/api/%s/users", "/api/%s/users?handle=x", "/api/%s/users/user_u1", "/api/%s/profile/user_u1"}

// TestDocumentsAreGoodInEveryVersion prepares what each kind of read runs, in each version: nothing in it may be deprecated.
func TestDocumentsAreGoodInEveryVersion(t *testing.T) {
	executor := &canned{result: operation.Result{Data: []byte(`{"user":null,"users":null}`)}}
	reads := newReads(t, executor, wide)
	documents := map[string]bool{}
	for _, view := range reads.Views.All() {
		for _, pattern := range documented {
			executor.ran = nil
			path := strings.Replace(pattern, "%s", "v"+view.Name, 1)
			if got := ask(t, reads, path); executor.ran == nil || executor.ran.View != view || got.Code == http.StatusInternalServerError {
				t.Fatalf("%s: %d %s", path, got.Code, got.Body)
			}
			documents[executor.ran.Query] = true
			if used := executor.ran.Deprecations(); len(used) > 0 {
				t.Errorf("%s uses what is deprecated: %v", path, used)
			}
		}
	}
	if len(documents) != len(documented) {
		t.Errorf("%d documents in all versions", len(documents))
	}
}

func failure(code string, more map[string]any, path ...ast.PathElement) *gqlerror.Error {
	extensions := map[string]any{"code": code}
	for name, value := range more {
		extensions[name] = value
	}
	return &gqlerror.Error{Message: "it failed", Path: path, Extensions: extensions}
}

// TestAnswersOfTheGraph tells what becomes of each way in which an operation can end.
func TestAnswersOfTheGraph(t *testing.T) {
	const nobody = `{"user":null}`
	user := ast.PathName("user")
	down := map[string]any{"service": "user", "retryAfterMs": int64(2100)}
	for name, c := range map[string]struct {
		data       string
		err        *gqlerror.Error
		status     int
		code, wait string
	}{
		"nobody":              {nobody, nil, 404, "NOT_FOUND", ""},
		"bad id":              {nobody, failure("BAD_USER_INPUT", nil, user), 400, "BAD_REQUEST", ""},
		"down":                {nobody, failure("SERVICE_UNAVAILABLE", map[string]any{"service": "user"}, user), 503, "SERVICE_UNAVAILABLE", "1"},
		"down for a while":    {nobody, failure("CIRCUIT_OPEN", down, user), 503, "CIRCUIT_OPEN", "3"},
		"out of time":         {"null", failure("TIMEOUT", nil), 503, "TIMEOUT", "1"},
		"cancelled":           {"null", failure("CANCELLED", nil), 503, "CANCELLED", "1"},
		"failed":              {"null", failure("INTERNAL", nil), 500, "INTERNAL", ""},
		"without a code":      {nobody, &gqlerror.Error{Message: "secret"}, 500, "INTERNAL", ""},
		"too large":           {`{"user":{"name":"` + strings.Repeat("x", 2<<10) + `"}}`, nil, 400, "RESPONSE_TOO_LARGE", ""},
		"of another form":     {`{"user":{"id":1}}`, nil, 500, "INTERNAL", ""},
		"no object":           {`[]`, nil, 500, "INTERNAL", ""},
		"of bad input inside": {`{"user":{}}`, failure("BAD_USER_INPUT", nil, user, ast.PathName("stats")), 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			executor := &canned{result: operation.Result{Data: []byte(c.data)}}
			if c.err != nil {
				executor.result.Errors = gqlerror.List{c.err}
			}
			got := ask(t, newReads(t, executor, wide), "/api/users/user_u1")
			if got.Code != c.status || c.code != "" && !strings.Contains(got.Body.String(), `"code":"`+c.code+`"`) || strings.Contains(got.Body.String(), "secret") ||
				got.Header().Get("Retry-After") != c.wait {
				t.Error(got.Code, got.Header(), got.Body)
			}
		})
	}
}

// TestMarksPointIntoTheBody looks at the paths of what is missing and of what is old.
func TestMarksPointIntoTheBody(t *testing.T) {
	path := ast.Path{ast.PathName("users"), ast.PathName("items"), ast.PathIndex(1), ast.PathName("bio")}
	executor := &canned{result: operation.Result{
		Data:   []byte(`{"users":{"items":[{},{}],"page":{"more":false,"end":"c"},"total":2}}`),
		Errors: gqlerror.List{{Message: "it failed", Path: path, Extensions: map[string]any{"code": "TIMEOUT", "service": "user", "retryAfterMs": int64(5)}}},
		Extensions: map[string]any{"degraded": []any{
			map[string]any{"path": []any{"users"}, "service": "user", "reason": "TIMEOUT", "stale": true, "ageMs": 7},
			map[string]any{"path": path, "service": "user", "reason": "TIMEOUT", "stale": false},
		}},
	}}
	const want = `{"items":[{},{}],"next":null,"total":2,"partial":true,` +
		`"problems":[{"path":"/items/1/bio","code":"TIMEOUT","detail":"It failed.","service":"user","retryAfterMs":5}],` +
		`"degraded":[{"path":"","service":"user","reason":"TIMEOUT","ageMs":7}]}` + "\n"
	got := ask(t, newReads(t, executor, wide), "/api/users")
	if got.Code != http.StatusOK || got.Body.String() != want || got.Header().Get("ETag") != "" || got.Header().Get("Cache-Control") != "no-store" {
		t.Error(got.Code, got.Header(), got.Body)
	}
}

// TestProblemsAreBounded has more of them than are told.
func TestProblemsAreBounded(t *testing.T) {
	executor := &canned{result: operation.Result{Data: []byte(`{"users":{"items":[{},{},{}],"page":{"more":false},"total":3}}`)}}
	for i := range 3 {
		executor.result.Errors = append(executor.result.Errors, failure("TIMEOUT", nil, ast.PathName("users"), ast.PathName("items"), ast.PathIndex(i)))
	}
	reads := newReads(t, executor, wide)
	reads.Pipeline.MaxErrors = 1
	const want = `"problems":[{"path":"/items/0","code":"TIMEOUT","detail":"It failed."},{"path":"","code":"TOO_MANY_ERRORS","detail":"Further errors are left out.","omitted":2}]}` + "\n"
	if got := ask(t, reads, "/api/users"); got.Code != http.StatusOK || !strings.HasSuffix(got.Body.String(), want) {
		t.Error(got.Code, got.Body)
	}
}

// TestReadsRefuseWhatTheyCannotRun has no operation run.
func TestReadsRefuseWhatTheyCannotRun(t *testing.T) {
	executor := &canned{}
	narrow := wide
	narrow.Aliases = 1
	for _, got := range []struct {
		answer *httptest.ResponseRecorder
		status int
	}{
		{ask(t, newReads(t, executor, narrow), "/api/users"), 500},
		{ask(t, newReads(t, executor, wide), "/api/users", "X-As", "stranger"), 401},
		{ask(t, newReads(t, executor, wide), "/api/users", "X-As", "unknowable"), 503},
		{ask(t, wire.NewOverload(wire.OverloadConfig{MaxUnderWay: -1}).Guard(newReads(t, executor, wide), rest.Overloaded()), "/api/users"), 503},
	} {
		if got.answer.Code != got.status || got.answer.Header().Get("Content-Type") != "application/problem+json" ||
			(got.answer.Header().Get("Retry-After") != "") != (got.status == 503) || (got.answer.Header().Get("WWW-Authenticate") != "") != (got.status == 401) || executor.ran != nil {
			t.Error(got.answer.Code, got.answer.Header(), got.answer.Body)
		}
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/users", strings.NewReader("{}"))
	answer := httptest.NewRecorder()
	newReads(t, executor, wide).ServeHTTP(answer, request)
	if answer.Code != http.StatusBadRequest || executor.ran != nil {
		t.Error(answer.Code, answer.Body)
	}
}
