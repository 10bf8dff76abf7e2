package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a set of healthy services with a few people in them.
type network struct {
	urls                         map[string]string
	users, posts, drafts, remark []string // ids; remark: comments
	kept                         sync.Map // answers of the services, see proxy
}

const testToken = "let-the-doctor-in"

// openNetwork runs the reference services on an empty directory until the test ends.
func openNetwork(t testing.TB, names ...string) *network {
	t.Helper()
	d, err := demo.Open(t.Context(), demo.Options{Dir: t.TempDir(), Token: testToken}, names...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	n := &network{urls: map[string]string{}}
	for _, service := range demo.Services() {
		if url := d.URL(service); url != "" {
			n.urls[service] = url
		}
	}
	return n
}

// people fills a network, one of users alone with users: enough of everything that no check is skipped for want of a sample.
func (n *network) people(t testing.TB) *network {
	t.Helper()
	for i := range 24 {
		n.users = append(n.users, n.make(t, "user", "/users", fmt.Sprintf(`{"handle":"person_%d","name":"Person %d"}`, i, i)))
	}
	if len(n.urls) == 1 {
		return n
	}
	for i := range 30 {
		status := "published"
		if i%8 == 7 {
			status = "draft"
		}
		author := n.users[i%3%2]
		if i == 29 {
			author = n.users[2]
		}
		id := n.make(t, "post", "/posts", fmt.Sprintf(`{"authorId":%q,"title":"Post %d","body":"Words.","status":%q}`, author, i, status))
		if status == "draft" {
			n.drafts = append(n.drafts, id)
		} else {
			n.posts = append(n.posts, id)
		}
	}
	for i := range 24 {
		parent := "null"
		if i > 10 && i < 18 {
			parent = fmt.Sprintf("%q", n.remark[i%3%2])
		}
		post := n.posts[0]
		if i > 19 {
			post = n.posts[1]
		}
		n.remark = append(n.remark, n.make(t, "comment", "/comments",
			fmt.Sprintf(`{"postId":%q,"authorId":%q,"parentId":%s,"body":"Remark %d"}`, post, n.users[i%3%2], parent, i)))
	}
	n.send(t, http.MethodDelete, "comment", "/comments/"+n.remark[1], "", http.StatusNoContent)
	for i := range 10 {
		for j := range 3 {
			n.send(t, http.MethodPut, "follower", "/edges/"+n.users[i+4]+"/"+n.users[j], "", http.StatusCreated)
		}
		n.send(t, http.MethodPut, "follower", "/edges/"+n.users[3]+"/"+n.users[i+4], "", http.StatusCreated)
	}
	return n
}

// send makes a request to a healthy service and returns the id in its answer.
func (n *network) send(t testing.TB, method, service, path, body string, want int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, n.urls[service]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil || res.StatusCode != want {
		t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text.String(), err)
	}
	var entity struct{ ID string }
	if text.Len() > 0 {
		if err := json.Unmarshal(text.Bytes(), &entity); err != nil {
			t.Fatal(err)
		}
	}
	return entity.ID
}

func (n *network) make(t testing.TB, service, path, body string) string {
	t.Helper()
	return n.send(t, http.MethodPost, service, path, body, http.StatusCreated)
}

func (n *network) targets() []Target {
	var out []Target
	for service, url := range n.urls {
		out = append(out, Target{Service: service, URL: url, Token: testToken})
	}
	return out
}

// breached lists the checks of a report that failed.
func breached(r Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		if f.Severity == Breach {
			out = append(out, f.Check)
		}
	}
	slices.Sort(out)
	return out
}

func report(r Report) string {
	var b strings.Builder
	r.Write(&b)
	return b.String()
}

// skipped lists the checks of a report that were skipped, but for those that any healthy service skips.
func skipped(r Report) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Severity == Skipped && !strings.HasSuffix(f.Check, ruleRetryAfter) {
			out = append(out, f.Check+": "+f.Detail)
		}
	}
	return out
}

// names lists the checks of a report.
func names(r Report) []string {
	out := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		out[i] = f.Check
	}
	slices.Sort(out)
	return out
}

func TestHealthyServicesPass(t *testing.T) {
	t.Parallel()
	n := openNetwork(t).people(t)
	for _, write := range []bool{false, true} {
		t.Run(fmt.Sprintf("write=%t", write), func(t *testing.T) {
			seen := 0
			r, err := Check(t.Context(), n.targets(), Options{Write: write, Timeout: time.Minute, Progress: func(Finding) { seen++ }})
			if err != nil {
				t.Fatal(err)
			}
			if got := breached(r); len(got) != 0 {
				t.Error(report(r))
			}
			if seen != len(r.Findings) {
				t.Errorf("%d calls of Progress for %d findings", seen, len(r.Findings))
			}
			if write {
				everyCheckIsProvoked(t, n, r)
			}
			for _, line := range skipped(r) {
				if write || !strings.HasSuffix(line, errReadOnly.Error()) {
					t.Errorf("skipped: %s", line)
				}
			}
			for _, f := range r.Findings {
				if strings.Contains(f.Request+f.Detail, testToken) || strings.Contains(f.Request+f.Detail, "127.0.0.1") {
					t.Errorf("host or token in %+v", f)
				}
			}
		})
	}
}

func TestEmptyServicesAreSkippedAndWritesFindSamples(t *testing.T) {
	t.Parallel()
	n := openNetwork(t)
	for _, c := range []struct {
		write, pass bool
	}{{false, false}, {true, true}} {
		r, err := Check(t.Context(), n.targets(), Options{Write: c.write, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if r.Breaches() != 0 {
			t.Error(report(r))
		}
		for _, f := range r.Findings {
			switch f.Check {
			case "user.list.pages-forward", "user.batch.found", "post.by-author.pages-back", "comment.replies.bounds", "follower.edges.found":
				if pass := f.Severity == Pass; pass != c.pass {
					t.Errorf("with Write %t: %s: %s %s", c.write, f.Check, f.Severity, f.Detail)
				}
			}
		}
	}
}

// TestChecksHaveStableNames holds every run to reporting the same checks once each, whatever the service does.
func TestChecksHaveStableNames(t *testing.T) {
	t.Parallel()
	n := openNetwork(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	var dead []Target
	for service := range n.urls {
		dead = append(dead, Target{Service: service, URL: gone.URL})
	}
	full := n.targets()
	var want []string
	for _, c := range []struct {
		targets []Target
		write   bool
	}{{full, true}, {full, false}, {dead, false}, {dead, true}} {
		r, err := Check(t.Context(), c.targets, Options{Write: c.write, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(names(r), func(name string) bool { return strings.HasSuffix(name, ".cleanup") })
		if want == nil {
			want = got
		}
		if len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Error("a check is reported twice")
		}
		if !slices.Equal(got, want) {
			t.Errorf("other checks: %d, not %d", len(got), len(want))
		}
	}
}

func TestTargetsThatMakeNoSense(t *testing.T) {
	for _, c := range []struct {
		targets []Target
		want    string
	}{
		{nil, "no service"},
		{[]Target{{Service: "like", URL: "http://localhost"}}, `no service "like"`},
		{[]Target{{Service: "user", URL: "localhost:80"}}, "URL of the user service"},
		{[]Target{{Service: "user", URL: "http://me:secret@host:x/"}}, "URL of the user service"},
		{[]Target{{Service: "user", URL: "ftp://host"}}, "http or https"},
		{[]Target{{Service: "user", URL: "http://host?x=1"}}, "no query"},
		{[]Target{{Service: "user", URL: "http://a"}, {Service: "user", URL: "http://b"}}, "two URLs"},
	} {
		_, err := Check(t.Context(), c.targets, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", c.targets, err)
		}
	}
}
