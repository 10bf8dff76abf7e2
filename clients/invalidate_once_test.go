package clients

import (
	"context"
	"net/http"
	"reflect"
	"testing"
)

func TestApplyOnce(t *testing.T) {
	wd := &world{posts: []*Post{post("a", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL, newClock().set)
	list := func(want int) {
		t.Helper()
		before := len(u.requests())
		titles(t, c, VisibilityPublic)
		if n := len(u.requests()) - before; n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	list(1)
	created := postEvent("created", 1, false)
	c.ApplyOnce([]Change{created})
	list(1)
	c.ApplyOnce([]Change{created, created})
	list(0)
	c.Apply([]Change{created})
	list(1)
	wd.replace(post("a", "u1", 2))
	published := postEvent("published", 2, false)
	c.Apply([]Change{published})
	list(1)
	c.ApplyOnce([]Change{published})
	list(0)
	marked, unmarked := postEvent("published", 0, false), postEvent("published", 0, false)
	marked.Mark = "m"
	for i, change := range []Change{marked, marked, unmarked, unmarked} {
		c.ApplyOnce([]Change{change})
		list([]int{1, 0, 1, 1}[i])
	}
}

func TestTheMemoryOfWhatWasAppliedIsBounded(t *testing.T) {
	var a applied
	n := 0
	for version := 1; version <= 5*appliedBound; version++ {
		a.once(Change{Version: version}, func(Change) { n++ })
		a.once(Change{Version: version}, func(Change) { n++ })
	}
	if n != 5*appliedBound || len(a.recent) > appliedBound || len(a.older) > appliedBound {
		t.Errorf("%d applied, %d and %d remembered", n, len(a.recent), len(a.older))
	}
	a.once(Change{Version: 4*appliedBound + 1}, func(Change) { t.Error("forgotten too early") })
	a.once(Change{Version: 1}, func(Change) { n++ })
	if n != 5*appliedBound+1 {
		t.Error("remembered for ever")
	}
}

// TestWritesAreTold with what other replicas need to know, once they are done; what was told is not applied here again.
func TestWritesAreTold(t *testing.T) {
	u1, p1, c1 := []string{"u1"}, []string{"p1"}, []string{"c1"}
	want := map[string]Change{
		"create user":    {Kind: "user", ID: "u1", Version: 2, Type: "user.created", Handles: []string{"Abc"}},
		"update user":    {Kind: "user", ID: "u1", Version: 2, Type: "user.updated"},
		"create post":    {Kind: "post", ID: "p1", Version: 2, Type: "post.created", AuthorIDs: u1, Draft: true},
		"update post":    {Kind: "post", ID: "p1", Version: 2, Type: "post.updated", AuthorIDs: u1},
		"publish post":   {Kind: "post", ID: "p1", Version: 2, Type: "post.published", AuthorIDs: u1},
		"delete post":    {Kind: "post", ID: "p1", Version: 2, Type: "post.deleted", AuthorIDs: u1, Gone: true},
		"create comment": {Kind: "comment", ID: "c2", Version: 2, Type: "comment.created", AuthorIDs: u1, PostIDs: p1, ParentIDs: c1},
		"update comment": {Kind: "comment", ID: "c2", Version: 2, Type: "comment.updated", AuthorIDs: u1, PostIDs: p1, ParentIDs: c1},
		"delete comment": {Kind: "comment", ID: "c2", Version: 3, Type: "comment.deleted", AuthorIDs: u1, PostIDs: p1, ParentIDs: c1, Gone: true},
		"follow":         {Kind: "follow", ID: "a:b", Version: 1, Type: "follower.added"},
		"follow again":   {Kind: "follow", ID: "a:b", Version: 1, Type: "follower.added"},
		"unfollow":       {Kind: "follow", ID: "a:b", Type: "follower.removed", Gone: true},
	}
	for _, tc := range writeCases() {
		t.Run(tc.name, func(t *testing.T) {
			var told []Change
			var under []any
			type key struct{}
			u := newUpstream(t, fail500)
			c := clientsOf(t, u.URL, func(cfg *Config) {
				cfg.OnWrite = func(ctx context.Context, change Change) {
					told, under = append(told, change), append(under, ctx.Value(key{}))
				}
			})
			_, _ = tc.do(t.Context(), c)
			u.then(func(w http.ResponseWriter, _ *http.Request) { problem(w, 409, "CONFLICT", nil) })
			_, _ = tc.do(t.Context(), c)
			if len(told) != 0 {
				t.Fatalf("told of writes that failed: %+v", told)
			}
			u.then(tc.give)
			if _, err := tc.do(context.WithValue(t.Context(), key{}, "c"), c); err != nil {
				t.Fatal(err)
			}
			if len(told) != 1 || under[0] != "c" {
				t.Fatalf("told %+v", told)
			}
			change := told[0]
			if marked := change.Mark != ""; marked != (change.Version == 0) {
				t.Errorf("mark %q", change.Mark)
			}
			change.Mark = ""
			if !reflect.DeepEqual(change, want[tc.name]) {
				t.Errorf("told\n %+v, want\n %+v", change, want[tc.name])
			}
			u.then(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("ids") == "p1" {
					reply(w, 200, items(post("p1", "u1", 2)))
					return
				}
				emptyWorld(w, r)
			})
			for _, read := range cachedReads() {
				read(t.Context(), c)
			}
			c.ApplyOnce(told)
			wantAskedAgain(t, u, c)
		})
	}
}
