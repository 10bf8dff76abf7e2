package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault breaks one thing of a healthy service. Each part may be nil.
type fault struct {
	request func(r *http.Request)                                   // changes what the service sees
	instead func(w http.ResponseWriter, r *http.Request) (did bool) // answers in its place
	answer  func(r *http.Request, a *passing)                       // changes what it answers
}

// passing is an answer on its way.
type passing struct {
	status int
	header http.Header
	body   []byte
}

// change edits a successful JSON answer.
func (a *passing) change(edit func(tree map[string]any)) {
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	if a.status >= 300 || decoder.Decode(&tree) != nil {
		return
	}
	edit(tree)
	a.body, _ = json.Marshal(tree)
}

// problem makes a well-formed problem document of the answer.
func (a *passing) problem(status int, code string) {
	a.status = status
	a.header = http.Header{"Content-Type": {"application/problem+json"}}
	a.body, _ = json.Marshal(map[string]any{"type": "about:blank", "title": "T", "status": status, "detail": "D", "code": code})
}

// proxy stands in front of a healthy service with a fault. It counts the requests that were not reads.
type proxy struct {
	fault
	target string
	kept   *sync.Map // answers of a service that nobody writes to, by URL; nil keeps none
	mu     sync.Mutex
	wrote  []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		p.mu.Lock()
		p.wrote = append(p.wrote, r.Method+" "+r.URL.Path)
		p.mu.Unlock()
	}
	if p.instead != nil && p.instead(w, r) {
		return
	}
	seen := *r.URL
	asked := r.Clone(r.Context())
	asked.URL = &seen
	if p.request != nil {
		p.request(asked)
	}
	a := p.forward(asked)
	if p.answer != nil {
		p.answer(r, a)
	}
	for name, values := range a.header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(a.status)
	w.Write(a.body) //nolint:errcheck // the doctor has gone
}

// forward asks the healthy service.
func (p *proxy) forward(asked *http.Request) *passing {
	key := p.target + asked.URL.RequestURI() + asked.Header.Get("Authorization")
	if p.kept != nil {
		if a, ok := p.kept.Load(key); ok {
			a := *a.(*passing)
			a.header = a.header.Clone()
			return &a
		}
	}
	out, err := http.NewRequestWithContext(asked.Context(), asked.Method, p.target+asked.URL.RequestURI(), asked.Body)
	if err != nil {
		panic(err)
	}
	out.Header = asked.Header
	out.ContentLength = asked.ContentLength
	res, err := http.DefaultClient.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if p.kept != nil {
		p.kept.Store(key, &passing{status: res.StatusCode, header: res.Header.Clone(), body: body})
	}
	return &passing{status: res.StatusCode, header: res.Header, body: body}
}

// documents compiles each contract once for all tests.
var documents = sync.OnceValue(func() map[string]*document {
	out := make(map[string]*document)
	for _, service := range []string{"user", "post", "comment", "follower"} {
		d, err := openDocument(service)
		if err != nil {
			panic(err)
		}
		out[service] = d
	}
	return out
})

// examineThrough examines one service of a network through a fault.
func (n *network) examineThrough(t *testing.T, service string, f fault, phase phase, timeout time.Duration) (Report, *proxy) {
	t.Helper()
	p := &proxy{fault: f, target: n.urls[service]}
	if phase == reading {
		p.kept = &n.kept
	}
	server := httptest.NewServer(p)
	defer server.Close()
	return n.examineAt(t, service, server.URL, phase, timeout), p
}

// phase is the part of an examination that a test needs.
type phase int

const (
	reading phase = 1 << iota
	writing
)

// examineAt is Check for one target, without compiling its contract anew, or a part of it.
func (n *network) examineAt(t *testing.T, service, address string, phase phase, timeout time.Duration) Report {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	client, done := boundedClient(nil)
	defer done()
	var r Report
	s := &inspection{
		service: service, base: base, token: testToken, http: client, timeout: timeout, write: phase&writing != 0, run: fmt.Sprintf("%08x", rand.Uint32()), doc: documents()[service],
		samples: &samples{users: n.users, posts: n.posts}, emit: func(f Finding) { r.Findings = append(r.Findings, f) },
		outcome: make(map[string]Severity), held: make(map[string]bool), failures: make(map[string]int),
	}
	s.arrive(t.Context())
	if phase&reading != 0 {
		s.reads(t.Context())
	}
	if phase&writing != 0 {
		s.writes(t.Context())
	}
	if err := s.finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// broken is a fault and exactly the checks that it breaches, without the service's name.
type broken struct {
	name  string
	fault fault
	want  []string
}

func (n *network) expectBreaches(t *testing.T, service string, b broken, phase phase) {
	t.Helper()
	timeout := time.Minute
	if strings.Contains(b.name, "hangs") {
		timeout = 300 * time.Millisecond
	}
	r, p := n.examineThrough(t, service, b.fault, phase, timeout)
	want := make([]string, len(b.want))
	for i, name := range b.want {
		want[i] = service + "." + name
	}
	slices.Sort(want)
	if got := breached(r); !slices.Equal(got, want) {
		var told strings.Builder
		for _, f := range r.Findings {
			if f.Severity == Breach {
				told.WriteString("\n" + f.Check + " " + f.Request + "\n  " + f.Detail)
			}
		}
		t.Errorf("breached %v, not %v%s", got, want, told.String())
	}
	if phase == reading && len(p.wrote) > 0 {
		t.Errorf("writes that were not asked for: %v", p.wrote)
	}
}

// Editors of answers.

func onPath(path string, edit func(r *http.Request, tree map[string]any)) fault {
	return fault{answer: func(r *http.Request, a *passing) {
		if r.Method == http.MethodGet && r.URL.Path == path {
			a.change(func(tree map[string]any) { edit(r, tree) })
		}
	}}
}

// onList edits the pages of a list endpoint, not its batches.
func onList(path string, edit func(tree map[string]any)) fault {
	return onPath(path, func(r *http.Request, tree map[string]any) {
		if !r.URL.Query().Has("ids") && !r.URL.Query().Has("handles") {
			edit(tree)
		}
	})
}

// onGroups edits every group of a windowed endpoint.
func onGroups(path string, edit func(key string, page map[string]any)) fault {
	return onPath(path, func(_ *http.Request, tree map[string]any) {
		for key, page := range members(tree["groups"]) {
			edit(key, members(page))
		}
	})
}

// onQuery changes the query of reads of a path.
func onQuery(path string, edit func(q url.Values)) fault {
	return fault{request: func(r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == path {
			q := r.URL.Query()
			edit(q)
			r.URL.RawQuery = q.Encode()
		}
	}}
}

func listOf(tree map[string]any) []any {
	list, _ := tree["items"].([]any)
	return list
}

func plus(value any, n int64) any {
	number, _ := integer(value)
	return number + n
}

func timeOf(entity map[string]any) time.Time {
	at, _ := time.Parse(time.RFC3339Nano, textOf(entity["createdAt"]))
	return at
}
