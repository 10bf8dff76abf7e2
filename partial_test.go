package main

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
)

// partialQuery asks every service for something that does not hang on another one, the user's own fields and comments aside.
const partialQuery = `{
  posts(first: 2) { nodes { title author { handle } } }
  user(id: "user_u1") { handle posts(first: 2) { nodes { title } } comments(first: 2) { nodes { body } } followers(first: 2) { totalCount } }
}`

// probes are places in the answer to partialQuery, and the services that they need.
var probes = []struct {
	path  []any
	needs []string
}{
	{[]any{"posts", "nodes", 0, "title"}, []string{"post"}},
	{[]any{"posts", "nodes", 1, "author", "handle"}, []string{"post", "user"}},
	{[]any{"user", "handle"}, []string{"user"}},
	{[]any{"user", "posts", "nodes", 0, "title"}, []string{"user", "post"}},
	{[]any{"user", "comments", "nodes", 0, "body"}, []string{"user", "comment", "post"}}, // whether it may be read depends on its post
	{[]any{"user", "followers", "totalCount"}, []string{"user", "follower"}},
}

// find is at for what may be null on the way.
func find(value any, path []any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

const (
	testTimeout = 500 * time.Millisecond
	testBudget  = time.Second
)

// impatient is a gateway that gives up early, so that the tests need not wait.
func impatient(g *config.Gateway) {
	for _, service := range config.Services() {
		s := g.Of(service)
		s.Timeout, s.Budget, s.Hedge = testTimeout, testBudget, false
		s.BreakerMinCalls, s.BreakerDelay = 1000, 200*time.Millisecond
	}
}

var faults = []struct {
	name  string
	fault demo.Fault
	code  string
}{
	{"slow", demo.Fault{Latency: 20 * time.Second}, "TIMEOUT"},
	{"hangs", demo.Fault{Hang: true}, "TIMEOUT"},
	{"500", demo.Fault{ErrorRate: 1, Status: http.StatusInternalServerError}, "SERVICE_UNAVAILABLE"},
	{"503", demo.Fault{ErrorRate: 1}, "SERVICE_UNAVAILABLE"},
	{"429", demo.Fault{ErrorRate: 1, Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, "SERVICE_UNAVAILABLE"},
	{"refused", demo.Fault{Down: true}, "SERVICE_UNAVAILABLE"},
	{"reset", demo.Fault{Body: demo.BodyReset}, "SERVICE_UNAVAILABLE"},
	{"truncated", demo.Fault{Body: demo.BodyTruncated}, "SERVICE_UNAVAILABLE"},
	{"not JSON", demo.Fault{Body: demo.BodyNotJSON}, "SERVICE_UNAVAILABLE"},
	{"wrong type", demo.Fault{Body: demo.BodyWrongType}, "SERVICE_UNAVAILABLE"},
	{"huge", demo.Fault{Body: demo.BodyHuge}, "SERVICE_UNAVAILABLE"},
}

// TestPartialAnswers breaks each service in each way, without and with something in the cache to fall back to.
func TestPartialAnswers(t *testing.T) {
	for _, service := range demo.Services() {
		t.Run(service, func(t *testing.T) {
			t.Parallel() // each with a demo of its own: most of the time is spent waiting for what does not answer
			partialAnswers(t, service)
		})
	}
}

// partialAnswers breaks one service in every way.
func partialAnswers(t *testing.T, service string) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	healthy := ask(t, openGateway(t, urls, nil), auth.Viewer{}, partialQuery, nil)
	if len(healthy.Errors) > 0 || len(healthy.Extensions.Degraded) > 0 {
		t.Fatal(healthy)
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			budget, settings := 5*time.Second, func(*config.Gateway) {} // what fails at once fails long before the default timeout
			if fault.code == "TIMEOUT" {
				budget, settings = testBudget, impatient
			}
			cold := openGateway(t, urls, settings)
			warm := openGateway(t, urls, func(g *config.Gateway) { settings(g); g.Cache.Fresh = 0 })
			ask(t, warm, auth.Viewer{}, partialQuery, nil)
			breakService(t, d, service, fault.fault)
			missing(t, cold, healthy, service, fault.code, budget)
			stale(t, warm, healthy, service, fault.code)
		})
	}
}

func breakService(t *testing.T, d *demo.Demo, service string, fault demo.Fault) {
	t.Helper()
	if err := d.Faults(service).Set(fault); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Faults(service).Clear(); err != nil {
			t.Error(err)
		}
	})
}

// missing holds an answer without anything to fall back to against the healthy one.
func missing(t *testing.T, g *gateway, healthy answer, service, code string, budget time.Duration) {
	t.Helper()
	start := time.Now()
	a := ask(t, g, auth.Viewer{}, partialQuery, nil)
	if took, most := time.Since(start), 2*budget+time.Second; took > most { // two rounds of calls
		t.Errorf("took %v, more than %v", took, most)
	}
	for _, probe := range probes {
		got := find(any(a.Data), probe.path)
		switch lost := slices.Contains(probe.needs, service); {
		case lost && got != nil:
			t.Errorf("%v is %v without its service", probe.path, got)
		case !lost && !reflect.DeepEqual(got, find(any(healthy.Data), probe.path)):
			t.Errorf("%v was harmed: %v", probe.path, got)
		}
	}
	if len(a.Errors) == 0 || len(a.Extensions.Degraded) != len(a.Errors) {
		t.Errorf("%d errors, %d degraded", len(a.Errors), len(a.Extensions.Degraded))
	}
	for _, e := range a.Errors {
		if e.code() != code || e.Extensions["service"] != service || len(e.Path) == 0 {
			t.Errorf("error %+v, want code %s", e, code)
		}
	}
	for _, entry := range a.Extensions.Degraded {
		if entry.Stale || entry.Service != service || entry.Reason != code {
			t.Errorf("degraded %+v", entry)
		}
	}
}

// stale holds an answer out of the cache against the healthy one.
func stale(t *testing.T, g *gateway, healthy answer, service, code string) {
	t.Helper()
	a := ask(t, g, auth.Viewer{}, partialQuery, nil)
	if len(a.Errors) > 0 {
		t.Errorf("errors in spite of the cache: %v", a.Errors)
	}
	if !reflect.DeepEqual(a.Data, healthy.Data) {
		t.Errorf("not what was cached: %v", a.Data)
	}
	if len(a.Extensions.Degraded) == 0 {
		t.Error("nothing says that the answer is stale")
	}
	for _, entry := range a.Extensions.Degraded {
		if !entry.Stale || entry.Service != service || entry.Reason != code || len(entry.Path) == 0 {
			t.Errorf("degraded %+v, want stale because of %s", entry, code)
		}
	}
}

// TestForeignAndMissingIDs breaks single items of answers: nobody else may suffer.
func TestForeignAndMissingIDs(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	const query = `{ posts(first: 20) { nodes { title author { handle } commentCount } } }`
	healthy := ask(t, openGateway(t, urls, nil), auth.Viewer{}, query, nil)
	for _, service := range []string{"user", "comment"} {
		t.Run(service+"/foreign", func(t *testing.T) {
			breakService(t, d, service, demo.Fault{Body: demo.BodyForeignID})
			a := ask(t, openGateway(t, urls, nil), auth.Viewer{}, query, nil)
			if len(a.Errors) > 0 || !reflect.DeepEqual(a.Data, healthy.Data) {
				t.Errorf("harmed: %v", a.Errors)
			}
		})
		t.Run(service+"/missing", func(t *testing.T) {
			breakService(t, d, service, demo.Fault{Body: demo.BodyMissingID})
			a := ask(t, openGateway(t, urls, nil), auth.Viewer{}, query, nil)
			nodes := at(t, a.Data, "posts", "nodes").([]any)
			field := map[string]string{"user": "author", "comment": "commentCount"}[service]
			lost := map[string]bool{}
			for i, node := range nodes {
				was := at(t, healthy.Data, "posts", "nodes", i, field)
				if now := at(t, node, field); now == nil {
					lost[fmt.Sprint(was)] = true
				} else if !reflect.DeepEqual(now, was) {
					t.Errorf("post %d changed: %v", i, now)
				}
			}
			if len(nodes) != 20 || len(lost) != 1 {
				t.Errorf("%d posts, lost %v", len(nodes), lost)
			}
		})
	}
}

// TestBreakerOpensAndRecovers follows a breaker through its life as a client sees it.
func TestBreakerOpensAndRecovers(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, func(g *config.Gateway) {
		uncached(g)
		impatient(g)
		g.User.BreakerMinCalls, g.User.Retries, g.User.BreakerDelay = 4, 0, 300*time.Millisecond
	})
	const query = `{ user(id: "user_u1") { handle } }`
	u.hook(func(string, *http.Request) { panic(http.ErrAbortHandler) })
	var a answer
	for range 10 {
		a = ask(t, g, auth.Viewer{}, query, nil)
	}
	if code := a.codes()[`"user"`]; code != "CIRCUIT_OPEN" {
		t.Fatalf("after ten failures the code is %s", code)
	}
	if ms, _ := a.Errors[0].Extensions["retryAfterMs"].(float64); ms <= 0 || ms > 300 {
		t.Errorf("retryAfterMs is %v", ms)
	}
	if calls := u.take(); len(calls) != 4 {
		t.Errorf("%d calls reached the failing service, want 4", len(calls))
	}
	u.hook(nil)
	for deadline := time.Now().Add(5 * time.Second); len(a.Errors) > 0; a = ask(t, g, auth.Viewer{}, query, nil) {
		if time.Now().After(deadline) {
			t.Fatal("the breaker never closed")
		}
		time.Sleep(10 * time.Millisecond) // polls a breaker that keeps its own clock
	}
	if calls := u.take(); len(calls) != 1 {
		t.Errorf("%d calls until it closed, want the one trial", len(calls))
	}
}

// TestStalePathsInMixedLists asks for a field of the posts alone in a list of posts and comments: what is said to be stale must be posts.
func TestStalePathsInMixedLists(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	g := openGateway(t, urls, func(c *config.Gateway) { impatient(c); c.Cache.Fresh = 0 })
	const query = `{ user(id: "user_u1") { activity(first: 12) { nodes { __typename ... on Post { commentCount author { handle } } } } } }`
	ask(t, g, auth.Viewer{}, query, nil)
	breakService(t, d, "comment", demo.Fault{Down: true})
	a := ask(t, g, auth.Viewer{}, query, nil)
	counts := map[float64]bool{}
	for _, entry := range a.Extensions.Degraded {
		if len(entry.Path) == 5 && entry.Path[4] == "commentCount" {
			i := entry.Path[3].(float64)
			counts[i] = true
			if kind := at(t, a.Data, "user", "activity", "nodes", int(i), "__typename"); kind != "Post" {
				t.Errorf("%v is a %v", entry.Path, kind)
			}
		}
	}
	posts := 0
	for _, node := range at(t, a.Data, "user", "activity", "nodes").([]any) {
		if at(t, node, "__typename") == "Post" {
			posts++
		}
	}
	if posts == 0 || posts == 12 || len(counts) != posts {
		t.Errorf("%d posts of 12, %d counts said to be stale", posts, len(counts))
	}
}
