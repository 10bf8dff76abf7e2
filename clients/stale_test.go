package clients

import (
	"net/http"
	"strings"
	"testing"
)

// TestDeletedIsNeverStale deletes a post, surely or perhaps, and then lets the service fail.
func TestDeletedIsNeverStale(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		shown  string // in the list, in an outage afterwards
	}{
		"deleted":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "bT1 stale"},
		"gone before":   {func(w http.ResponseWriter, _ *http.Request) { problem(w, 404, "NOT_FOUND", nil) }, "bT1 stale"},
		"unknown":       {cut("", true), "bT1 stale"},
		"certainly not": {func(w http.ResponseWriter, _ *http.Request) { problem(w, 503, "UNAVAILABLE", nil) }, "bT1 aT1 stale"},
		"refused":       {func(w http.ResponseWriter, _ *http.Request) { problem(w, 409, "CONFLICT", nil) }, "bT1 aT1 stale"},
	} {
		t.Run(name, func(t *testing.T) {
			wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
			u := newUpstream(t, wd.answer)
			c := clientsOf(t, u.URL)
			titles(t, c, VisibilityPublic)
			u.then(tc.answer)
			_ = c.Posts.Delete(t.Context(), wd.posts[1])
			u.then(fail500)
			if got := titles(t, c, VisibilityPublic); got != tc.shown {
				t.Errorf("the list: %q, want %q", got, tc.shown)
			}
			a, ok := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
			if shown := strings.Contains(tc.shown, "a"+"T1"); shown != (a.Value != nil) || !ok {
				t.Errorf("by id: %+v", a)
			}
			if name != "deleted" {
				u.then(wd.answer)
				if got := titles(t, c, VisibilityPublic); got != "bT1 aT1" {
					t.Errorf("it was not deleted after all: %q", got)
				}
			}
		})
	}
}

func TestDeletedStaysAwayWhateverALaggingReplicaSays(t *testing.T) {
	wd := &world{posts: []*Post{post("a", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL)
	titles(t, c, VisibilityPublic)
	u.then(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	if err := c.Posts.Delete(t.Context(), wd.posts[0]); err != nil {
		t.Fatal(err)
	}
	u.then(wd.answer)
	if got := titles(t, c, VisibilityPublic); got != "" {
		t.Errorf("the list: %q", got)
	}
	if got := c.Posts.ByIDs(t.Context(), []PostID{"a"}); len(got) != 0 {
		t.Errorf("by id: %v", got)
	}
	wd.replace(post("a", "u1", 3)) // restored
	c.Posts.svc.gens.invalidateAll()
	if got := titles(t, c, VisibilityPublic); got != "aT3" {
		t.Errorf("restored: %q", got)
	}
}

func TestStaleListWithAnUnknownEntity(t *testing.T) {
	wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL)
	titles(t, c, VisibilityPublic)
	c.cache.store.Invalidate(cacheKey{"post", "a"}) // as an eviction would
	c.Posts.svc.gens.invalidateAll()
	u.then(fail500)
	if got := titles(t, c, VisibilityPublic); got != "error" {
		t.Errorf("half a list: %q", got)
	}
	if n := len(u.requests()); n != 4 {
		t.Errorf("%d requests: a failing service was asked for the entities as well", n)
	}
}

// TestHandlesMove has a user change handles, and another one take the old handle without the gateway's knowing.
func TestHandlesMove(t *testing.T) {
	holders := map[string]*User{"old": user("a", 1)}
	holders["old"].Handle = "old"
	respond := func(w http.ResponseWriter, r *http.Request) {
		var found []*User
		for handle := range strings.SplitSeq(r.URL.Query().Get("handles"), ",") {
			found = append(found, holders[handle])
		}
		reply(w, 200, items(found...))
	}
	u := newUpstream(t, respond)
	c := clientsOf(t, u.URL)
	read := func() map[string]Answer[*User] { return c.Users.ByHandles(t.Context(), []string{"OLD", "new"}) }
	if got := read(); len(got) != 1 || got["OLD"].Value == nil {
		t.Errorf("at first: %v", got)
	}
	renamed, taker := user("a", 2), user("b", 2)
	renamed.Handle, taker.Handle = "new", "old"
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, renamed) })
	if _, err := c.Users.Update(t.Context(), "a", 1, UserPatch{Handle: &renamed.Handle}); err != nil {
		t.Fatal(err)
	}
	holders = map[string]*User{"old": taker, "new": renamed}
	u.then(respond)
	for range 2 {
		if got := read(); len(got) != 2 || got["new"].Value.ID != "a" || got["OLD"].Value.ID != "b" {
			t.Errorf("after the change: %v", got)
		}
	}
}
