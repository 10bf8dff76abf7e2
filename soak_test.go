package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
	"tributary/internal/operation"
)

// soakQueries are what a mixed crowd asks; %d is a user's number.
var soakQueries = []string{
	timelineQuery,
	`{ user(id: "user_u%d") { handle stats { posts comments followers following } posts(first: 10) { nodes { title comments(first: 5) { nodes { body author { handle } } } } } followers(first: 20) { nodes { handle } } } }`,
	`{ user(id: "user_u%d") { activity(first: 10) { nodes { __typename ... on Post { title } ... on Comment { body post { title } } } } } }`,
	`{ feed(first: 20) { nodes { title author { handle followedByViewer } } } } # %d`,
	`{ nodes(ids: ["user_u%d", "post_p7", "comment_c9", "post_none"]) { id } }`,
	`{ posts(first: 5) { nodes { comments(first: 5, topLevel: true) { nodes { replies(first: 3) { nodes { author { name } } } } } } } } # %d`,
	`mutation { createPost(input: {title: "soaked", body: "b%d", publish: true}) { post { id } userErrors { code } } }`,
	`mutation { x: follow(input: {userId: "user_u%d"}) { userErrors { code } } y: unfollow(input: {userId: "user_u%[1]d"}) { userErrors { code } } }`,
	`{ user(id: "user_u%d") { posts(first: 500) { nodes { id } } } }`,
	`{ nonsense%d }`,
}

// TestSoak asks thousands of mixed queries while the services come and go, and holds memory and goroutines against what they were
// after the first fifth. TORTURE=long asks the full number.
func TestSoak(t *testing.T) {
	torture(t)
	operations := 3_000
	if os.Getenv("TORTURE") == "long" {
		operations = 20_000
	}
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	g := openGateway(t, urls, func(c *config.Gateway) {
		impatient(c)
		c.Cache.Bytes, c.DocumentCacheSize = 2<<20, 2<<20
		c.LoaderWait = time.Millisecond
		for _, service := range config.Services() {
			s := c.Of(service)
			s.Timeout, s.Budget, s.BreakerMinCalls, s.BreakerDelay = 50*time.Millisecond, 120*time.Millisecond, 20, 50*time.Millisecond
		}
	})
	const seed = 7
	soak(t, g, d, operations/5, seed)
	heap, routines := settled(), runtime.NumGoroutine()
	soak(t, g, d, operations*4/5, seed+1)
	for _, service := range demo.Services() {
		if err := d.Faults(service).Clear(); err != nil {
			t.Fatal(err)
		}
	}
	grown := int64(settled()) - int64(heap)
	t.Logf("%d operations, heap %.1f MB, grown by %.1f MB, goroutines %d, were %d", operations, float64(heap)/1e6, float64(grown)/1e6, runtime.NumGoroutine(), routines)
	if grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	g.clients.Close() // idle connections come and go, and have goroutines at both ends
	now := runtime.NumGoroutine()
	for deadline := time.Now().Add(5 * time.Second); now > routines && time.Now().Before(deadline); now = runtime.NumGoroutine() {
		time.Sleep(10 * time.Millisecond)
	}
	if now > routines {
		t.Errorf("%d goroutines without a connection, were %d with some", now, routines)
	}
}

// settled is the heap in use after what can go has gone.
func settled() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// soak has eight callers ask n operations between them, while one service after another suffers something.
func soak(t *testing.T, g *gateway, d *demo.Demo, n int, seed uint64) {
	t.Helper()
	work := make(chan int)
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(caller)))
			for i := range work {
				soakOne(t, g, random, i)
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 99))
	for i := range n {
		if i%100 == 0 {
			service := demo.Services()[random.IntN(4)]
			if err := d.Faults(service).Set(randomFault(random)); err != nil {
				t.Error(err)
			}
		}
		work <- i
	}
	close(work)
	callers.Wait()
}

func randomFault(random *rand.Rand) demo.Fault {
	if random.IntN(2) == 0 {
		return demo.Fault{}
	}
	f := faults[random.IntN(len(faults)-1)].fault // all but the huge body, which only takes long
	if random.IntN(2) == 0 && f.ErrorRate > 0 {
		f.ErrorRate = 0.3
	}
	return f
}

func soakOne(t *testing.T, g *gateway, random *rand.Rand, i int) {
	query := soakQueries[random.IntN(len(soakQueries))]
	if query != timelineQuery {
		query = fmt.Sprintf(query, 1+random.IntN(1000))
	}
	prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query})
	if errs != nil {
		return
	}
	viewer := auth.Viewer{UserID: fmt.Sprint("u", 1+random.IntN(1000))}
	result := g.pipeline.Run(t.Context(), prepared, operation.Call{Viewer: viewer, RequestID: fmt.Sprint("soak-", i)})
	if len(result.Data) == 0 {
		t.Errorf("no data for %s", query)
	}
	if result.Cost.Actual > result.Cost.Requested {
		t.Errorf("%s: estimated at %d points it cost %d", query, result.Cost.Requested, result.Cost.Actual)
	}
	for _, e := range result.Errors {
		if e.Extensions["code"] == nil || e.Extensions["code"] == "INTERNAL" {
			t.Errorf("%s: %v", query, e)
		}
	}
}
