package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/clients"
	"tributary/internal/demo"
	"tributary/internal/work"
	"tributary/internal/work/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is the four services with a user that owns something, and an engine.
type world struct {
	*testing.T
	dir     string
	demo    *demo.Demo
	clients *clients.Clients
	exports *job.Exports
	store   *work.SQLite
	done    chan work.Record // exports that are completed
}

const user = "ann"

// newWorld imports a user with so many comments.
func newWorld(t *testing.T, comments int) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), done: make(chan work.Record, 10)}
	data := filepath.Join(w.dir, "demo")
	populate(t, data, comments)
	var err error
	if w.demo, err = demo.Open(t.Context(), demo.Options{Dir: data}); err != nil {
		t.Fatal(err)
	}
	w.run(w.demo.Run)
	cfg := clients.DefaultConfig()
	cfg.Cache.Bytes = 1 << 20
	cfg.User.URL, cfg.Post.URL, cfg.Comment.URL, cfg.Follower.URL = w.demo.URL("user"), w.demo.URL("post"), w.demo.URL("comment"), w.demo.URL("follower")
	if w.clients, err = clients.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.clients.Close)
	if w.exports, err = job.OpenExports(filepath.Join(w.dir, "exports [1]")); err != nil {
		t.Fatal(err)
	}
	if w.store, err = work.OpenSQLite(t.Context(), filepath.Join(w.dir, "work.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	return w
}

// populate writes what a user owns and imports it.
func populate(t *testing.T, data string, comments int) {
	t.Helper()
	from := t.TempDir()
	at := func(i int) string { return time.Unix(1_700_000_000+int64(i), 0).UTC().Format(time.RFC3339) }
	padding := strings.Repeat(".", 1000)
	var users, posts, said, follows strings.Builder
	for i, id := range []string{user, "bob"} {
		fmt.Fprintf(&users, `{"id":%q,"handle":"%s_1","name":"N","email":"%s@example.org","createdAt":%q}`+"\n", id, id, id, at(i))
	}
	for i, status := range []string{"published", "draft"} {
		fmt.Fprintf(&posts, `{"id":"p%d","authorId":"ann","title":"T","body":"B","status":%q,"createdAt":%q}`+"\n", i, status, at(i))
	}
	for i := range comments {
		fmt.Fprintf(&said, `{"id":"c%d","postId":"p0","authorId":"ann","body":"comment number %d%s","createdAt":%q}`+"\n", i, i, padding, at(i/3))
	}
	fmt.Fprintf(&follows, `{"followerId":"ann","followeeId":"bob","followedAt":%q}`+"\n"+`{"followerId":"bob","followeeId":"ann","followedAt":%q}`+"\n", at(1), at(2))
	for name, text := range map[string]string{"users": users.String(), "posts": posts.String(), "comments": said.String(), "follows": follows.String()} {
		if err := os.WriteFile(filepath.Join(from, name+".ndjson"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := demo.Import(t.Context(), data, from, func(demo.Progress) {}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) { // it may end before it has begun
			w.Error(err)
		}
	})
	w.Cleanup(stop)
	return stop
}

// engine runs an engine until stop is called.
func (w *world) engine(change ...func(*job.Options)) (e *work.Engine, stop func()) {
	w.Helper()
	o := job.Options{
		Clients: w.clients, Exports: w.exports, Retry: work.Retry{Attempts: 2, First: time.Second, Most: time.Second},
		Completed: func(_ context.Context, r work.Record) error { w.done <- r; return nil },
	}
	for _, f := range change {
		f(&o)
	}
	e, err := work.New(work.Options{Store: w.store, File: filepath.Join(w.dir, "drive.db"), Logger: slog.New(slog.DiscardHandler), Scale: 0.001, Definitions: job.Definitions(o)})
	if err != nil {
		w.Fatal(err)
	}
	return e, w.run(e.Run)
}

func (w *world) until(e *work.Engine, id string, wanted func(work.Record) bool) work.Record {
	w.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		r, err := e.Get(w.Context(), id)
		if err == nil && wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			w.Fatalf("it does not come: %+v, %v", r, err)
		}
		time.Sleep(2 * time.Millisecond) // records tell nobody of their changes
	}
}

func ended(r work.Record) bool { return r.State.Ended() }

// get reads a document of a service.
func (w *world) get(service, path string, into any) {
	w.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(w.demo.URL(service) + path)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		w.Fatal(err)
	}
}
