package main

import (
	"bytes"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// deferredQuery is a profile whose comments may come later.
const deferredQuery = `{"query":"{ user(id: \"user_u1\") { handle posts(first: 2) { nodes { title ...Talk @defer(label: \"talk\") } } } } fragment Talk on Post { commentCount comments(first: 1) { nodes { id } } }"}`

// TestDeferredPartsArriveLater runs the program with comments that are held back: what does not need them is there before.
func TestDeferredPartsArriveLater(t *testing.T) {
	for _, executor := range []string{"engine", "gqlgen"} {
		t.Run(executor, func(t *testing.T) {
			u := startUpstream(t, startDemo(t, seededDir(t)))
			release := make(chan struct{})
			u.hook(func(service string, _ *http.Request) {
				if service == "comment" {
					<-release
				}
			})
			args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--executor", executor, "--log-level", "error"}
			for service, url := range u.urls {
				args = append(args, "--"+service+"-url", url)
			}
			readDeferred(t, start(t, args...), u, release)
		})
	}
}

// readDeferred reads the profile in its parts, and has the comments answered after the first.
func readDeferred(t *testing.T, p *program, u *upstream, release chan struct{}) {
	t.Helper()
	parts := p.parts(t, "/graphql", deferredQuery)
	first := nextPart(t, parts)
	if at(t, first, "hasNext") != true || len(at(t, first, "data", "user", "posts", "nodes").([]any)) != 2 {
		t.Errorf("first %v", first)
	}
	u.take()
	if _, early := at(t, first, "data", "user", "posts", "nodes", 0).(map[string]any)["commentCount"]; early {
		t.Errorf("first %v", first)
	}
	close(release)
	last := nextPart(t, parts)
	for i := range 2 {
		item := at(t, last, "incremental", i)
		if at(t, item, "label") != "talk" || pathOf(at(t, item, "path").([]any)) != `"user","posts","nodes",`+strconv.Itoa(i) || at(t, item, "data", "commentCount") == nil || at(t, item, "data", "comments", "nodes") == nil {
			t.Errorf("part %d: %v", i, item)
		}
	}
	if at(t, last, "hasNext") != false || at(t, last, "extensions", "cost", "actual") == nil {
		t.Errorf("last %v", last)
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("behind the last part: %v", err)
	}
	wantCalls(t, u.take())
}

// parts asks for an answer in parts.
func (p *program) parts(t *testing.T, path, body string) *multipart.Reader {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "multipart/mixed;deferSpec=20220824,application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	media, params, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || media != "multipart/mixed" {
		t.Fatal(media, err)
	}
	return multipart.NewReader(response.Body, params["boundary"])
}

// wantCalls holds the later part to the calls that it needs: what the first has read is not read again.
func wantCalls(t *testing.T, calls []string) {
	t.Helper()
	for _, call := range calls {
		if service, _, _ := strings.Cut(call, " "); service != "comment" && service != "post" {
			t.Errorf("the deferred part called %s", call)
		}
	}
}

func nextPart(t *testing.T, parts *multipart.Reader) map[string]any {
	t.Helper()
	part, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, bytes.TrimSpace(raw))
}

func TestDeferIsRefusedWithoutParts(t *testing.T) {
	p := start(t, "--addr", "127.0.0.1:0", "--data-dir", seededDir(t))
	a := p.post(t, "", `{ user(id: "user_u1") { ... @defer { handle } } }`, nil)
	if a.Data != nil || len(a.Errors) != 1 || a.Errors[0].code() != "DEFER_NOT_SUPPORTED" {
		t.Errorf("%+v", a)
	}
	a = p.post(t, "", `{ user(id: "user_u1") { ... @defer(if: false) { handle } } __schema { directives { name } } }`, nil)
	if at(t, a.Data, "user", "handle") == nil || !slices.ContainsFunc(at(t, a.Data, "__schema", "directives").([]any), func(d any) bool { return at(t, d, "name") == "defer" }) {
		t.Errorf("%+v", a)
	}
}

func TestEachVersionDefersItsOwnFields(t *testing.T) {
	p := start(t, "--addr", "127.0.0.1:0", "--data-dir", seededDir(t))
	for path, field := range map[string]string{"/v1/graphql": "followedByViewer", "/v2/graphql": "viewerIsFollowing"} {
		parts := p.parts(t, path, `{"query":"{ user(id: \"user_u1\") { ... @defer { `+field+` } } }"}`)
		if first := nextPart(t, parts); at(t, first, "hasNext") != true {
			t.Errorf("%s: %v", path, first)
		}
		last := nextPart(t, parts)
		if data := at(t, last, "incremental", 0, "data").(map[string]any); len(data) != 1 || !slices.Contains(slices.Collect(maps.Keys(data)), field) {
			t.Errorf("%s: %v", path, last)
		}
	}
}

// TestOnlyConnectionsOnTheWayAreReadAhead has two connections of which nothing but the count is asked for at once. Of the one that has more to come
// the page is read, of the other one it is not.
func TestOnlyConnectionsOnTheWayAreReadAhead(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	_, _, parts := g.inParts(t, `{ user(id: "user_u1") { posts(first: 37) { totalCount } followers(first: 38) { totalCount ... @defer { nodes { id } } } } }`)
	calls := strings.Join(u.take(), "\n")
	if parts != 2 || strings.Contains(calls, "limit=37") || !strings.Contains(calls, "limit=38") {
		t.Errorf("%d parts by\n%s", parts, calls)
	}
}
