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
	c.Posts.svc.gens.invalidate(0, tagOf("post", "b"))
	u.then(fail500)
	if got := titles(t, c, VisibilityAuthor); got != "bT2 stale" {
		t.Errorf("a list with a stale entity: %q", got)
	}
	want := []string{"GET /posts?visibility=author&ids=a", "GET /posts?visibility=author&ids=a", "GET /posts?visibility=author&ids=b"}
	if got := u.targets()[2:5]; !slices.Equal(got, want) {
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

// TestWhatStandsInTheCache puts two entries after each other and tells which is there then.
func TestWhatStandsInTheCache(t *testing.T) {
	now := newClock()
	s := clientsOf(t, "http://127.0.0.1:1", now.set).Posts.svc
	on := tagged(tagOf("post", "a"))
	old := s.gens.current()
	recent, _ := s.gens.invalidate(0, tagOf("post", "other"))
	present := func(version int, epoch uint64) entry {
		return entry{svc: s, value: fmt.Sprint("v", version), version: version, epoch: epoch, tags: on}
	}
	absent := func(epoch uint64) entry { return entry{svc: s, epoch: epoch, tags: on} }
	withheld := func(version int, epoch uint64) entry {
		return entry{svc: s, version: version, epoch: epoch, tags: on, withheld: true}
	}
	for i, tc := range []struct {
		first, second entry
		wait          time.Duration
		second2       bool // whether the second stands
		floor         int
	}{
		{present(1, old), present(2, old), 0, true, 2},
		{present(2, old), present(2, old), 0, true, 2},
		{present(2, old), present(1, recent), 0, false, 2},
		{present(2, old), present(1, recent), time.Hour, true, 1},
		{present(2, recent), present(2, old), 0, false, 2},
		{present(3, old), absent(old), 0, true, 3},
		{present(3, recent), absent(old), 0, false, 3},
		{absent(recent), present(1, old), 0, false, 0},
		{present(3, old), withheld(2, recent), 0, true, 3},
		{present(3, old), withheld(4, recent), 0, true, 4},
		{withheld(4, old), present(3, recent), 0, false, 4},
		{withheld(4, old), present(4, recent), 0, true, 4},
		{withheld(4, recent), present(4, old), 0, false, 4},
		{withheld(4, old), absent(recent), 0, true, 4},
	} {
		k := cacheKey{"post", fmt.Sprint(i)}
		first, second := tc.first, tc.second
		s.cache.put(k, &first, 0)
		now.add(tc.wait)
		stands := s.cache.put(k, &second, 0)
		if there := s.cache.get(k); stands != there || (stands == &second) != tc.second2 || stands.version != tc.floor {
			t.Errorf("case %d: %+v stands, %+v is there", i, stands, there)
		}
	}
	k := cacheKey{"post", "a"}
	overtaken := present(1, recent)
	s.gens.invalidate(0, tagOf("post", "a"))
	if s.cache.put(k, &overtaken, 0); s.cache.get(k) != nil {
		t.Error("an entry that was overtaken while it was read is stored")
	}
	hidden := withheld(1, recent)
	if s.cache.put(k, &hidden, 0); s.cache.get(k) != &hidden {
		t.Error("what may have been deleted must not be shown, whatever came after")
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
