package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
	"tributary/internal/operation"
	"tributary/internal/telemetry"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if dir := programDir.Load(); dir != nil {
			os.RemoveAll(*dir)
		}
		os.Exit(code)
	}))
}

// seedOnce holds the files of a freshly seeded demo, so that each test copies them instead of seeding anew.
var seedOnce = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "tributary-seed-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := demo.Seed(context.Background(), dir); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// seededDir gives the test a data dir of its own with the seed in it.
func seededDir(t *testing.T) string {
	t.Helper()
	files, err := seedOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startDemo runs the four services on a data dir until the test ends.
func startDemo(t *testing.T, dir string) *demo.Demo {
	t.Helper()
	d, err := demo.Open(t.Context(), demo.Options{Dir: dir, Faults: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d
}

// upstream stands in front of the services, counts what they are asked, and can have a test decide when an answer goes out.
type upstream struct {
	urls map[string]string

	mu     sync.Mutex
	calls  []string // "user GET /users?ids=1,2"
	before func(service string, r *http.Request)
}

func startUpstream(t *testing.T, d *demo.Demo) *upstream {
	t.Helper()
	u := &upstream{urls: map[string]string{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	for _, service := range demo.Services() {
		target, err := url.Parse(d.URL(service))
		if err != nil {
			t.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u.mu.Lock()
			query, _ := url.QueryUnescape(r.URL.RequestURI())
			u.calls = append(u.calls, service+" "+r.Method+" "+query)
			before := u.before
			u.mu.Unlock()
			if before != nil {
				before(service, r)
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		u.urls[service] = server.URL
	}
	return u
}

// take gives the calls since the last take.
func (u *upstream) take() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	calls := u.calls
	u.calls = nil
	return calls
}

// hook has f called with every request before it is passed on; nil ends that.
func (u *upstream) hook(f func(service string, r *http.Request)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.before = f
}

// openGateway makes a gateway over the given services. The test may change the settings first.
func openGateway(t *testing.T, urls map[string]string, change func(*config.Gateway)) *gateway {
	t.Helper()
	cfg := config.Default().Serve.Gateway
	cfg.LoaderWait = 5 * time.Millisecond // counts must not depend on how busy the machine is
	if change != nil {
		change(&cfg)
	}
	g, err := newGateway(&cfg, urls, &access{}, nil, telemetry.New(), false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.clients.Close)
	return g
}

// answer is a response as a client sees it.
type answer struct {
	Data       map[string]any `json:"data"`
	Errors     []answerError  `json:"errors"`
	Extensions struct {
		Degraded []struct {
			Path            []any
			Service, Reason string
			Stale           bool
			AgeMs           int64
		} `json:"degraded"`
	} `json:"extensions"`
}

type answerError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// code is the error's code, and "" without one.
func (e answerError) code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// codes are the codes of all errors, in the order of the paths that they stand at.
func (a answer) codes() map[string]string {
	codes := map[string]string{}
	for _, e := range a.Errors {
		codes[pathOf(e.Path)] = e.code()
	}
	return codes
}

func pathOf(path []any) string {
	raw, _ := json.Marshal(path)
	return strings.Trim(string(raw), "[]")
}

// ask runs a query on a gateway as a viewer.
func ask(t *testing.T, g *gateway, viewer auth.Viewer, query string, variables map[string]any) answer {
	t.Helper()
	prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query, Variables: variables})
	if errs != nil {
		t.Fatalf("refused: %v", errs)
	}
	result := g.pipeline.Run(t.Context(), prepared, operation.Call{Viewer: viewer, RequestID: "test"})
	raw, err := json.Marshal(map[string]any{"data": json.RawMessage(result.Data), "errors": result.Errors, "extensions": result.Extensions})
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// at follows a path of member names and list indexes into an answer; it fails the test where there is nothing to follow.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for i, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := value.(map[string]any)
			if !ok {
				t.Fatalf("no object at %v: %v", path[:i], value)
			}
			value = object[step]
		case int:
			list, ok := value.([]any)
			if !ok || step >= len(list) {
				t.Fatalf("no member %d at %v: %v", step, path[:i], value)
			}
			value = list[step]
		}
	}
	return value
}

// program is the whole program under test.
type program struct {
	url    string
	stdout *lockedBuffer
	stderr *lockedBuffer
}

// start runs the program with the arguments until the test ends, and waits until it says where it listens.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{stdout: &lockedBuffer{}, stderr: &lockedBuffer{}}
	ctx, stop := context.WithCancel(context.Background())
	lines, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, strings.NewReader(""), io.MultiWriter(p.stdout, writer), p.stderr)
		_ = writer.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	p.url = findURL(t, lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return p
}

func findURL(t *testing.T, lines io.Reader) string {
	t.Helper()
	buffer := make([]byte, 0, 4096)
	chunk := make([]byte, 1024)
	for {
		n, err := lines.Read(chunk)
		buffer = append(buffer, chunk[:n]...)
		if _, rest, ok := bytes.Cut(buffer, []byte("http://127.0.0.1:")); ok {
			if port, _, whole := bytes.Cut(rest, []byte("/")); whole {
				return "http://127.0.0.1:" + string(port)
			}
		}
		if err != nil {
			t.Fatalf("the program ended before it listened: %s", buffer)
		}
	}
}

// post sends a GraphQL request to the program.
func (p *program) post(t *testing.T, token, query string, variables map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// lockedBuffer is a buffer that several goroutines may write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// decoded is a JSON object.
func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
