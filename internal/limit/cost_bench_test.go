package limit

import (
	"fmt"
	"strings"
	"testing"
)

const (
	trivialQuery  = `{__typename}`
	profileQuery  = `query($id: ID!){user(id: $id){name posts(first: 10){nodes{id title author{id name} similar{id title author{name}}}} friends(first: 20){id name}}}`
	variableQuery = `query($id: ID!, $n: Int!){user(id: $id){name posts(first: $n){nodes{id title author{id name} similar{id title author{name}}}} friends(first: $n){id name}}}`
	timelineQuery = `{user{posts(first: 100){nodes{id title tags author{id name}}}}}`
)

func BenchmarkEstimate(b *testing.B) {
	plan := planner(b, costSchema)
	variables := vars{"id": "1", "n": int64(10)}
	for name, query := range map[string]string{"trivial": trivialQuery, "profile": profileQuery, "variables": variableQuery} {
		p := plan(query)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Estimate(variables)
			}
		})
	}
}

// timeline is an answer of 100 posts with their authors, about 30 kB.
func timeline() []byte {
	posts := make([]string, 100)
	for i := range posts {
		posts[i] = fmt.Sprintf(`{"id":"UG9zdDo%d","title":%q,"tags":["one","two"],"author":{"id":"VXNlcjo%d","name":"Someone of the name %d"}}`,
			i, strings.Repeat("words ", 30), i, i)
	}
	return []byte(`{"user":{"posts":{"nodes":[` + strings.Join(posts, ",") + `]}}}`)
}

func BenchmarkActual(b *testing.B) {
	plan, data := planner(b, costSchema), timeline()
	for name, query := range map[string]string{"trivial": trivialQuery, "timeline": timelineQuery} {
		p := plan(query)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				p.Actual(nil, data, nil)
			}
		})
	}
}

func BenchmarkCounted(b *testing.B) {
	p := planner(b, costSchema)(timelineQuery)
	b.ReportAllocs()
	for b.Loop() {
		if cost, ok := p.Counted(nil, len(timelinePlaces), func(i int) Place { return timelinePlaces[i] }); !ok || cost != 202 {
			b.Fatalf("%d, %t", cost, ok)
		}
	}
}

// timelinePlaces are those of timeline.
var timelinePlaces = []Place{
	{-1, "", "Query", 1}, {0, "user", "User", 1}, {1, "posts", "PostConnection", 1}, {2, "nodes", "Post", 100}, {3, "author", "User", 100},
}

// TestActualAllocates holds that what a walk allocates does not depend on how much is returned.
func TestActualAllocates(t *testing.T) {
	p, data := planner(t, costSchema)(timelineQuery), timeline()
	if cost := p.Actual(nil, data, nil); cost != 1+1+100*2 {
		t.Errorf("the answer costs %d", cost)
	}
	if n := testing.AllocsPerRun(10, func() { p.Actual(nil, data, nil) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(10, func() {
		p.Counted(nil, len(timelinePlaces), func(i int) Place { return timelinePlaces[i] })
	}); n > 0 {
		t.Errorf("%v allocations for counts", n)
	}
	trivial := planner(t, costSchema)(trivialQuery)
	if n := testing.AllocsPerRun(10, func() { trivial.Estimate(nil); trivial.Actual(nil, nil, nil) }); n > 0 {
		t.Errorf("%v allocations for nothing", n)
	}
}
