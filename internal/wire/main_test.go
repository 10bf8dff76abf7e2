package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdl = `
directive @defer on FRAGMENT_SPREAD | INLINE_FRAGMENT
scalar Any
type Query { echo(any: Any, int: Int, id: ID, text: String): String }
type Mutation { set(v: Int): Int }
`

type callKey struct{}

// echo answers with what it was asked to run: the operation's name and variables, and for whom.
type echo struct{}

type echoed struct {
	Operation string         `json:"operation"`
	Variables map[string]any `json:"variables"`
	Viewer    string         `json:"viewer"`
	RequestID string         `json:"requestId"`
	Key       string         `json:"key"`
}

func (echo) Execute(ctx context.Context, op *operation.Prepared) *operation.Result {
	call := ctx.Value(callKey{}).(operation.Call)
	data, err := json.Marshal(echoed{op.Operation.Name, op.Variables, auth.FromContext(ctx).UserID, call.RequestID, call.IdempotencyKey})
	if err != nil {
		panic(err)
	}
	return &operation.Result{Data: data}
}

// site is a server with everything around GraphQL that the program puts there.
type site struct {
	*httptest.Server
	log      *lockedBuffer
	executor operation.Executor // may be replaced before a request
	draining chan struct{}
}

const maxBody = 4 << 10

func newSite(t *testing.T, allowed ...string) *site {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	preparer, err := operation.NewPreparer(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{log: &lockedBuffer{}, executor: echo{}, draining: make(chan struct{})}
	pipeline := &operation.Pipeline{
		Preparer: preparer, Executor: executorFunc(func(ctx context.Context, op *operation.Prepared) *operation.Result {
			return s.executor.Execute(ctx, op)
		}),
		Timeout: time.Minute,
		Enter: func(ctx context.Context, c operation.Call) context.Context {
			return context.WithValue(ctx, callKey{}, c)
		},
		Observe: func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {},
	}
	verify := func(token string) (auth.Viewer, error) {
		if user, ok := strings.CutPrefix(token, "good-"); ok {
			return auth.Viewer{UserID: user}, nil
		}
		return auth.Viewer{UserID: "nobody"}, auth.ErrInvalidToken
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", &wire.HTTP{Pipeline: pipeline, View: operation.NewView("v", schema), Verify: verify, MaxBodyBytes: maxBody})
	mux.Handle("GET /healthz", wire.Healthy())
	mux.Handle("GET /readyz", wire.Ready(s.draining))
	s.Server = httptest.NewServer(s.chain(mux, allowed...))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(s.Close)
	return s
}

// chain is the order in which the program puts the layers.
func (s *site) chain(next http.Handler, allowed ...string) http.Handler {
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	return wire.Identify(wire.Log(log, wire.Recover(log, wire.Hosts(allowed, next))))
}

type executorFunc func(context.Context, *operation.Prepared) *operation.Result

func (f executorFunc) Execute(ctx context.Context, op *operation.Prepared) *operation.Result {
	return f(ctx, op)
}

// lockedBuffer is a log that handlers still write to while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// reply is an answer read whole.
type reply struct {
	status int
	header http.Header
	text   string
}

// send sends one request. Headers are "Name: value" lines.
func (s *site) send(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(raw)}
}

// post sends a GraphQL request as JSON.
func (s *site) post(t *testing.T, body string, headers ...string) reply {
	t.Helper()
	return s.send(t, http.MethodPost, "/graphql", body, append([]string{"Content-Type: application/json"}, headers...)...)
}

// wants checks what holds for every answer of GraphQL, its status and the code of its only error; no code stands for an
// answer with data.
func (r reply) wants(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, r.text)
	}
	if media := r.header.Get("Content-Type"); media != "application/json; charset=utf-8" && media != "application/graphql-response+json; charset=utf-8" {
		t.Errorf("content type %q", media)
	}
	if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", r.header)
	}
	var answer struct {
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
		Data any
	}
	if err := json.Unmarshal([]byte(r.text), &answer); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	switch {
	case code == "":
		if answer.Data == nil || answer.Errors != nil {
			t.Errorf("want data and no errors: %s", r.text)
		}
	case len(answer.Errors) != 1 || answer.Errors[0].Extensions["code"] != code || answer.Errors[0].Message == "":
		t.Errorf("want the code %s: %s", code, r.text)
	case strings.Contains(r.text, `"data"`):
		t.Errorf("the error of a request has data: %s", r.text)
	}
	if strings.Contains(r.text, "SECRET") {
		t.Errorf("the request is quoted: %s", r.text)
	}
}

// echoed is what was run.
func (r reply) echoed(t *testing.T) echoed {
	t.Helper()
	var answer struct{ Data echoed }
	decoder := json.NewDecoder(strings.NewReader(r.text))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("%v: %s", err, r.text)
	}
	return answer.Data
}
