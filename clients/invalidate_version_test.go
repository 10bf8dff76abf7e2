package clients

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// postEvent is an event of the post a by u1.
func postEvent(verb string, version int, gone bool) Change {
	return Change{Kind: "post", ID: "a", Version: version, Type: "post." + verb, AuthorIDs: []string{"u1"}, Gone: gone}
}

// shownPost reads the post a and says what came of it.
func shownPost(t *testing.T, c *Clients) string {
	t.Helper()
	a, ok := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
	switch {
	case !ok:
		return "absent"
	case a.Err != nil:
		return "error"
	case a.Stale != nil:
		return a.Value.Title + " stale"
	}
	return a.Value.Title
}

// wantShown reads the post a and compares, with the number of requests that it took.
func wantShown(t *testing.T, u *upstream, c *Clients, want string, requests int) {
	t.Helper()
	before := len(u.requests())
	got := shownPost(t, c)
	if n := len(u.requests()) - before; got != want || n != requests {
		t.Errorf("%q with %d requests, want %q with %d", got, n, want, requests)
	}
}

// TestWhatIsCachedInTheVersionOfItsEventStays, for the event says nothing new.
func TestWhatIsCachedInTheVersionOfItsEventStays(t *testing.T) {
	wd := &world{posts: []*Post{post("a", "u1", 3)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL, newClock().set)
	wantShown(t, u, c, "T3", 1)
	for _, change := range []Change{postEvent("updated", 3, false), postEvent("deleted", 2, true), postEvent("restored", 3, false)} {
		c.Apply([]Change{change})
		wantShown(t, u, c, "T3", 0)
	}
	c.Posts.svc.gens.invalidate(0, tagOf("post", "a")) // something else has happened, such as a write of unknown outcome
	c.Apply([]Change{postEvent("updated", 3, false)})
	wantShown(t, u, c, "T3", 1)
	c.Apply([]Change{postEvent("updated", 0, false)}) // of unknown version
	wantShown(t, u, c, "T3", 1)
}

// TestAServiceThatLagsBehindItsEvents answers an old version after the event: it is asked once more, what it says is not
// cached, and shown as stale.
func TestAServiceThatLagsBehindItsEvents(t *testing.T) {
	for _, cached := range []bool{true, false} {
		wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
		u, now := newUpstream(t, wd.answer), newClock()
		c := clientsOf(t, u.URL, now.set)
		if cached {
			wantShown(t, u, c, "T1", 1)
		}
		c.Apply([]Change{postEvent("updated", 2, false)})
		for range 2 {
			wantShown(t, u, c, "T1 stale", 2)
		}
		if got := titles(t, c, VisibilityPublic); got != "bT1 aT1 stale" {
			t.Errorf("in a list: %q", got)
		}
		now.add(time.Second)
		a := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
		if a.Stale == nil || *a.Stale != (Outage{Service: "post", Reason: Unavailable, Age: time.Second}) {
			t.Errorf("%+v", a.Stale)
		}
		old := *wd
		answers := []http.HandlerFunc{old.answer, wd.answer} // it catches up within the pause
		u.then(func(w http.ResponseWriter, r *http.Request) {
			answers[0](w, r)
			answers = slices.Delete(answers, 0, len(answers)-1)
		})
		wd.replace(post("a", "u1", 2))
		wantShown(t, u, c, "T2", 2)
		wantShown(t, u, c, "T2", 0)
		if got := titles(t, c, VisibilityPublic); got != "bT1 aT2" {
			t.Errorf("in a list, at last: %q", got)
		}
	}
}

// TestAnAwaitedEntityThatIsNotThere is not cached as absent before the service can be expected to know.
func TestAnAwaitedEntityThatIsNotThere(t *testing.T) {
	wd := &world{}
	u, now := newUpstream(t, wd.answer), newClock()
	c := clientsOf(t, u.URL, now.set)
	wantShown(t, u, c, "absent", 1)
	c.Apply([]Change{postEvent("created", 1, false)})
	wantShown(t, u, c, "absent", 2)
	wantShown(t, u, c, "absent", 2)
	now.add(lagLimit)
	wantShown(t, u, c, "absent", 1)
	wantShown(t, u, c, "absent", 0)
	c.Apply([]Change{postEvent("updated", 2, false)})
	wd.posts = []*Post{post("a", "u1", 2)}
	wantShown(t, u, c, "T2", 1)
}

// TestWhatIsGoneIsNeverServedStale: neither what was cached, nor what a lagging service says, nor because an event comes
// late.
func TestWhatIsGoneIsNeverServedStale(t *testing.T) {
	wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL, newClock().set)
	titles(t, c, VisibilityPublic)
	c.Apply([]Change{postEvent("updated", 2, false)})
	u.then(fail500)
	if got := shownPost(t, c); got != "T1 stale" {
		t.Errorf("what an event has changed: %q", got)
	}
	c.Apply([]Change{postEvent("hidden", 3, true), postEvent("updated", 2, false)})
	if got := shownPost(t, c) + "|" + titles(t, c, VisibilityPublic); got != "error|bT1 stale" {
		t.Errorf("in an outage: %q", got)
	}
	u.then(wd.answer)
	wantShown(t, u, c, "absent", 2)
	hidden := post("a", "u1", 3)
	hidden.Status = PostHidden
	wd.replace(hidden)
	wantShown(t, u, c, "T3", 1)
	if got := titles(t, c, VisibilityPublic); got != "bT1" {
		t.Errorf("hidden: %q", got)
	}
	c.Apply([]Change{postEvent("updated", 5, false), postEvent("hidden", 4, true)})
	u.then(fail500)
	if got := shownPost(t, c); got != "error" {
		t.Errorf("hidden in between: %q", got)
	}
}

// TestRemovedEdgesAreNeverServedStale, neither alone nor in the lists that they stood in.
func TestRemovedEdgesAreNeverServedStale(t *testing.T) {
	edges := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/edges") {
			reply(w, 200, items(follow(Pair{"a", "b"})))
			return
		}
		reply(w, 200, object{"groups": object{r.URL.Query().Get("userIds"): pageOf(1, follow(Pair{"a", "b"}))}})
	}
	u := newUpstream(t, edges)
	c := clientsOf(t, u.URL, newClock().set, each(func(s *ServiceConfig) { s.Retries = 0 }))
	read := func() (known int) {
		if c.Followers.Edges(t.Context(), []Pair{{"a", "b"}})[Pair{"a", "b"}].Value.FollowerID != "" {
			known++
		}
		return known + len(c.Followers.Followers(t.Context(), []UserID{"b"}, anyPage)["b"].Value.Items) +
			len(c.Followers.Following(t.Context(), []UserID{"a"}, anyPage)["a"].Value.Items)
	}
	event := Change{Kind: "follow", ID: "a:b", Version: 2, Type: "follower.added"}
	for _, remove := range []func(){
		func() { event.Type = "follower.removed"; c.Apply([]Change{event}) },
		func() { _ = c.Followers.Unfollow(t.Context(), Pair{"a", "b"}) },
	} {
		u.then(edges)
		event.Type = "follower.added"
		c.Apply([]Change{event})
		read()
		c.Apply([]Change{event})
		u.then(fail500)
		if n := read(); n != 3 {
			t.Errorf("%d of 3 answers stand in", n)
		}
		u.then(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
		remove()
		u.then(fail500)
		if n := read(); n != 0 {
			t.Errorf("a removed edge stands in %d answers", n)
		}
	}
}

func TestForgetLeavesNothingOfAService(t *testing.T) {
	u := newUpstream(t, emptyWorld)
	c := clientsOf(t, u.URL, newClock().set)
	for _, read := range cachedReads() {
		read(t.Context(), c)
	}
	c.Forget("no such")
	c.Forget("user")
	wantAskedAgain(t, u, c, "user", "other user", "users", "handle")
	c.Forget("post")
	u.then(fail500)
	if a := c.Posts.ByIDs(t.Context(), []PostID{"p1"})["p1"]; a.Value != nil || a.Err == nil {
		t.Errorf("in an outage: %+v", a)
	}
	u.then((&world{posts: []*Post{post("a", "u1", 3)}}).answer)
	wantShown(t, u, c, "T3", 1)
	c.Forget("post")
	u.then((&world{posts: []*Post{post("a", "u1", 2)}}).answer)
	wantShown(t, u, c, "T2 stale", 2)
}

// TestSnapshotsDoNotFillTheCache: there are as many of them as there are entities, and nothing has happened to those.
func TestSnapshotsDoNotFillTheCache(t *testing.T) {
	wd := &world{posts: []*Post{post("a", "u1", 2)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL, newClock().set)
	c.Apply([]Change{postEvent("snapshot", 3, false)})
	if used, _ := c.CacheBytes(); used != 0 {
		t.Errorf("%d bytes", used)
	}
	wantShown(t, u, c, "T2", 1)
	c.Apply([]Change{postEvent("snapshot", 2, false)})
	wantShown(t, u, c, "T2", 0)
	c.Apply([]Change{postEvent("snapshot", 3, false)})
	wantShown(t, u, c, "T2 stale", 2)
	c.Apply([]Change{postEvent("updated", 3, false)})
	if used, _ := c.CacheBytes(); used == 0 {
		t.Error("an event of an unknown entity leaves its version nowhere")
	}
}
