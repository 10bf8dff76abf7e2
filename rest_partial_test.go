package main

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
)

const profilePath = "/api/profile/user_u1?postsLimit=2&followersLimit=2"

// TestRESTProfileIsPartial takes each service away, without and with something in the cache to fall back to.
func TestRESTProfileIsPartial(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := startUpstream(t, d).urls
	healthy := sendREST(t, serveREST(t, openGateway(t, urls, nil)), http.MethodGet, profilePath)
	if healthy.status != http.StatusOK || healthy.body["partial"] != nil || healthy.body["problems"] != nil || healthy.body["degraded"] != nil {
		t.Fatal(healthy.raw)
	}
	lost := map[string][]string{
		"post": {"/posts", "/stats/posts"}, "comment": {"/stats/comments"}, "follower": {"/followers", "/stats/followers", "/stats/following"},
	}
	for service, paths := range lost {
		t.Run(service, func(t *testing.T) {
			cold := serveREST(t, openGateway(t, urls, impatient))
			warm := serveREST(t, openGateway(t, urls, func(g *config.Gateway) { impatient(g); g.Cache.Fresh = 0 }))
			sendREST(t, warm, http.MethodGet, profilePath)
			breakService(t, d, service, demo.Fault{ErrorRate: 1})
			got := sendREST(t, cold, http.MethodGet, profilePath)
			problems, _ := got.body["problems"].([]any)
			if got.status != http.StatusOK || got.body["partial"] != true || len(problems) != len(paths) || got.body["degraded"] != nil ||
				got.header.Get("Cache-Control") != "no-store" || got.header.Get("ETag") != "" {
				t.Error(got.status, got.header, got.raw)
			}
			told := map[string]bool{}
			for _, problem := range problems {
				path := at(t, problem, "path").(string)
				told[path] = true
				if at(t, problem, "code") != "SERVICE_UNAVAILABLE" || at(t, problem, "service") != service || at(t, problem, "detail") == "" {
					t.Error(problem)
				}
			}
			samePointers(t, got.body, healthy.body, paths)
			for _, path := range paths {
				if !told[path] || pointed(got.body, path) != nil {
					t.Errorf("%s is %v, and %v tells of it", path, pointed(got.body, path), problems)
				}
			}
			restStale(t, sendREST(t, warm, http.MethodGet, profilePath), healthy, service)
		})
	}
}

// samePointers holds all that is not lost against a healthy answer.
func samePointers(t *testing.T, got, healthy map[string]any, lost []string) {
	t.Helper()
	for _, path := range []string{"/handle", "/posts", "/followers", "/stats/posts", "/stats/comments", "/stats/followers", "/stats/following"} {
		if !strings.Contains(strings.Join(lost, " ")+" ", path+" ") && !reflect.DeepEqual(pointed(got, path), pointed(healthy, path)) {
			t.Errorf("%s was harmed", path)
		}
	}
}

// restStale holds an answer out of the cache against the healthy one.
func restStale(t *testing.T, got, healthy read, service string) {
	t.Helper()
	degraded, _ := got.body["degraded"].([]any)
	if got.status != http.StatusOK || got.body["partial"] != nil || got.body["problems"] != nil || len(degraded) == 0 || got.header.Get("ETag") != "" {
		t.Error(got.status, got.raw)
	}
	for _, entry := range degraded {
		if path, ok := at(t, entry, "path").(string); !ok || pointed(got.body, path) == nil || at(t, entry, "service") != service || at(t, entry, "reason") != "SERVICE_UNAVAILABLE" || at(t, entry, "ageMs").(float64) < 0 {
			t.Error(entry)
		}
	}
	delete(got.body, "degraded")
	if !reflect.DeepEqual(got.body, healthy.body) {
		t.Errorf("not what was cached: %s", got.raw)
	}
}

// pointed follows a JSON pointer; nil where there is nothing.
func pointed(value any, pointer string) any {
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch in := value.(type) {
		case map[string]any:
			if step != "" {
				value = in[step]
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			value = in[i]
		default:
			return nil
		}
	}
	return value
}

// TestRESTWithoutUsers takes the service away that everything hangs on.
func TestRESTWithoutUsers(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := startUpstream(t, d).urls
	settings := func(g *config.Gateway) {
		impatient(g)
		g.Cache.Fresh, g.User.Retries = 0, 0
		g.User.BreakerMinCalls, g.User.BreakerDelay = 4, 3*time.Second
	}
	cold, warm := serveREST(t, openGateway(t, urls, settings)), serveREST(t, openGateway(t, urls, settings))
	paths := []string{"/api/profile/user_u1", "/api/users/user_u1", "/api/users?limit=2", "/api/users?handle=tarek_haddad"}
	healthy := map[string]read{}
	for _, path := range paths {
		healthy[path] = sendREST(t, warm, http.MethodGet, path)
	}
	breakService(t, d, "user", demo.Fault{ErrorRate: 1})
	var last read
	for _, path := range append(paths, paths...) {
		last = sendREST(t, cold, http.MethodGet, path)
		if wait, err := strconv.Atoi(last.header.Get("Retry-After")); last.status != http.StatusServiceUnavailable || err != nil || wait < 1 || wait > 3 ||
			last.header.Get("Content-Type") != "application/problem+json" || strings.Contains(last.raw, "127.0.0.1") {
			t.Error(path, last.status, last.header, last.raw)
		}
	}
	if last.body["code"] != "CIRCUIT_OPEN" || last.header.Get("Retry-After") == "" {
		t.Error(last.header, last.raw)
	}
	for _, path := range paths {
		got := sendREST(t, warm, http.MethodGet, path)
		if got.status == http.StatusOK {
			restStaleUsers(t, path, got, healthy[path])
		} else if !strings.Contains(path, "handle") { // whose user it is, is not remembered
			t.Error(path, got.status, got.raw)
		}
	}
}

func restStaleUsers(t *testing.T, path string, got, healthy read) {
	t.Helper()
	if degraded, _ := got.body["degraded"].([]any); len(degraded) == 0 {
		t.Errorf("%s: nothing says that it is stale: %s", path, got.raw)
	}
	delete(got.body, "degraded")
	if !reflect.DeepEqual(got.body, healthy.body) {
		t.Errorf("%s: not what was cached: %s", path, got.raw)
	}
}

// TestRESTCostsWhatTheGraphCosts lets a caller spend what they have.
func TestRESTCostsWhatTheGraphCosts(t *testing.T) {
	p, dir := serveDemoOf(t, "--limit-ip-points", "60", "--limit-ip-restore", "0.001")
	for range 2 { // the header has the estimate, and what is given back shows in the next one
		if none := p.read(t, "/api/users/user_none"); none.status != http.StatusNotFound || !strings.Contains(none.header.Get("RateLimit"), `"ip";r=59;`) {
			t.Error(none.status, none.header)
		}
	}
	if wrong := p.read(t, "/api/users?limit=0"); wrong.status != http.StatusBadRequest || wrong.header.Get("RateLimit") != "" {
		t.Error(wrong.status, wrong.header)
	}
	first := p.read(t, "/api/users?limit=50")
	if first.status != http.StatusOK || !strings.Contains(first.header.Get("RateLimit"), `"ip";r=9;`) || !strings.Contains(first.header.Get("RateLimit-Policy"), "q=60;") {
		t.Fatal(first.status, first.header)
	}
	dear := p.read(t, "/api/users?limit=60")
	if dear.status != http.StatusBadRequest || dear.body["code"] != "COST_LIMIT_EXCEEDED" {
		t.Error(dear.status, dear.raw)
	}
	for _, header := range [][]string{nil, {"Authorization", "Bearer " + tokenFor(t, dir, "u1", "")}} {
		empty := p.read(t, "/api/v2/profile/user_u1", header...)
		if wait, err := strconv.Atoi(empty.header.Get("Retry-After")); empty.status != http.StatusTooManyRequests || empty.body["code"] != "THROTTLED" || err != nil || wait < 1 ||
			empty.header.Get("RateLimit") == "" || empty.header.Get("Api-Version") != "2" {
			t.Error(empty.status, empty.header, empty.raw)
		}
	}
	if r := p.send(t, `{ posts(first: 50) { nodes { id } } }`); r.status != http.StatusTooManyRequests {
		t.Errorf("the graph has another purse: %d %s", r.status, r.raw)
	}
	if small := p.read(t, "/api/users/user_u1"); small.status != http.StatusOK {
		t.Errorf("what is left cannot be spent: %d %s", small.status, small.raw)
	}
}

// TestRESTIsOneCallForEachKind counts what a profile takes.
func TestRESTIsOneCallForEachKind(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	url := serveREST(t, openGateway(t, u.urls, nil))
	u.take()
	if got := sendREST(t, url, http.MethodGet, "/api/profile/user_u1"); got.status != http.StatusOK {
		t.Fatal(got.raw)
	}
	rest := u.take()
	_ = ask(t, openGateway(t, u.urls, nil), auth.Viewer{}, `{ user(id: "user_u1") { handle stats { posts comments followers following } posts(first: 10) { nodes { title } totalCount } followers(first: 10) { nodes { handle } totalCount } } }`, nil)
	if graph := u.take(); len(rest) > len(graph) || len(rest) == 0 {
		t.Errorf("%d calls, in the graph %d: %q", len(rest), len(graph), rest)
	}
}
