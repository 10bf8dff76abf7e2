package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
	"tributary/internal/limit"
	"tributary/internal/operation"
)

// reply is an answer over HTTP with all of what surrounds it.
type reply struct {
	answer
	status int
	header http.Header
	raw    string
}

// costOf is extensions.cost.
type costOf struct {
	Requested      int64
	Actual         *int64
	ThrottleStatus *struct {
		Name                                 string
		MaximumAvailable, CurrentlyAvailable int64
		RestoreRate                          float64
	}
	Fields []struct {
		Path                                                   []string
		DefinedCost, RequestedTotalCost, RequestedChildrenCost int64
	}
}

func (r reply) cost(t *testing.T) costOf {
	t.Helper()
	var parsed struct{ Extensions struct{ Cost costOf } }
	if err := json.Unmarshal([]byte(r.raw), &parsed); err != nil {
		t.Fatalf("%v: %s", err, r.raw)
	}
	return parsed.Extensions.Cost
}

// send posts a query with header fields in pairs.
func (p *program) send(t *testing.T, query string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(asBody(query, "")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
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
	r := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &r.answer); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return r
}

// serveDemoOf runs the program over a fresh seed with further arguments.
func serveDemoOf(t *testing.T, args ...string) (p *program, dir string) {
	t.Helper()
	dir = seededDir(t)
	return start(t, append([]string{"--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "warn"}, args...)...), dir
}

// serveSmallDemo is serveDemoOf over eight users and one post: what happens is told at once there, since nothing else has to be.
func serveSmallDemo(t *testing.T, args ...string) (p *program, dir string) {
	t.Helper()
	dir = smallDir(t)
	return start(t, append([]string{"--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "warn"}, args...)...), dir
}

// tokenFor makes a development token.
func tokenFor(t *testing.T, dir, user, scopes string) string {
	t.Helper()
	key, err := auth.OpenDevelopmentKey(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	token, err := key.Issue(user, scopes, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAnswersTellTheirCost(t *testing.T) {
	p, dir := serveDemoOf(t, "--limit-ip-points", "500", "--limit-ip-restore", "0.001")
	r := p.send(t, `{ posts(first: 10) { nodes { title author { name } } } }`)
	cost := r.cost(t)
	if cost.Requested != 21 || cost.Actual == nil || *cost.Actual != 21 {
		t.Errorf("ten posts with their authors and the page they are on cost %s", r.raw)
	}
	if s := cost.ThrottleStatus; s == nil || s.Name != "ip" || s.MaximumAvailable != 500 || s.CurrentlyAvailable != 479 || s.RestoreRate != 0.001 {
		t.Errorf("throttleStatus is %+v", s)
	}
	if policy, left := r.header.Get("RateLimit-Policy"), r.header.Get("RateLimit"); !strings.Contains(policy, `"ip";q=500;`) || !strings.Contains(left, `"ip";r=479;`) {
		t.Errorf("RateLimit-Policy %q, RateLimit %q", policy, left)
	}
	r = p.send(t, `{ user(id: "user_u1") { comments(first: 100) { nodes { id } } } nothing: user(id: "user_none") { posts(first: 100) { nodes { id } } } }`)
	if cost = r.cost(t); *cost.Actual >= cost.Requested || cost.ThrottleStatus.CurrentlyAvailable != 479-*cost.Actual {
		t.Errorf("the user that does not exist was paid for: %+v", cost)
	}
	token := tokenFor(t, dir, "u1", "")
	r = p.send(t, `{ rateLimit { cost limit remaining used resetAt buckets { name unit size available restoreRate } } }`, "Authorization", "Bearer "+token)
	state := at(t, r.Data, "rateLimit").(map[string]any)
	buckets, _ := state["buckets"].([]any)
	if state["cost"] != 0.0 || state["limit"] != 500.0 || len(buckets) != 2 || state["remaining"].(float64)+state["used"].(float64) != 500 {
		t.Errorf("rateLimit says %v", state)
	}
	if resets, err := time.Parse(time.RFC3339, state["resetAt"].(string)); err != nil || resets.Before(time.Now()) {
		t.Errorf("resets at %v, %v", resets, err)
	}
}

func TestAnEmptyBucketIs429(t *testing.T) {
	p, dir := serveDemoOf(t, "--limit-ip-points", "30", "--limit-ip-restore", "10")
	const query = `{ posts(first: 10) { nodes { title author { name } } } }`
	if r := p.send(t, query); r.status != http.StatusOK {
		t.Fatal(r.raw)
	}
	r := p.send(t, query, "Accept", "application/json")
	if r.status != http.StatusTooManyRequests || len(r.Errors) != 1 || r.Errors[0].code() != "THROTTLED" || strings.Contains(r.raw, `"data"`) {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	wait, _ := r.Errors[0].Extensions["retryAfterMs"].(float64)
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 1300 || float64(seconds)*1000 < wait {
		t.Errorf("retryAfterMs %v, Retry-After %v", wait, seconds)
	}
	if r.cost(t).ThrottleStatus == nil {
		t.Errorf("no throttleStatus: %s", r.raw)
	}
	time.Sleep(time.Duration(wait) * time.Millisecond) // the server's own clock decides
	if r := p.send(t, query); r.status != http.StatusOK {
		t.Errorf("after retryAfterMs: %d %s", r.status, r.raw)
	}
	// The bucket of the address is empty again; another identity does not help.
	if r := p.send(t, query, "Authorization", "Bearer "+tokenFor(t, dir, "u1", "")); r.status != http.StatusTooManyRequests {
		t.Errorf("with a token: %d %s", r.status, r.raw)
	}
}

func TestWhatIsTooDearIsRefusedAtOnce(t *testing.T) {
	for name, args := range map[string][]string{
		"for one operation": {"--max-cost", "20"},
		"for the bucket":    {"--limit-ip-points", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := serveDemoOf(t, args...)
			const query = `{ posts(first: 10) { nodes { title author { name } } } }`
			for accept, status := range map[string]int{"application/json": http.StatusOK, "application/graphql-response+json": http.StatusBadRequest} {
				r := p.send(t, query, "Accept", accept)
				if r.status != status || len(r.Errors) != 1 || r.Errors[0].code() != "COST_LIMIT_EXCEEDED" || strings.Contains(r.raw, `"data"`) || r.header.Get("Retry-After") != "" {
					t.Errorf("%d %s", r.status, r.raw)
				}
				if e := r.Errors[0].Extensions; e["cost"] != 21.0 || e["limit"] != 20.0 {
					t.Errorf("%v", e)
				}
			}
		})
	}
	t.Run("with other weights", func(t *testing.T) {
		p, _ := serveDemoOf(t, "--cost-weights", "User=5,Query.posts=100")
		if r := p.send(t, `{ posts(first: 10) { nodes { title author { name } } } }`); r.cost(t).Requested != 100+1+10+50 {
			t.Error(r.raw)
		}
	})
}

func TestRequestsAreCountedToo(t *testing.T) {
	p, _ := serveDemoOf(t, "--limit-ip-requests", "3")
	for i := range 4 {
		r := p.send(t, `{ __typename }`)
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 3]; r.status != want {
			t.Errorf("request %d: %d %s", i, r.status, r.raw)
		}
	}
}

// TestADryRunAsksNobody looks at the cost of an operation that does not run.
func TestADryRunAsksNobody(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: `{ posts(first: 10) { nodes { title author { name } } } }`})
	if errs != nil {
		t.Fatal(errs)
	}
	result := g.pipeline.Run(t.Context(), prepared, operation.Call{CostDebug: operation.CostDebugDryRun})
	if result.Data != nil || result.Outcome != operation.Ran || result.Cost.Requested != 21 || len(u.take()) != 0 {
		t.Errorf("%+v", result)
	}
	raw, err := json.Marshal(result.Extensions)
	if err != nil || !bytes.Contains(raw, []byte(`{"path":["posts","nodes","author"],"definedCost":1,"requestedTotalCost":10,"requestedChildrenCost":0}`)) {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestCostOverHTTPByHeader(t *testing.T) {
	p, _ := serveDemoOf(t)
	const query = `{ posts(first: 10) { nodes { title author { name } } } }`
	if r := p.send(t, query, "GraphQL-Cost-Debug", "1"); len(r.cost(t).Fields) < 3 || r.Data["posts"] == nil {
		t.Error(r.raw)
	}
	if r := p.send(t, query, "GraphQL-Cost-Debug", "dry-run"); r.status != http.StatusOK || len(r.cost(t).Fields) < 3 || strings.Contains(r.raw, `"data"`) || r.cost(t).Actual != nil {
		t.Error(r.raw)
	}
	if r := p.send(t, query); len(r.cost(t).Fields) > 0 {
		t.Error(r.raw)
	}
}

// TestWhatAnOpenBreakerRefusesIsFree has the user service fail until its breaker opens.
func TestWhatAnOpenBreakerRefusesIsFree(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	g := openGateway(t, urls, func(c *config.Gateway) {
		c.Cache.Enabled, c.User.Retries, c.User.BreakerMinCalls, c.User.Hedge = false, 0, 1, false
	})
	if err := d.Faults("user").Set(demo.Fault{ErrorRate: 1}); err != nil {
		t.Fatal(err)
	}
	cost := func() (code any, actual int64) {
		prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: `{ user(id: "user_u1") { id } }`})
		if errs != nil {
			t.Fatal(errs)
		}
		result := g.pipeline.Run(t.Context(), prepared, operation.Call{})
		if len(result.Errors) != 1 {
			t.Fatalf("%+v", result)
		}
		return result.Errors[0].Extensions["code"], result.Cost.Actual
	}
	if code, actual := cost(); code != "SERVICE_UNAVAILABLE" || actual != 1 {
		t.Errorf("a failed call: %v, %d points", code, actual)
	}
	if code, actual := cost(); code != "CIRCUIT_OPEN" || actual != 0 {
		t.Errorf("a call that was not made: %v, %d points", code, actual)
	}
}

// TestWorkStops holds the calls of the first round, lets the client go or the time run out, and counts what is asked afterwards.
func TestWorkStops(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"when the client leaves": time.Minute, "when the time is over": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			u := startUpstream(t, startDemo(t, seededDir(t)))
			g := openGateway(t, u.urls, func(c *config.Gateway) { c.OperationTimeout = timeout })
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			held, release := make(chan string, 10), make(chan struct{})
			u.hook(func(service string, _ *http.Request) {
				held <- service
				<-release
			})
			prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: `{ user(id: "user_u1") { posts(first: 10) { nodes { comments(first: 5) { nodes { author { name } } } } } } }`})
			if errs != nil {
				t.Fatal(errs)
			}
			done := make(chan *operation.Result)
			go func() { done <- g.pipeline.Run(ctx, prepared, operation.Call{}) }()
			for range 2 { // the user, and the posts, which need only the id
				<-held
			}
			if timeout == time.Minute {
				leave()
			}
			result := <-done // without the calls that are held
			u.hook(nil)
			close(release)
			if result.Cost.Actual != result.Cost.Requested {
				t.Errorf("it got points back: %+v", result.Cost)
			}
			if calls := u.take(); len(calls) != 2 {
				t.Errorf("in all: %v", calls)
			}
		})
	}
}

// TestEveryListHasASize walks the whole schema.
func TestEveryListHasASize(t *testing.T) {
	g := openGateway(t, map[string]string{"user": "http://localhost", "post": "http://localhost", "comment": "http://localhost", "follower": "http://localhost"}, nil)
	model, err := limit.NewModel(g.view.Schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	if unsized := model.Unsized(); len(unsized) > 0 {
		t.Errorf("lists without @listSize: %v", unsized)
	}
}

// TestAPoliteClientIsNeverRefused has a client that is alone in its bucket ask as fast as the header fields let it.
func TestAPoliteClientIsNeverRefused(t *testing.T) {
	p, _ := serveDemoOf(t, "--limit-ip-points", "100", "--limit-ip-restore", "400")
	const cost = 21.0
	waited := time.Duration(0)
	for range 60 {
		r := p.send(t, `{ posts(first: 10) { nodes { title author { name } } } }`)
		if r.status != http.StatusOK {
			t.Fatalf("%d %s after %v of waiting", r.status, r.raw, waited)
		}
		size, window := parameterOf(t, r.header.Get("RateLimit-Policy"), "q"), parameterOf(t, r.header.Get("RateLimit-Policy"), "w")
		if left := parameterOf(t, r.header.Get("RateLimit"), "r"); left < cost {
			wait := time.Duration((cost - left) / (size / window) * float64(time.Second))
			waited += wait
			time.Sleep(wait) // the server's own clock decides
		}
	}
	if waited < 300*time.Millisecond {
		t.Errorf("the bucket was never short: waited for %v", waited)
	}
}

// parameterOf reads a parameter of the first member of a structured field.
func parameterOf(t *testing.T, field, name string) float64 {
	t.Helper()
	_, rest, ok := strings.Cut(field, ";"+name+"=")
	text, _, _ := strings.Cut(rest, ";")
	value, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		t.Fatalf("no %s in %q", name, field)
	}
	return value
}

// TestAnswersAreBounded asks for more than may go out at once.
func TestAnswersAreBounded(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	t.Run("errors", func(t *testing.T) {
		g := openGateway(t, urls, func(c *config.Gateway) { c.Max.Errors, c.Cache.Enabled = 3, false })
		if err := d.Faults("user").Set(demo.Fault{ErrorRate: 1}); err != nil {
			t.Fatal(err)
		}
		a := ask(t, g, auth.Viewer{}, `{ posts(first: 10) { nodes { id author { id } } } }`, nil)
		if err := d.Faults("user").Clear(); err != nil {
			t.Fatal(err)
		}
		if len(a.Errors) != 4 || a.Errors[3].code() != "TOO_MANY_ERRORS" || a.Errors[3].Extensions["omitted"] != 7.0 || len(at(t, a.Data, "posts", "nodes").([]any)) != 10 {
			t.Errorf("%v", a.Errors)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		g := openGateway(t, urls, func(c *config.Gateway) { c.Max.ResponseBytes = 500 })
		if a := ask(t, g, auth.Viewer{}, `{ posts(first: 1) { nodes { id } } }`, nil); len(a.Errors) > 0 {
			t.Error(a.Errors)
		}
		a := ask(t, g, auth.Viewer{}, `{ posts(first: 50) { nodes { id title } } }`, nil)
		if len(a.Errors) != 1 || a.Errors[0].code() != "RESPONSE_TOO_LARGE" || a.Data != nil {
			t.Errorf("%v %v", a.Data, a.Errors)
		}
	})
}
