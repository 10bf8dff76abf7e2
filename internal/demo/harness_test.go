package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if seedDir != "" {
			os.RemoveAll(seedDir)
		}
		os.Exit(code)
	}))
}

// clock is a clock that a test turns; every look at it moves it on by step.
type clock struct {
	mu   sync.Mutex
	at   time.Time
	step time.Duration
}

func newClock() *clock {
	return &clock{at: time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC), step: time.Second}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(c.step)
	return c.at
}

// stop makes the clock stand, so that many writes share their time.
func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step = 0
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// lab is a running demo with a client.
type lab struct {
	*testing.T
	demo   *Demo
	clock  *clock
	client *http.Client
	token  string
	stop   func()
}

// start runs the services on a new data directory, or the one in the options, until the test ends.
func start(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	l := &lab{T: t, clock: newClock(), client: &http.Client{Transport: &http.Transport{}}}
	o := Options{Faults: true, Now: l.clock.now}
	for _, f := range change {
		f(&o)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l.token = o.Token
	var err error
	if l.demo, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.demo.Run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		l.client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(l.stop)
	return l
}

// reply is an answer, read whole.
type reply struct {
	*lab
	request string
	status  int
	header  http.Header
	raw     []byte
}

// do sends a request and holds the answer to the service's OpenAPI document. Headers come in pairs.
func (l *lab) do(method, service, path, body string, headers ...string) reply {
	l.Helper()
	r, err := l.try(method, service, path, body, headers...)
	if err != nil {
		l.Fatalf("%s %s: %v", method, path, err)
	}
	validate(l, service, method, path, r)
	return r
}

// try sends a request and reads the answer; it may fail, and nothing is checked.
func (l *lab) try(method, service, path, body string, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, l.demo.URL(service)+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if l.token != "" {
		request.Header.Set("Authorization", "Bearer "+l.token)
	}
	for pair := range slices.Chunk(headers, 2) {
		if pair[1] == "" {
			request.Header.Del(pair[0])
		} else {
			request.Header.Set(pair[0], pair[1])
		}
	}
	response, err := l.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	return reply{lab: l, request: method + " " + path, status: response.StatusCode, header: response.Header, raw: raw}, err
}

func (l *lab) get(service, path string) reply {
	l.Helper()
	return l.do(http.MethodGet, service, path, "").want(http.StatusOK)
}

func (l *lab) post(service, path, body string, headers ...string) reply {
	l.Helper()
	return l.do(http.MethodPost, service, path, body, headers...)
}

// want checks the status.
func (r reply) want(status int) reply {
	r.Helper()
	if r.status != status {
		r.Fatalf("%s: status %d, want %d: %.300s", r.request, r.status, status, r.raw)
	}
	return r
}

// refused checks that the answer is a problem with a code and, if fields are named, these field errors.
func (r reply) refused(status int, code string, fields ...string) reply {
	r.Helper()
	r.want(status)
	var p struct {
		Code   string
		Errors []struct{ Field, Code string }
	}
	r.decode(&p)
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	if p.Code != code || !slices.Equal(got, fields) {
		r.Errorf("%s: code %s, errors %q; want %s, %q", r.request, p.Code, got, code, fields)
	}
	return r
}

func (r reply) decode(target any) {
	r.Helper()
	if err := json.Unmarshal(r.raw, target); err != nil {
		r.Fatalf("%s: %v in %.300s", r.request, err, r.raw)
	}
}

// as decodes the answer.
func as[T any](r reply) (v T) {
	r.Helper()
	r.decode(&v)
	return v
}

func (r reply) affected(n int64) {
	r.Helper()
	r.want(http.StatusOK)
	if got := as[struct{ Affected int64 }](r).Affected; got != n {
		r.Errorf("%s: affected %d, want %d", r.request, got, n)
	}
}

type page[T any] struct {
	Items      []T
	Next, Prev *string
	Total      int
}

type groups[T any] struct{ Groups map[string]page[T] }

// in escapes a list of values for a query.
func in(values ...string) string { return url.QueryEscape(strings.Join(values, ",")) }

func (l *lab) newUser(handle string) user {
	l.Helper()
	return as[user](l.post("user", "/users", fmt.Sprintf(`{"handle":%q,"name":"N"}`, handle)).want(http.StatusCreated))
}

func (l *lab) newPost(author, status string) post {
	l.Helper()
	body := fmt.Sprintf(`{"authorId":%q,"title":"T","body":"B","status":%q}`, author, status)
	return as[post](l.post("post", "/posts", body).want(http.StatusCreated))
}

// newComment comments on a post, or on a parent that is not empty.
func (l *lab) newComment(postID, parent, author string) comment {
	l.Helper()
	body := fmt.Sprintf(`{"postId":%q,"authorId":%q,"body":"B"}`, postID, author)
	if parent != "" {
		body = fmt.Sprintf(`{"postId":%q,"authorId":%q,"body":"B","parentId":%q}`, postID, author, parent)
	}
	return as[comment](l.post("comment", "/comments", body).want(http.StatusCreated))
}

func (l *lab) putEdge(follower, followee string) follow {
	l.Helper()
	r := l.do(http.MethodPut, "follower", "/edges/"+follower+"/"+followee, "")
	if r.status != http.StatusOK {
		r.want(http.StatusCreated)
	}
	return as[follow](r)
}

// rows returns what a query finds in a service's file, a row as one line.
func (l *lab) rows(service, query string, args ...any) (lines []string) {
	l.Helper()
	rows, err := l.demo.find(service).api.store.read.Query(query, args...)
	if err != nil {
		l.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		l.Fatal(err)
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			l.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			cells = append(cells, fmt.Sprint(*v.(*any)))
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return lines
}

// events returns type, version and data of a subject's outbox rows.
func (l *lab) events(service, subject string) []string {
	l.Helper()
	return l.rows(service, "SELECT type, version, data FROM outbox WHERE subject = ? ORDER BY seq", subject)
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	if g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
