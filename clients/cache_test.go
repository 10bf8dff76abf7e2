package clients

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is what a service of posts and users has at the moment. It answers batch reads and windows by author from it.
type world struct {
	posts []*Post // in list order
}

func (wd *world) answer(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var found []*Post
	switch {
	case q.Has("ids"):
		ids := strings.Split(q.Get("ids"), ",")
		for _, p := range wd.posts {
			if slices.Contains(ids, string(p.ID)) {
				found = append(found, p)
			}
		}
		reply(w, 200, items(found...))
	case q.Has("authorIds"):
		groups := object{}
		for author := range strings.SplitSeq(q.Get("authorIds"), ",") {
			found = nil
			for _, p := range wd.posts {
				if string(p.AuthorID) == author && Visibility(q.Get("visibility")).allows(p) {
					found = append(found, p)
				}
			}
			groups[author] = pageOf(len(found), found...)
		}
		reply(w, 200, object{"groups": groups})
	}
}

func (wd *world) replace(p *Post) {
	i := slices.IndexFunc(wd.posts, func(old *Post) bool { return old.ID == p.ID })
	wd.posts = slices.Clone(wd.posts)
	wd.posts[i] = p
}

var anyPage = Page{Limit: 10}

// titles reads the posts of u1 and says which, with whether they are stale.
func titles(t *testing.T, c *Clients, vis Visibility) string {
	t.Helper()
	a := c.Posts.ByAuthors(t.Context(), []UserID{"u1"}, vis, anyPage)["u1"]
	if a.Err != nil {
		return "error"
	}
	var out []string
	for _, p := range a.Value.Items {
		out = append(out, string(p.ID)+p.Title)
	}
	if a.Stale != nil {
		out = append(out, "stale")
	}
	return strings.Join(out, " ")
}

func TestFreshThenStaleThenGone(t *testing.T) {
	u, now := newUpstream(t, usersAsked), newClock()
	var hits, misses, stale int
	c := clientsOf(t, u.URL, now.set, func(cfg *Config) {
		cfg.Observer.Hits = func(_ string, n int) { hits += n }
		cfg.Observer.Misses = func(_ string, n int) { misses += n }
		cfg.Observer.Stale = func(_ string, n int) { stale += n }
	})
	read := func() Answer[*User] { return c.Users.ByIDs(t.Context(), []UserID{"a"})["a"] }
	read()
	now.add(999 * time.Millisecond)
	if a := read(); a.Err != nil || len(u.requests()) != 1 {
		t.Errorf("within Fresh: %+v, %d requests", a, len(u.requests()))
	}
	now.add(time.Millisecond)
	if a := read(); a.Err != nil || len(u.requests()) != 2 {
		t.Errorf("after Fresh: %+v, %d requests", a, len(u.requests()))
	}
	u.then(func(w http.ResponseWriter, _ *http.Request) { problem(w, 503, "UNAVAILABLE", nil) })
	now.add(time.Hour - time.Nanosecond)
	if a := read(); a.Err != nil || a.Stale == nil || a.Stale.Age != time.Hour-time.Nanosecond {
		t.Errorf("within Keep: %+v", a)
	}
	now.add(time.Nanosecond)
	if a := read(); kind(a.Err) != KindUnavailable || a.Value != nil {
		t.Errorf("after Keep: %+v", a)
	}
	if hits != 1 || misses != 4 || stale != 1 {
		t.Errorf("%d hits, %d misses, %d stale", hits, misses, stale)
	}
}

func TestAbsenceIsCachedBrieflyAndNeverStale(t *testing.T) {
	u, now := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, items[*User]()) }), newClock()
	c := clientsOf(t, u.URL, now.set)
	read := func() map[UserID]Answer[*User] { return c.Users.ByIDs(t.Context(), []UserID{"a"}) }
	for range 2 {
		if got := read(); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	}
	u.wantTargets(t, "GET /users?ids=a")
	now.add(time.Second)
	u.then(fail500)
	if got := read(); kind(got["a"].Err) != KindUnavailable {
		t.Errorf("in an outage: %v", got)
	}
	u.then(usersAsked)
	if got := read(); got["a"].Value == nil {
		t.Errorf("once it exists: %v", got)
	}
}

func TestListsHoldIDs(t *testing.T) {
	wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL)
	titles(t, c, VisibilityPublic)
	if a := c.Posts.ByIDs(t.Context(), []PostID{"a", "b"}); a["a"].Value == nil || a["b"].Value == nil {
		t.Errorf("entities of a list: %v", a)
	}
	if n := len(u.requests()); n != 1 {
		t.Errorf("%d requests for a list and its entities", n)
	}
	if titles(t, c, VisibilityAuthor); len(u.requests()) != 2 {
		t.Errorf("visibility is no part of the key")
	}

	wd.replace(post("a", "u1", 2))
	c.Posts.svc.gens.invalidate(0, tagOf("post", "a"))
	if got := titles(t, c, VisibilityPublic); got != "bT1 aT2" {
		t.Errorf("a changed entity: %q", got)
	}
	wd.posts = wd.posts[:1]
	c.Posts.svc.gens.invalidate(0, tagOf("post", "a"))
	if got := titles(t, c, VisibilityPublic); got != "bT1" {
		t.Errorf("a vanished entity: %q", got)
	}
	hidden := post("b", "u1", 2)
	hidden.Status = PostHidden
	wd.replace(hidden)
	c.Posts.svc.gens.invalidate(0, tagOf("post", "b"))
	if got := titles(t, c, VisibilityPublic) + "|" + titles(t, c, VisibilityAuthor); got != "|bT2" {
		t.Errorf("a hidden entity: %q", got)
	}
	want := []string{"GET /posts?visibility=author&ids=a", "GET /posts?visibility=author&ids=a", "GET /posts?visibility=author&ids=b"}
	if got := u.targets()[2:]; !slices.Equal(got, want) {
		t.Errorf("the lists were read again: %q", got)
	}
}

func TestOlderVersionsNeverReplaceNewerOnes(t *testing.T) {
	wd, now := &world{posts: []*Post{post("a", "u1", 3)}}, newClock()
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL, now.set)
	titles(t, c, VisibilityPublic)
	wd.replace(post("a", "u1", 2)) // a replica that lags behind
	for range 2 {
		now.add(time.Minute)
		if got := titles(t, c, VisibilityPublic); got != "aT3" {
			t.Errorf("in a list: %q", got)
		}
		now.add(time.Minute)
		if got := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"].Value; got.Version != 3 {
			t.Errorf("by id: version %d", got.Version)
		}
	}
	wd.replace(post("a", "u1", 4))
	now.add(time.Minute)
	if got := titles(t, c, VisibilityPublic); got != "aT4" {
		t.Errorf("once it has caught up: %q", got)
	}
}

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

func TestHandlesMove(t *testing.T) {
	holder := user("a", 1)
	holder.Handle = "old"
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		var found []*User
		if r.Method == http.MethodGet && slices.Contains(strings.Split(r.URL.Query().Get("handles"), ","), holder.Handle) {
			found = append(found, holder)
		}
		reply(w, 200, items(found...))
	})
	c := clientsOf(t, u.URL)
	read := func() map[string]Answer[*User] { return c.Users.ByHandles(t.Context(), []string{"OLD", "new"}) }
	if got := read(); len(got) != 1 || got["OLD"].Value == nil {
		t.Errorf("at first: %v", got)
	}
	renamed := user("a", 2)
	renamed.Handle = "new"
	respond := u.respond
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, renamed) })
	if _, err := c.Users.Update(t.Context(), "a", 1, UserPatch{Handle: &renamed.Handle}); err != nil {
		t.Fatal(err)
	}
	holder = renamed
	u.then(respond)
	for range 2 {
		if got := read(); len(got) != 1 || got["new"].Value == nil || got["new"].Value.Version != 2 {
			t.Errorf("after the change: %v", got)
		}
	}
}

func TestCacheIsBoundedInBytes(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		var users []*User
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			one := user(UserID(id), 1)
			bio := strings.Repeat("x", 500)
			one.Bio = &bio
			users = append(users, one)
		}
		reply(w, 200, items(users...))
	})
	evicted := 0
	c := clientsOf(t, u.URL, func(cfg *Config) {
		cfg.Cache.Bytes = 100 << 10
		cfg.Observer.Evicted = func(string) { evicted++ }
	})
	for i := range 10 {
		ids := make([]UserID, 100)
		for j := range ids {
			ids[j] = UserID(fmt.Sprint("u", i*100+j))
		}
		c.Users.ByIDs(t.Context(), ids)
	}
	used, bound := c.CacheBytes()
	if bound != 100<<10 || used > bound || used < bound/2 {
		t.Errorf("%d bytes of %d", used, bound)
	}
	if most := 100 << 10 / 1000; evicted < 1000-2*most {
		t.Errorf("%d evicted of 1000", evicted)
	}
	off := clientsOf(t, u.URL, uncached)
	if used, bound := off.CacheBytes(); used != 0 || bound != 0 {
		t.Errorf("a cache that is off: %d of %d", used, bound)
	}
}

func TestWeights(t *testing.T) {
	bio, parent := strings.Repeat("x", 100), CommentID("parent")
	bare, full := user("a", 1), user("a", 1)
	full.Bio = &bio
	if got := full.bytes() - bare.bytes(); got != 116 {
		t.Errorf("a bio of 100 bytes weighs %d", got)
	}
	c1, c2 := comment("c", "p", "u", 1), comment("c", "p", "u", 1)
	c2.ParentID = &parent
	if got := c2.bytes() - c1.bytes(); got != 22 {
		t.Errorf("a parent weighs %d", got)
	}
	p1, p2 := post("p", "u", 1), post("p", "u", 1)
	p2.Body += bio
	if got := p2.bytes() - p1.bytes(); got != 100 {
		t.Errorf("a text of 100 bytes weighs %d", got)
	}
}
