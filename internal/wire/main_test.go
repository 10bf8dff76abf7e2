package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"tributary/internal/auth"
	"tributary/internal/limit"
	"tributary/internal/operation"
	"tributary/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdl = `
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
scalar Any
type Query { echo(any: Any, int: Int, id: ID, text: String): String }
type Mutation { set(v: Int): Int }
type Subscription { ticks(after: String): String }
`

type callKey struct{}

// echo answers with what it was asked to run: the operation's name and variables, and for whom.
type echo struct{}

type echoed struct {
	Operation string         `json:"operation"`
	Variables map[string]any `json:"variables"`
	Viewer    string         `json:"viewer"`
	IP        string         `json:"ip"`
	RequestID string         `json:"requestId"`
	Key       string         `json:"key"`
	CostDebug string         `json:"costDebug"`
}

func (echo) Execute(ctx context.Context, op *operation.Prepared, _ operation.Denied) *operation.Result {
	call := ctx.Value(callKey{}).(operation.Call)
	data, err := json.Marshal(echoed{
		op.Operation.Name, op.Variables, auth.FromContext(ctx).UserID, call.IP.String(), call.RequestID, call.IdempotencyKey, string(call.CostDebug),
	})
	if err != nil {
		panic(err)
	}
	return &operation.Result{Data: data}
}

// site is a server with everything around GraphQL that the program puts there.
type site struct {
	*httptest.Server
	log      *lockedBuffer
	http     *wire.HTTP         // may be changed before the first request
	ws       *wire.WS           // stands before http unless nil
	executor operation.Executor // may be replaced before a request
	after    func()             // called when a request is done; nil: nothing
	draining chan struct{}
}

const maxBody = 4 << 10

func newSite(t testing.TB, allowed ...string) *site {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	preparer, err := operation.NewPreparer(1<<20, operation.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{log: &lockedBuffer{}, executor: echo{}, draining: make(chan struct{})}
	pipeline := &operation.Pipeline{
		Preparer: preparer, Executor: executorFunc(func(ctx context.Context, op *operation.Prepared) *operation.Result {
			return s.executor.Execute(ctx, op, nil)
		}),
		Timeout: time.Minute,
		Enter: func(ctx context.Context, c operation.Call) context.Context {
			return context.WithValue(ctx, callKey{}, c)
		},
		Observe: func(context.Context, *operation.Prepared, *operation.Result, time.Duration) {},
	}
	views, err := operation.NewViews(schema, operation.ViewsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.http = &wire.HTTP{Pipeline: pipeline, Views: views, Identify: identify, MaxBodyBytes: maxBody}
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		if s.ws != nil {
			s.ws.ServeHTTP(w, r)
		} else {
			s.http.ServeHTTP(w, r)
		}
		if s.after != nil {
			s.after()
		}
	})
	mux.HandleFunc("/graphql/stream-ticket", func(w http.ResponseWriter, r *http.Request) { s.http.StreamTicket().ServeHTTP(w, r) })
	mux.Handle("GET /healthz", wire.Healthy())
	mux.Handle("GET /readyz", wire.Ready(s.draining))
	s.Server = httptest.NewServer(s.chain(mux, allowed...))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Client().Transport.(*http.Transport).DisableCompression = true // answers are seen as they come
	t.Cleanup(s.Close)
	return s
}

// identify takes a word for the caller's id, unless it is one of those that are refused.
func identify(r *http.Request) (auth.Viewer, netip.Addr, error) {
	viewer, ip := auth.Viewer{UserID: r.Header.Get("Authorization")}, netip.MustParseAddr("192.0.2.1")
	switch viewer.UserID {
	case "bad token":
		return viewer, ip, fmt.Errorf("%w: SECRET", auth.ErrInvalidToken)
	case "bad key":
		return viewer, ip, fmt.Errorf("%w: SECRET", auth.ErrInvalidKey)
	case "unknown":
		return viewer, ip, fmt.Errorf("%w: SECRET", auth.ErrUnavailable)
	}
	return viewer, ip, nil
}

// chain is the order in which the program puts the layers.
func (s *site) chain(next http.Handler, allowed ...string) http.Handler {
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	return wire.Secure(wire.Identify(wire.Log(log, wire.Recover(log, wire.Hosts(allowed, next)))))
}

type executorFunc func(context.Context, *operation.Prepared) *operation.Result

func (f executorFunc) Execute(ctx context.Context, op *operation.Prepared, _ operation.Denied) *operation.Result {
	return f(ctx, op)
}

// answers is an executor that always gives the same result.
func answers(result operation.Result) operation.Executor {
	return executorFunc(func(context.Context, *operation.Prepared) *operation.Result {
		again := result
		return &again
	})
}

// twoRequests admits two operations.
func twoRequests() *limit.Limiter {
	return limit.New(limit.Config{IP: limit.Limits{RequestsPerHour: 2}}, nil)
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
