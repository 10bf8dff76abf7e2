package clients

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// cachedReads are reads of everything that a change may alter, by name. Reads of posts are public but for the own ones.
func cachedReads() map[string]func(context.Context, *Clients) {
	return map[string]func(context.Context, *Clients){
		"user":       func(ctx context.Context, c *Clients) { c.Users.ByIDs(ctx, []UserID{"u1"}) },
		"other user": func(ctx context.Context, c *Clients) { c.Users.ByIDs(ctx, []UserID{"u2"}) },
		"handle":     func(ctx context.Context, c *Clients) { c.Users.ByHandles(ctx, []string{"abc"}) },
		"users":      func(ctx context.Context, c *Clients) { c.Users.List(ctx, anyPage) },
		"post":       func(ctx context.Context, c *Clients) { c.Posts.ByIDs(ctx, []PostID{"p1"}) },
		"other post": func(ctx context.Context, c *Clients) { c.Posts.ByIDs(ctx, []PostID{"p2"}) },
		"posts":      func(ctx context.Context, c *Clients) { c.Posts.List(ctx, nil, VisibilityPublic, anyPage) },
		"all posts":  func(ctx context.Context, c *Clients) { c.Posts.List(ctx, nil, VisibilityAuthor, anyPage) },
		"feed": func(ctx context.Context, c *Clients) {
			c.Posts.List(ctx, []UserID{"u3", "u1"}, VisibilityPublic, anyPage)
		},
		"own feed": func(ctx context.Context, c *Clients) { c.Posts.List(ctx, []UserID{"u1"}, VisibilityAuthor, anyPage) },
		"other feed": func(ctx context.Context, c *Clients) {
			c.Posts.List(ctx, []UserID{"u2", "u3"}, VisibilityPublic, anyPage)
		},
		"posts of u1": func(ctx context.Context, c *Clients) {
			c.Posts.ByAuthors(ctx, []UserID{"u1"}, VisibilityPublic, anyPage)
		},
		"own posts of u1": func(ctx context.Context, c *Clients) {
			c.Posts.ByAuthors(ctx, []UserID{"u1"}, VisibilityAuthor, anyPage)
		},
		"posts of u2": func(ctx context.Context, c *Clients) {
			c.Posts.ByAuthors(ctx, []UserID{"u2"}, VisibilityPublic, anyPage)
		},
		"own posts of u2": func(ctx context.Context, c *Clients) {
			c.Posts.ByAuthors(ctx, []UserID{"u2"}, VisibilityAuthor, anyPage)
		},
		"post count":      func(ctx context.Context, c *Clients) { c.Posts.Counts(ctx, []UserID{"u1"}, VisibilityPublic) },
		"own post count":  func(ctx context.Context, c *Clients) { c.Posts.Counts(ctx, []UserID{"u1"}, VisibilityAuthor) },
		"post count u2":   func(ctx context.Context, c *Clients) { c.Posts.Counts(ctx, []UserID{"u2"}, VisibilityPublic) },
		"comment":         func(ctx context.Context, c *Clients) { c.Comments.ByIDs(ctx, []CommentID{"c2"}) },
		"parent":          func(ctx context.Context, c *Clients) { c.Comments.ByIDs(ctx, []CommentID{"c1"}) },
		"comments on p1":  func(ctx context.Context, c *Clients) { c.Comments.ByPosts(ctx, []PostID{"p1"}, false, anyPage) },
		"top level on p1": func(ctx context.Context, c *Clients) { c.Comments.ByPosts(ctx, []PostID{"p1"}, true, anyPage) },
		"comments on p2":  func(ctx context.Context, c *Clients) { c.Comments.ByPosts(ctx, []PostID{"p2"}, false, anyPage) },
		"replies to c1":   func(ctx context.Context, c *Clients) { c.Comments.Replies(ctx, []CommentID{"c1"}, anyPage) },
		"replies to c9":   func(ctx context.Context, c *Clients) { c.Comments.Replies(ctx, []CommentID{"c9"}, anyPage) },
		"comments by u1":  func(ctx context.Context, c *Clients) { c.Comments.ByAuthors(ctx, []UserID{"u1"}, anyPage) },
		"count on p1":     func(ctx context.Context, c *Clients) { c.Comments.CountsByPosts(ctx, []PostID{"p1"}) },
		"comments by u2":  func(ctx context.Context, c *Clients) { c.Comments.ByAuthors(ctx, []UserID{"u2"}, anyPage) },
		"count on p2":     func(ctx context.Context, c *Clients) { c.Comments.CountsByPosts(ctx, []PostID{"p2"}) },
		"count by u1":     func(ctx context.Context, c *Clients) { c.Comments.CountsByAuthors(ctx, []UserID{"u1"}) },
		"followers of b":  func(ctx context.Context, c *Clients) { c.Followers.Followers(ctx, []UserID{"b"}, anyPage) },
		"followers of a":  func(ctx context.Context, c *Clients) { c.Followers.Followers(ctx, []UserID{"a"}, anyPage) },
		"followed by a":   func(ctx context.Context, c *Clients) { c.Followers.Following(ctx, []UserID{"a"}, anyPage) },
		"edges of a":      func(ctx context.Context, c *Clients) { c.Followers.Counts(ctx, []UserID{"a"}) },
		"edges of b":      func(ctx context.Context, c *Clients) { c.Followers.Counts(ctx, []UserID{"b"}) },
		"edges of c":      func(ctx context.Context, c *Clients) { c.Followers.Counts(ctx, []UserID{"c"}) },
		"edge a:b":        func(ctx context.Context, c *Clients) { c.Followers.Edges(ctx, []Pair{{"a", "b"}}) },
		"edge a:c":        func(ctx context.Context, c *Clients) { c.Followers.Edges(ctx, []Pair{{"a", "c"}}) },
	}
}

// emptyWorld answers every read with nothing, but for the post p1 by its id.
func emptyWorld(w http.ResponseWriter, r *http.Request) {
	groups, counts := object{}, object{}
	for _, parameter := range []string{"authorIds", "postIds", "parentIds", "userIds"} {
		for id := range strings.SplitSeq(r.URL.Query().Get(parameter), ",") {
			groups[id], counts[id] = pageOf[int](0), 0
			if r.URL.Path == "/counts" {
				counts[id] = object{"followers": 0, "following": 0}
			}
		}
	}
	if r.URL.Query().Get("ids") == "p1" {
		reply(w, 200, items(post("p1", "u1", 1)))
		return
	}
	reply(w, 200, object{"items": []int{}, "groups": groups, "counts": counts, "total": 0})
}

// TestWritesInvalidate caches everything, writes, and looks what is asked for again: what the write can have changed, and
// nothing else. A write that stores its entity spares asking for it.
func TestWritesInvalidate(t *testing.T) {
	public, own := []string{"posts", "feed", "posts of u1", "post count"}, []string{"all posts", "own feed", "own posts of u1", "own post count"}
	thread := []string{"comments on p1", "count on p1", "comments by u1", "count by u1", "replies to c1"}
	edge := []string{"followers of b", "followed by a", "edges of a", "edges of b", "edge a:b"}
	want := map[string][]string{ // beside the entity itself
		"create user": {"users", "handle"}, "update user": {},
		"create post": own, "update post": {}, "publish post": public, "delete post": slices.Concat(public, own),
		"create comment": thread, "update comment": {}, "delete comment": append([]string{"replies to c9", "top level on p1"}, thread...),
		"follow": edge, "follow again": edge, "unfollow": edge,
	}
	entity := map[string]string{"user": "user", "post": "post", "comment": "comment"}
	for _, tc := range writeCases() {
		for name, outcome := range map[string]http.HandlerFunc{"done": tc.give, "unknown": cut("", true), "replayed": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Idempotency-Replayed", "true")
			tc.give(w, r)
		}} {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				u := newUpstream(t, emptyWorld)
				c := clientsOf(t, u.URL)
				for _, read := range cachedReads() {
					read(t.Context(), c)
				}
				u.then(outcome)
				_, _ = tc.do(t.Context(), c)
				u.then(emptyWorld)
				expect := slices.Clone(want[tc.name])
				if e := entity[tc.name[strings.LastIndex(tc.name, " ")+1:]]; e != "" {
					creates, deletes := strings.HasPrefix(tc.name, "create"), strings.HasPrefix(tc.name, "delete")
					if deletes || (name == "replayed") || (name == "unknown" && !creates) {
						expect = append(expect, e)
					}
				}
				wantAskedAgain(t, u, c, expect...)
			})
		}
	}
}

// wantAskedAgain reads everything and compares what is not from the cache.
func wantAskedAgain(t *testing.T, u *upstream, c *Clients, want ...string) {
	t.Helper()
	var again []string
	for name, read := range cachedReads() {
		before := len(u.requests())
		read(t.Context(), c)
		if len(u.requests()) > before {
			again = append(again, name)
		}
	}
	slices.Sort(again)
	slices.Sort(want)
	if !slices.Equal(again, want) {
		t.Errorf("asked again for\n %q, want\n %q", again, want)
	}
}

func TestAWritePutsItsEntity(t *testing.T) {
	wd := &world{posts: []*Post{post("p1", "u1", 1)}}
	u := newUpstream(t, wd.answer)
	c := clientsOf(t, u.URL)
	titles(t, c, VisibilityPublic)
	u.then(func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, post("p1", "u1", 2)) })
	if _, err := c.Posts.Update(t.Context(), "p1", 1, PostPatch{}); err != nil {
		t.Fatal(err)
	}
	if got := titles(t, c, VisibilityPublic); got != "p1T2" || len(u.requests()) != 2 {
		t.Errorf("a client read %q after its own write, with %d requests", got, len(u.requests()))
	}
}

// TestAnUnknownPublicationInvalidatesEverything, for nobody knows whose post it was.
func TestAnUnknownPublicationInvalidatesEverything(t *testing.T) {
	u := newUpstream(t, emptyWorld)
	c := clientsOf(t, u.URL)
	c.Posts.ByAuthors(t.Context(), []UserID{"u2"}, VisibilityPublic, anyPage)
	u.then(cut("", true))
	published := PostPublished
	_, _ = c.Posts.Update(t.Context(), "p1", 1, PostPatch{Status: &published})
	before := len(u.requests())
	c.Posts.ByAuthors(t.Context(), []UserID{"u2"}, VisibilityPublic, anyPage)
	if len(u.requests()) == before {
		t.Error("still cached")
	}
}
