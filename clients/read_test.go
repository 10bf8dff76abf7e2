package clients

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestReads holds every read to the contract: the one request it sends, and what it makes of the answer.
func TestReads(t *testing.T) {
	next := "x"
	at := CursorAt(epochStart, "p0")
	first := Page{Limit: 2}
	p1, p2 := post("p1", "u1", 1), post("p2", "u1", 1)
	c1 := comment("c1", "p1", "u1", 1)
	e := Pair{"a", "b"}
	windowed := object{"groups": object{"u1": object{"items": []any{p2, nil, p1}, "next": next, "prev": nil, "total": 3}, "u2": pageOf[*Post](0)}}
	wantPosts := map[UserID]Answer[Window[*Post]]{
		"u1": {Value: Window[*Post]{Items: []*Post{p2, p1}, Next: true, Total: 3}}, "u2": {Value: Window[*Post]{Items: []*Post{}}}}
	comments := object{"groups": object{"k": object{"items": []any{c1}, "next": nil, "prev": "y", "total": 1}}}
	wantWindow := Window[*Comment]{Items: []*Comment{c1}, Prev: true, Total: 1}
	follows := object{"groups": object{"b": object{"items": []any{follow(e), nil}, "next": nil, "prev": nil, "total": 1}}}
	wantFollows := map[UserID]Answer[Window[Follow]]{"b": {Value: Window[Follow]{Items: []Follow{*follow(e)}, Total: 1}}}
	ctx := t.Context()
	for _, tc := range []struct {
		name   string
		read   func(*Clients) any
		target string
		answer object
		want   any
	}{
		{"users by id", func(c *Clients) any { return c.Users.ByIDs(ctx, []UserID{"b", "a", "b", "gone", "no,id"}) },
			"/users?ids=a,b,gone", items(user("b", 1), nil, user("a", 1)),
			map[UserID]Answer[*User]{"a": {Value: user("a", 1)}, "b": {Value: user("b", 1)}}},
		{"users by handle", func(c *Clients) any { return c.Users.ByHandles(ctx, []string{"H_a", "h_none", "x", "no way"}) },
			"/users?handles=h_a,h_none", items(user("a", 1)), map[string]Answer[*User]{"H_a": {Value: user("a", 1)}}},
		{"users listed", func(c *Clients) any { return c.Users.List(ctx, Page{Limit: 3, Before: at, FromEnd: true}) },
			"/users?limit=3&before=" + string(at) + "&from=end", pageOf(9, user("a", 1)),
			Answer[Window[*User]]{Value: Window[*User]{Items: []*User{user("a", 1)}, Total: 9}}},
		{"posts by id", func(c *Clients) any { return c.Posts.ByIDs(ctx, []PostID{"p1"}) },
			"/posts?visibility=author&ids=p1", items(p1), map[PostID]Answer[*Post]{"p1": {Value: p1}}},
		{"all posts", func(c *Clients) any { return c.Posts.List(ctx, nil, VisibilityPublic, Page{Limit: 2, Before: at}) },
			"/posts?limit=2&before=" + string(at) + "&from=start&visibility=public", pageOf(2, p2, p1),
			Answer[Window[*Post]]{Value: Window[*Post]{Items: []*Post{p2, p1}, Total: 2}}},
		{"posts of some", func(c *Clients) any { return c.Posts.List(ctx, []UserID{"u2", "u1", "u2"}, VisibilityAuthor, first) },
			"/posts?limit=2&visibility=author&authorIds=u1,u2", pageOf(1, p1),
			Answer[Window[*Post]]{Value: Window[*Post]{Items: []*Post{p1}, Total: 1}}},
		{"posts by author", func(c *Clients) any {
			return c.Posts.ByAuthors(ctx, []UserID{"u2", "u1"}, VisibilityPublic, Page{Limit: 2, After: at})
		}, "/posts/by-author?limit=2&after=" + string(at) + "&visibility=public&authorIds=u1,u2", windowed, wantPosts},
		{"post counts", func(c *Clients) any { return c.Posts.Counts(ctx, []UserID{"u1"}, VisibilityAuthor) },
			"/posts/counts?visibility=author&authorIds=u1", object{"counts": object{"u1": 12}}, map[UserID]Answer[int]{"u1": {Value: 12}}},
		{"comments by id", func(c *Clients) any { return c.Comments.ByIDs(ctx, []CommentID{"c1"}) },
			"/comments?ids=c1", items(c1), map[CommentID]Answer[*Comment]{"c1": {Value: c1}}},
		{"top-level comments", func(c *Clients) any { return c.Comments.ByPosts(ctx, []PostID{"k"}, true, first) },
			"/comments/by-post?limit=2&topLevel=true&postIds=k", comments, map[PostID]Answer[Window[*Comment]]{"k": {Value: wantWindow}}},
		{"comments by post", func(c *Clients) any { return c.Comments.ByPosts(ctx, []PostID{"k"}, false, first) },
			"/comments/by-post?limit=2&postIds=k", comments, map[PostID]Answer[Window[*Comment]]{"k": {Value: wantWindow}}},
		{"replies", func(c *Clients) any { return c.Comments.Replies(ctx, []CommentID{"k"}, first) },
			"/comments/replies?limit=2&parentIds=k", comments, map[CommentID]Answer[Window[*Comment]]{"k": {Value: wantWindow}}},
		{"comments by author", func(c *Clients) any { return c.Comments.ByAuthors(ctx, []UserID{"k"}, first) },
			"/comments/by-author?limit=2&authorIds=k", comments, map[UserID]Answer[Window[*Comment]]{"k": {Value: wantWindow}}},
		{"comment counts by post", func(c *Clients) any { return c.Comments.CountsByPosts(ctx, []PostID{"p1"}) },
			"/comments/counts?postIds=p1", object{"counts": object{"p1": 4}}, map[PostID]Answer[int]{"p1": {Value: 4}}},
		{"comment counts by author", func(c *Clients) any { return c.Comments.CountsByAuthors(ctx, []UserID{"u1"}) },
			"/comments/counts?authorIds=u1", object{"counts": object{"u1": 0}}, map[UserID]Answer[int]{"u1": {Value: 0}}},
		{"followers", func(c *Clients) any { return c.Followers.Followers(ctx, []UserID{"b"}, first) },
			"/followers?limit=2&userIds=b", follows, wantFollows},
		{"following", func(c *Clients) any { return c.Followers.Following(ctx, []UserID{"b"}, first) },
			"/following?limit=2&userIds=b", follows, wantFollows},
		{"follow counts", func(c *Clients) any { return c.Followers.Counts(ctx, []UserID{"u1"}) },
			"/counts?userIds=u1", object{"counts": object{"u1": object{"followers": 3, "following": 4}}},
			map[UserID]Answer[FollowCounts]{"u1": {Value: FollowCounts{3, 4}}}},
		{"edges", func(c *Clients) any { return c.Followers.Edges(ctx, []Pair{{"x", "y"}, e, {"no:id", "b"}}) },
			"/edges?pairs=a:b,x:y", items(follow(e)), map[Pair]Answer[Follow]{e: {Value: *follow(e)}}},
	} {
		for _, cached := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, tc.answer) })
				change := uncached
				if cached {
					change = func(*Config) {}
				}
				c := clientsOf(t, u.URL, change)
				for range 2 { // the second time out of the cache
					if got := tc.read(c); !reflect.DeepEqual(got, tc.want) {
						t.Errorf("got %+v\nwant %+v", got, tc.want)
					}
				}
				want := []string{"GET " + tc.target}
				if !cached {
					want = append(want, want[0])
				}
				u.wantTargets(t, want...)
			})
		}
	}
}

func TestNothingToAskForSendsNothing(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) })
	c, ctx := clientsOf(t, u.URL), t.Context()
	if got := c.Users.ByIDs(ctx, []UserID{"", "a b", "ä"}); len(got) != 0 {
		t.Errorf("malformed ids: %v", got)
	}
	if got := c.Posts.List(ctx, []UserID{"no,such"}, VisibilityAuthor, Page{Limit: 5}); got.Err != nil || len(got.Value.Items) != 0 {
		t.Errorf("posts of authors that cannot exist: %v", got)
	}
	for _, page := range []Page{{Limit: 0}, {Limit: 501}, {Limit: 1, After: "?"}, {Limit: 1, Before: "bm90aW5n"}, {Limit: 1, After: CursorAt(epochStart, strings.Repeat("x", MaxIDBytes+1))}} {
		if got := kind(c.Users.List(ctx, page).Err); got != KindInvalid {
			t.Errorf("list %+v: %q", page, got)
		}
		if got := kind(c.Posts.ByAuthors(ctx, []UserID{"u"}, VisibilityPublic, page)["u"].Err); got != KindInvalid {
			t.Errorf("by author %+v: %q", page, got)
		}
		if got := kind(c.Followers.Followers(ctx, []UserID{"u"}, page)["u"].Err); got != KindInvalid {
			t.Errorf("followers %+v: %q", page, got)
		}
	}
}

func TestBatchesAreSplit(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL+"/below/a/path", each(func(s *ServiceConfig) { s.MaxKeys, s.MaxURLBytes, s.Parallel = 40, 1000, 2 }))
	ids := make([]UserID, 100)
	for i := range ids {
		ids[i] = UserID(slices.Repeat([]byte{byte('a' + i%26)}, 1+i%60))
	}
	got := c.Users.ByIDs(t.Context(), ids)
	for _, id := range ids {
		if a, ok := got[id]; !ok || a.Err != nil || a.Value.ID != id {
			t.Fatalf("%s: %+v", id, a)
		}
	}
	asked := 0
	for _, r := range u.requests() {
		keys := 1 + len(slices.DeleteFunc([]byte(r.target), func(c byte) bool { return c != ',' }))
		asked += keys
		if keys > 40 || len(u.URL)+len(r.target) > 1000 {
			t.Errorf("a request of %d keys and %d bytes", keys, len(r.target))
		}
	}
	slices.Sort(ids)
	if distinct := len(slices.Compact(ids)); asked != distinct {
		t.Errorf("asked for %d keys, want %d", asked, distinct)
	}
	if n := len(u.requests()); n > 6 {
		t.Errorf("%d requests", n)
	}
}

// TestOddAnswers tells that only those keys suffer whose part of an answer is unusable, and that what was not asked for
// goes nowhere.
func TestOddAnswers(t *testing.T) {
	odd := 0
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		bad := user("bad", 0)
		reply(w, 200, items(user("a", 1), bad, nil, user("intruder", 1)))
	})
	c := clientsOf(t, u.URL, func(cfg *Config) { cfg.Observer.Unasked = func(_ string, n int) { odd += n } })
	ctx := t.Context()
	got := c.Users.ByIDs(ctx, []UserID{"a", "bad", "missing"})
	if a := got["a"]; a.Err != nil || a.Value == nil {
		t.Errorf("a: %+v", a)
	}
	if k := kind(got["bad"].Err); k != KindUnavailable {
		t.Errorf("bad: %q", k)
	}
	if _, ok := got["missing"]; ok || len(got) != 2 {
		t.Errorf("got %v", got)
	}
	if odd != 2 {
		t.Errorf("%d odd parts reported, want 2", odd)
	}
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, items[*User]()) })
	if got := c.Users.ByIDs(ctx, []UserID{"intruder"}); len(got) != 0 {
		t.Errorf("an id that was not asked for came into the cache: %v", got)
	}
}

func TestWindowLackingAGroup(t *testing.T) {
	many := make([]*Post, 5)
	for i := range many {
		many[i] = post(PostID(rune('a'+i)), "long", 1)
	}
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, object{"groups": object{"u1": pageOf(1, post("p", "u1", 1)), "null": nil, "empty": object{}, "long": pageOf(5, many...)}})
	})
	c := clientsOf(t, u.URL)
	got := c.Posts.ByAuthors(t.Context(), []UserID{"u1", "none", "null", "empty", "long"}, VisibilityPublic, Page{Limit: 3})
	if a := got["u1"]; a.Err != nil || len(a.Value.Items) != 1 {
		t.Errorf("u1: %+v", a)
	}
	for _, id := range []UserID{"none", "null", "empty"} {
		if k := kind(got[id].Err); k != KindUnavailable {
			t.Errorf("%s: %q", id, k)
		}
	}
	if w := got["long"].Value; len(w.Items) != 3 || !w.Next || w.Total != 5 {
		t.Errorf("a page beyond its limit: %+v", w)
	}
}

func TestReadUnderAnEndedContext(t *testing.T) {
	u := newUpstream(t, usersAsked)
	c := clientsOf(t, u.URL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Users.ByIDs(ctx, []UserID{"a"})["a"].Err; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	u.wantTargets(t)
}
