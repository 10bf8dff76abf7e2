package saga_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/clients"
	"tributary/internal/demo"
	"tributary/internal/event"
	"tributary/internal/work"
	"tributary/internal/work/saga"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is the four services, a log that hears of them, and an engine that works on them.
type world struct {
	*testing.T
	dir      string
	demo     *demo.Demo
	clients  *clients.Clients
	log      *event.SQLite
	store    *work.SQLite
	engine   *work.Engine
	accounts saga.Accounts
	erased   []string

	mu    sync.Mutex
	fails func(line string) verdict // of a request such as "POST /users/1/freeze"
}

// verdict is what becomes of a request.
type verdict int

const (
	passes verdict = iota
	down           // it is refused
	lost           // it is carried out, and the answer is lost
)

func newWorld(t *testing.T, grace time.Duration) *world {
	t.Helper()
	t.Parallel()
	w := &world{T: t, dir: t.TempDir()}
	var err error
	if w.log, err = event.OpenSQLite(t.Context(), filepath.Join(w.dir, "events.db"), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.Close() })
	w.startServices()
	if w.store, err = work.OpenSQLite(t.Context(), filepath.Join(w.dir, "work.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.engine, err = work.New(work.Options{
		Store: w.store, File: filepath.Join(w.dir, "drive.db"), Logger: slog.New(slog.DiscardHandler), Scale: 0.001,
		Definitions: saga.Definitions(saga.Options{
			Clients: w.clients, Store: w.store, History: w.log,
			Retry: work.Retry{Attempts: 2, First: time.Second, Most: time.Second},
			Erase: func(_ context.Context, user string) error { w.erased = append(w.erased, user); return nil },
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.accounts = saga.Accounts{Engine: w.engine, Clients: w.clients, Grace: grace}
	return w
}

// startServices runs the services, what stands in front of them, and the way into the log.
func (w *world) startServices() {
	secrets, taken := map[string][]byte{}, map[string][][]byte{}
	for _, name := range demo.Services() {
		secrets[name] = []byte(rand.Text())
		taken[name] = [][]byte{secrets[name]}
	}
	ingest := httptest.NewServer(&event.Ingest{Log: w.log, Secrets: taken})
	w.Cleanup(ingest.Close)
	var err error
	w.demo, err = demo.Open(w.Context(), demo.Options{Dir: filepath.Join(w.dir, "demo"), Events: &demo.EventSink{URL: ingest.URL, Secrets: secrets}})
	if err != nil {
		w.Fatal(err)
	}
	w.run("demo", w.demo.Run)
	cfg := clients.DefaultConfig()
	for name, service := range map[string]*clients.ServiceConfig{"user": &cfg.User, "post": &cfg.Post, "comment": &cfg.Comment, "follower": &cfg.Follower} {
		service.URL, service.Retries, service.Breaker.MinCalls = w.front(w.demo.URL(name)), 0, 1000
	}
	if w.clients, err = clients.New(cfg); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(w.clients.Close)
}

// front passes requests on as the test has it.
func (w *world) front(to string) string {
	target, err := url.Parse(to)
	if err != nil {
		w.Fatal(err)
	}
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		fails := w.fails
		w.mu.Unlock()
		switch {
		case fails == nil:
			proxy.ServeHTTP(rw, r)
		default:
			switch fails(r.Method + " " + r.URL.Path) {
			case down:
				rw.WriteHeader(http.StatusServiceUnavailable)
			case lost:
				proxy.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			default:
				proxy.ServeHTTP(rw, r)
			}
		}
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	w.Cleanup(server.Close)
	return server.URL
}

func (w *world) failing(fails func(line string) verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = fails
}

// run runs something until the test ends, or until stop is called.
func (w *world) run(name string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) { // it may end before it has begun
			w.Errorf("%s: %v", name, err)
		}
	})
	w.Cleanup(stop)
	return stop
}

// until waits for a saga to be as wanted.
func (w *world) until(id string, wanted func(work.Record) bool) work.Record {
	w.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		r, err := w.engine.Get(w.Context(), id)
		if err == nil && wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			w.Fatalf("it does not come: %+v, %v", r, err)
		}
		time.Sleep(5 * time.Millisecond) // records tell nobody of their changes
	}
}

func in(states ...work.State) func(work.Record) bool {
	return func(r work.Record) bool { return slices.Contains(states, r.State) }
}

func ended(r work.Record) bool { return r.State.Ended() }

// do sends a request to a service itself and reads the answer.
func (w *world) do(method, service, path string, body any) map[string]any {
	w.Helper()
	raw, _ := json.Marshal(body)
	if body == nil {
		raw = nil
	}
	request, err := http.NewRequestWithContext(w.Context(), method, w.demo.URL(service)+path, strings.NewReader(string(raw)))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		w.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	doc := map[string]any{}
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &doc); err != nil {
			w.Fatal(err)
		}
	}
	return doc
}

// person makes a user with an address of its own.
func (w *world) person(handle string) string {
	return w.do("POST", "user", "/users", map[string]any{"handle": handle, "name": handle, "email": handle + "@example.org"})["id"].(string)
}

func (w *world) post(author, status string) string {
	return w.do("POST", "post", "/posts", map[string]any{"authorId": author, "title": "of " + author, "body": "mail me", "status": status})["id"].(string)
}

func (w *world) comment(post, author string) string {
	return w.do("POST", "comment", "/comments", map[string]any{"postId": post, "authorId": author, "body": "said by " + author})["id"].(string)
}

func (w *world) follow(a, b string) { w.do("PUT", "follower", fmt.Sprintf("/edges/%s/%s", a, b), nil) }
