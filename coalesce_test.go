package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/config"
)

// heldBack has the post service keep its lists until hold is closed, and tells of each that is asked for.
func heldBack(u *upstream) (begun <-chan struct{}, hold chan struct{}) {
	asked, hold := make(chan struct{}, 100), make(chan struct{})
	u.hook(func(_ string, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/posts" {
			asked <- struct{}{}
			<-hold
		}
	})
	return asked, hold
}

const latestQuery = `{ posts(first: 1) { nodes { id title author { handle } } } }`

// TestIdenticalQueriesAreOneRun has clients of the whole program ask for the same while a service holds its answer back.
func TestIdenticalQueriesAreOneRun(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	begun, hold := heldBack(u)
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--no-cache-enabled", "--no-user-hedge", "--no-post-hedge"}
	for service, url := range u.urls {
		args = append(args, "--"+service+"-url", url)
	}
	p := start(t, args...)
	const clients = 10
	answers := make([]reply, clients)
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() { answers[i] = p.send(t, latestQuery) })
	}
	<-begun
	p.until(t, fmt.Sprint(clients-1), func() string { return fmt.Sprint(p.counted(t, "tributary_operations_coalesced_total ")) })
	close(hold)
	running.Wait()
	if calls := u.take(); len(calls) != 2 {
		t.Errorf("calls %v, want one for the post and one for its author", calls)
	}
	left := map[int64]bool{}
	for _, r := range answers {
		if fmt.Sprint(r.Data) != fmt.Sprint(answers[0].Data) || r.Data["posts"] == nil || len(r.Errors) > 0 {
			t.Errorf("%s and %s", r.raw, answers[0].raw)
		}
		left[r.cost(t).ThrottleStatus.CurrentlyAvailable] = true
	}
	if len(left) < 2 {
		t.Errorf("%d clients were charged once", clients)
	}
	if n := p.counted(t, `tributary_operation_duration_seconds_count{outcome="ok",type="query"}`); n != clients {
		t.Errorf("%v operations were counted", n)
	}
}

// TestWhoHasWrittenJoinsNoEarlierRun has a user ask, write, and ask again while the first answer is held back.
func TestWhoHasWrittenJoinsNoEarlierRun(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, func(c *config.Gateway) { c.Cache.Enabled, c.Post.Hedge = false, false })
	joined := make(chan struct{}, 10)
	g.pipeline.Coalescing.Joined = func() { joined <- struct{}{} }
	begun, hold := heldBack(u)
	viewer := auth.Viewer{UserID: "u1"}
	var before, after [2]answer
	var running sync.WaitGroup
	askTwice := func(answers *[2]answer) {
		running.Go(func() { answers[0] = ask(t, g, viewer, latestQuery, nil) })
		<-begun
		running.Go(func() { answers[1] = ask(t, g, viewer, latestQuery, nil) })
		<-joined
	}
	askTwice(&before)
	wrote := ask(t, g, viewer, publish("the latest"), nil)
	askTwice(&after)
	close(hold)
	running.Wait()
	id := at(t, wrote.Data, "x", "post", "id")
	for _, a := range after {
		if got := at(t, a.Data, "posts", "nodes", 0, "id"); got != id {
			t.Errorf("the latest post is %v, and %v was written before", got, id)
		}
	}
	if len(joined) != 0 || fmt.Sprint(before[0].Data) != fmt.Sprint(before[1].Data) {
		t.Errorf("%d more joined", len(joined))
	}
}
