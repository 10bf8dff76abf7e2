package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/operation"
)

// both are the executors of one gateway over the same services: the shipped one and gqlgen's.
func both(t *testing.T, urls map[string]string) map[string]*gateway {
	t.Helper()
	steady := func(c *config.Gateway) {
		uncached(c)
		for _, name := range config.Services() {
			c.Of(name).Hedge, c.Of(name).Retries = false, 0
		}
	}
	return map[string]*gateway{
		"shipped": openGateway(t, urls, steady),
		"gqlgen":  openGateway(t, urls, func(c *config.Gateway) { steady(c); c.Executor = "gqlgen" }),
	}
}

// TestEdgesOfNobodyAreGivenUp asks for edges of a user who does not exist, which the services would not answer before they are given up.
func TestEdgesOfNobodyAreGivenUp(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	asked, given := make(chan string, 100), make(chan string, 100)
	gateways := both(t, u.urls)
	begun := make(chan struct{})
	u.hook(func(service string, r *http.Request) {
		if service != "user" {
			asked <- r.URL.Path
			<-r.Context().Done()
			given <- r.URL.Path
			return
		}
		go func() {
			defer close(begun)
			for range 3 {
				select {
				case <-asked:
				case <-time.After(2 * time.Second):
					t.Error("not all edges were asked for beside the user")
					return
				}
			}
		}()
		<-begun
	})
	const query = `{ user(id: "user_nobody") { handle posts(first: 3) { nodes { comments(first: 2) { nodes { body } } } } followers(first: 3) { nodes { handle } } stats { followers } } rateLimit { cost } }`
	start := time.Now()
	a := ask(t, gateways["shipped"], auth.Viewer{}, query, nil)
	if a.Data["user"] != nil || len(a.Errors)+len(a.Extensions.Degraded) > 0 {
		t.Errorf("%+v", a)
	}
	for range 3 {
		select {
		case <-given:
		case <-time.After(2 * time.Second):
			t.Fatal("a service is still asked")
		}
	}
	if took := time.Since(start); took > 2500*time.Millisecond { // the services' own timeouts are later
		t.Errorf("the answer took %v", took)
	}
	if calls := u.take(); len(calls) != 4 {
		t.Errorf("more than the edges of the user: %v", calls)
	}
}

// TestEarlyEdgesAnswerAsEver compares whole answers with those of gqlgen's executor, where services fail and posts are hidden.
func TestEarlyEdgesAnswerAsEver(t *testing.T) {
	d := startDemo(t, seededDir(t))
	u := startUpstream(t, d)
	gateways := both(t, u.urls)
	const edges = ` posts(first: 3) { nodes { title author { handle } comments(first: 2) { nodes { body author { handle } } } } } followers(first: 3) { nodes { handle } } stats { posts comments followers following } comments(first: 3) { nodes { body } } activity(first: 3) { totalCount } followedByViewer `
	queries := []string{
		`{ user(id: "user_u1") { handle` + edges + `} }`, `{ user(id: "user_nobody") { handle` + edges + `} }`, `{ viewer { handle` + edges + `} rateLimit { cost } }`,
		`{ user(id: "user_u1", handle: "x") { stats { posts } } }`, `{ user(id: "post_p1") { stats { posts } } }`, `{ user(id: "user_u1") { posts { nodes { id } } posts2: posts(first: 1000) { nodes { id } } } }`,
		`{ node(id: "user_u1") { ... on User {` + edges + `} } n: node(id: "post_p1") { ... on Post { comments(first: 2) { nodes { body replies(first: 1) { nodes { body } } } } } } }`,
		`{ post(id: "post_p1") { title author { name } comments(first: 5) { nodes { body parent { body } replies(first: 2) { nodes { body } } } } commentCount } comment(id: "comment_c1") { body replies(first: 3) { nodes { body } } } }`,
		`{ post(id: "post_gone") { commentCount comments(first: 5) { nodes { body } } } }`,
	}
	for _, broken := range append([]string{""}, config.Services()...) {
		if broken != "" {
			u.hook(func(service string, r *http.Request) {
				if service == broken {
					panic(http.ErrAbortHandler)
				}
			})
		}
		for _, viewer := range []auth.Viewer{{}, {UserID: "u2"}, {Scopes: []string{auth.ScopeAdmin}}} {
			for _, query := range queries {
				answers := map[string][]byte{}
				for name, g := range gateways {
					prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query})
					if errs != nil {
						t.Fatal(errs)
					}
					r := g.pipeline.Run(t.Context(), prepared, operation.Call{Viewer: viewer, RequestID: "test"})
					answers[name] = wholeAnswer(t, r)
				}
				if !bytes.Equal(answers["shipped"], answers["gqlgen"]) {
					t.Errorf("%s broken, %+v, %s\n%s\nwant\n%s", broken, viewer, query, answers["shipped"], answers["gqlgen"])
				}
			}
		}
	}
}

// wholeAnswer is an answer with its errors, and what is degraded, in one order.
func wholeAnswer(t *testing.T, r *operation.Result) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"data": json.RawMessage(r.Data), "extensions": steadied(r).Extensions, "cost": r.Cost.Actual})
	if err != nil {
		t.Fatal(err)
	}
	var errs []string
	for _, e := range r.Errors {
		e.Locations = nil // gqlgen gives none to the errors of a batch
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		errs = append(errs, string(line))
	}
	slices.Sort(errs)
	return append(raw, strings.Join(errs, "\n")...)
}

// TestAHiddenPostHidesWhatBeganBelowIt asks for the comments of a draft beside other ways to them.
func TestAHiddenPostHidesWhatBeganBelowIt(t *testing.T) {
	k := startTalk(t)
	query := strings.NewReplacer("SAID", k.said, "POST", k.post).Replace(`{
	  post(id: "POST") { commentCount comments(first: 5) { nodes { body parent { body } replies(first: 5) { nodes { body } } } } }
	  node(id: "POST") { ... on Post { comments(first: 5) { nodes { replies(first: 2) { nodes { body } } } } } }
	  comment(id: "SAID") { body replies(first: 5) { nodes { body } } } user(id: "user_u3") { comments(first: 5) { nodes { body } } } }`)
	for range 20 {
		if r := k.p.send(t, query, "Authorization", "Bearer "+k.stranger); strings.Contains(r.raw, "said") || strings.Contains(r.raw, `"answer"`) {
			t.Fatal(r.raw)
		}
	}
	if r := k.p.send(t, query, "Authorization", "Bearer "+k.owner); strings.Count(r.raw, "said") < 2 {
		t.Errorf("its owner sees %s", r.raw)
	}
}
