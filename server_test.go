package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// get asks the program for a path.
func (p *program) get(t *testing.T, path string, change func(*http.Request)) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(request)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(raw)
}

// command runs a command of the program to its end.
func command(t *testing.T, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	var out, log lockedBuffer
	err = run(t.Context(), args, strings.NewReader(stdin), &out, &log)
	return out.String(), err
}

func TestProgramStartsEmptyHandedAndAnswers(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "--addr", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"))
	a := p.post(t, "", `{ users(first: 1) { totalCount } posts(first: 1) { totalCount nodes { author { name } } } }`, nil)
	if len(a.Errors) > 0 || at(t, a.Data, "users", "totalCount") != float64(1000) {
		t.Errorf("%+v", a)
	}
	out := p.stdout.String()
	for _, want := range []string{p.url + "/graphql", p.url + "/\n", "services", "curl"} {
		if !strings.Contains(out, want) {
			t.Errorf("the announcement lacks %q:\n%s", want, out)
		}
	}
}

func TestPagesAndHealth(t *testing.T) {
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", seededDir(t))
	p.post(t, "", `{ posts(first: 1) { nodes { author { name } } } }`, nil)
	for path, want := range map[string]string{
		"/healthz": `"status":"ok"`, "/readyz": `"status":"ready"`, "/": "<html", "/metrics": "tributary_operation_duration_seconds_count{outcome=\"ok\",type=\"query\"} 1",
	} {
		status, header, body := p.get(t, path, nil)
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, lacks %q", path, status, want)
		}
		if header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", path)
		}
	}
	if status, _, _ := p.get(t, "/nothing", nil); status != http.StatusNotFound {
		t.Errorf("/nothing: %d", status)
	}
	for _, path := range []string{"/", "/graphql?query=%7B__typename%7D", "/metrics", "/healthz"} {
		if status, _, _ := p.get(t, path, func(r *http.Request) { r.Host = "evil.example" }); status != http.StatusMisdirectedRequest {
			t.Errorf("%s under a foreign name: %d", path, status)
		}
	}
}

func TestRequestIDAndTraceGoUpstreamAndCredentialsDoNot(t *testing.T) {
	d := startDemo(t, seededDir(t))
	u := startUpstream(t, d)
	seen := make(chan http.Header, 16)
	u.hook(func(_ string, r *http.Request) { seen <- r.Header.Clone() })
	dir := t.TempDir()
	key := apiKey(t, dir)
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", dir, "--service-token", "gateway-secret"}
	for service, url := range u.urls {
		args = append(args, "--"+service+"-url", url)
	}
	p := start(t, args...)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	status, header, body := p.get(t, "/graphql?query="+"%7Buser(id:%22user_u1%22)%7Bhandle%7D%7D", func(r *http.Request) {
		r.Header.Set("X-Request-Id", "given-by-client")
		r.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		r.Header.Set("Cookie", "session=secret")
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Keep-Alive", "timeout=5")
	})
	if status != http.StatusOK || header.Get("X-Request-Id") != "given-by-client" {
		t.Fatalf("%d %v %s", status, header, body)
	}
	got := <-seen
	if got.Get("X-Request-Id") != "given-by-client" || !strings.Contains(got.Get("Traceparent"), trace) || got.Get("Authorization") != "Bearer gateway-secret" {
		t.Errorf("upstream saw %v", got)
	}
	for _, name := range []string{"Cookie", "X-Api-Key", "Keep-Alive", "X-Actor"} {
		if got.Get(name) != "" {
			t.Errorf("upstream saw %s: %s", name, got.Get(name))
		}
	}
	if log := p.stderr.String(); !strings.Contains(log, `"request_id":"given-by-client"`) || strings.Contains(log, "secret") || strings.Contains(log, key) {
		t.Errorf("log: %s", log)
	}
}

func TestTokens(t *testing.T) {
	dir := seededDir(t)
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
	out, err := command(t, "", "token", "--data-dir", dir, "--user", "user_u3")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	token := lines[len(lines)-1]
	a := p.post(t, token, `{ viewer { id email } feed(first: 2) { totalCount } }`, nil)
	if at(t, a.Data, "viewer", "id") != "user_u3" || at(t, a.Data, "viewer", "email") == nil || len(a.Errors) > 0 {
		t.Errorf("%+v", a)
	}
	status, header, body := p.get(t, "/graphql?query=%7B__typename%7D", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") })
	if status != http.StatusUnauthorized || header.Get("Www-Authenticate") == "" || !strings.Contains(body, "UNAUTHENTICATED") || strings.Contains(body, `"data"`) {
		t.Errorf("a wrong token: %d %s", status, body)
	}
	if strings.Contains(p.stderr.String(), token) {
		t.Error("the log has the token")
	}
}

// TestShutdownFinishesWhatRuns stops the program while an operation waits for a service.
func TestShutdownFinishesWhatRuns(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	arrived, release := make(chan struct{}, 8), make(chan struct{})
	u.hook(func(string, *http.Request) { arrived <- struct{}{}; <-release })
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir()}
	for service, url := range u.urls {
		args = append(args, "--"+service+"-url", url)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lines, writer := io.Pipe()
	done := make(chan error, 1)
	var log lockedBuffer
	go func() { done <- run(ctx, args, strings.NewReader(""), writer, &log) }()
	url := findURL(t, lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	defer lines.Close()

	answered := make(chan string, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Post(url+"/graphql", "application/json", strings.NewReader(`{"query":"{ user(id: \"user_u1\") { handle } }"}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-arrived
	stop()
	for !strings.Contains(log.String(), `"msg":"stopping"`) {
		time.Sleep(time.Millisecond) // the log has no event to wait for
	}
	close(release)
	if got := <-answered; !strings.Contains(got, `"handle"`) || strings.Contains(got, "errors") {
		t.Errorf("the running operation got %s", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCommandsRefuseWhatCannotBe(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--addr", "nonsense"}, "--addr"},
		{[]string{"serve", "--addr", "0.0.0.0:0"}, "--unsafe-public-demo"},
		{[]string{"serve", "--user-url", "http://127.0.0.1:1"}, "--demo"},
		{[]string{"serve", "--user-timeout", "soon"}, "--user-timeout"},
		{[]string{"token"}, "--user"},
		{[]string{"token", "--user", "a b"}, "--user"},
		{[]string{"doctor"}, "--user-url"},
		{[]string{"import", "/nowhere"}, "/nowhere"},
		{[]string{"explain", "/nowhere"}, "/nowhere"},
		{[]string{"unknown"}, "unknown"},
	} {
		if _, err := command(t, "", append(c.args, "--data-dir", t.TempDir())...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want it to name %s", c.args, err, c.want)
		}
	}
}

func TestExplainShowsTheTree(t *testing.T) {
	dir := seededDir(t)
	out, err := command(t, "query Q { user(id: \"user_u1\") { posts(first: 3) { nodes { comments(first: 2) { nodes { author { handle } } } } } followers(first: 2) { nodes { handle } } } }",
		"explain", "--data-dir", dir, "--answer", "--loader-wait", "5ms", "-")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^[│├└─ ]*[A-Za-z.]+`).FindAllString(out, -1)
	want := []string{"└─ user", "   ├─ posts", "   │  └─ nodes.comments", "   │     └─ nodes.author", "   └─ followers", "      └─ nodes"}
	if got := lines[1:]; len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("the tree is %q in\n%s", got, out)
	}
	for _, want := range []string{"calls to 4 services in 3 rounds", "GET /comments/by-post", `"followers"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSchemaIsWhatIsServed(t *testing.T) {
	out, err := command(t, "", "schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"type User implements Node", "followedByViewer: Boolean"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(out, "goField") {
		t.Error("the schema shows how it is generated")
	}
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", seededDir(t))
	a := p.post(t, "", `{ __schema { directives { name } types { name description fields { name description } } } }`, nil)
	for _, directive := range at(t, a.Data, "__schema", "directives").([]any) {
		if name := at(t, directive, "name").(string); strings.HasPrefix(name, "go") {
			t.Errorf("introspection shows @%s", name)
		}
	}
	for _, kind := range at(t, a.Data, "__schema", "types").([]any) {
		if name := at(t, kind, "name").(string); !strings.HasPrefix(name, "__") && at(t, kind, "description") == nil {
			t.Errorf("%s is not described", name)
		}
	}
}

// social is a real-shaped network that is not part of the project; it lies beside it where the whole check runs.
const social = "../shared/data/social"

func TestImportedNetworkAnswersRight(t *testing.T) {
	if _, err := os.Stat(social); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("missing: ", social)
		}
		t.Logf("%s is missing: nothing was imported", social)
		return
	}
	dir := t.TempDir()
	for _, want := range []string{"222 new", "0 new, 0 changed, 222 unchanged"} {
		out, err := command(t, "", "import", "--data-dir", dir, social)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("%v: no %q in\n%s", err, want, out)
		}
	}
	following, followers, top := countEdges(t)
	p := start(t, "serve", "--addr", "127.0.0.1:0", "--data-dir", dir)
	a := p.post(t, "", `query($id: ID!) {
	  users(first: 1) { totalCount } posts(first: 1) { totalCount }
	  user(id: $id) { handle stats { posts comments followers following } posts(first: 10) { totalCount } comments(first: 1) { totalCount } followers(first: 100) { totalCount nodes { id } } following(last: 1) { totalCount } }
	}`, map[string]any{"id": "user_" + top})
	if len(a.Errors) > 0 {
		t.Fatal(a.Errors)
	}
	posts, comments := countLines(t, "posts.ndjson", top), countLines(t, "comments.ndjson", top)
	for _, c := range []struct {
		want int
		path []any
	}{
		{222, []any{"users", "totalCount"}}, {5924, []any{"posts", "totalCount"}},
		{posts, []any{"user", "stats", "posts"}}, {posts, []any{"user", "posts", "totalCount"}},
		{comments, []any{"user", "stats", "comments"}}, {comments, []any{"user", "comments", "totalCount"}},
		{followers[top], []any{"user", "stats", "followers"}}, {followers[top], []any{"user", "followers", "totalCount"}},
		{following[top], []any{"user", "stats", "following"}}, {following[top], []any{"user", "following", "totalCount"}},
	} {
		if got := at(t, a.Data, c.path...); got != float64(c.want) {
			t.Errorf("%v is %v, want %d", c.path, got, c.want)
		}
	}
	if nodes := at(t, a.Data, "user", "followers", "nodes").([]any); len(nodes) != min(followers[top], 100) {
		t.Errorf("%d followers shown", len(nodes))
	}
}

// countEdges counts the follow edges of every user, and finds the most connected one.
func countEdges(t *testing.T) (following, followers map[string]int, top string) {
	t.Helper()
	following, followers = map[string]int{}, map[string]int{}
	for _, line := range ndjson(t, "follows.ndjson") {
		following[line["followerId"].(string)]++
		followers[line["followeeId"].(string)]++
	}
	for id := range followers {
		if sum := followers[id] + following[id]; sum > followers[top]+following[top] || sum == followers[top]+following[top] && id < top {
			top = id
		}
	}
	return following, followers, top
}

func countLines(t *testing.T, file, author string) (n int) {
	t.Helper()
	for _, line := range ndjson(t, file) {
		if line["authorId"] == author {
			n++
		}
	}
	return n
}

func ndjson(t *testing.T, file string) (lines []map[string]any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(social, file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, object)
	}
	return lines
}
