package clients

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// threadWorld is emptyWorld with the comment c2 below c1, and with c1 deleted and itself below c9 if it is to be.
func threadWorld(deleted bool) http.HandlerFunc {
	c1, c2 := comment("c1", "p1", "u1", 1), comment("c2", "p1", "u1", 1)
	parent, above := CommentID("c1"), CommentID("c9")
	c2.ParentID = &parent
	if deleted {
		c1.Status, c1.ParentID = CommentDeleted, &above
	}
	c9 := comment("c9", "p1", "u2", 1)
	return func(w http.ResponseWriter, r *http.Request) {
		for _, known := range []*Comment{c1, c2, c9} {
			if r.URL.Path == "/comments" && r.URL.Query().Get("ids") == string(known.ID) {
				reply(w, 200, items(known))
				return
			}
		}
		emptyWorld(w, r)
	}
}

// eventCase is an event as it reaches the clients, with the cached reads that it must drop.
type eventCase struct {
	change Change
	want   string // comma separated
}

const (
	publicPosts = "posts,feed,posts of u1,post count,"
	ownPosts    = "all posts,own feed,own posts of u1,own post count,"
	onPost      = "comments on p1,count on p1,"
	byAuthor    = "comments by u1,count by u1,"
	edgesAB     = "followers of b,followed by a,edges of a,edges of b,edge a:b"
)

func eventCases() []eventCase {
	user := func(kind string) Change { return Change{Kind: "user", ID: "u1", Version: 2, Type: "user." + kind} }
	handle := func(c Change) Change { c.Handles = []string{"Abc"}; return c }
	post := func(kind string) Change {
		return Change{Kind: "post", ID: "p1", Version: 2, Type: "post." + kind, AuthorIDs: []string{"u1"}}
	}
	draft := func(c Change) Change { c.Draft = true; return c }
	gone := func(c Change) Change { c.Gone = true; return c }
	moved := func(c Change) Change { c.Moved, c.AuthorIDs = true, []string{"u2", "u1"}; return c }
	comment := func(kind string) Change {
		return Change{Kind: "comment", ID: "c2", Version: 2, Type: "comment." + kind, AuthorIDs: []string{"u1"},
			PostIDs: []string{"p1"}, ParentIDs: []string{"c1"}}
	}
	top := func(c Change) Change { c.ParentIDs = nil; return c }
	anonymous := func(c Change) Change { c.AuthorIDs = nil; return c }
	follow := func(kind string) Change {
		return Change{Kind: "follow", ID: "a:b", Version: 2, Type: "follower." + kind}
	}
	return []eventCase{
		{handle(user("created")), "user,users,handle"},
		{user("updated"), "user"},
		{handle(user("updated")), "user,handle"},
		{user("frozen"), "user,users"},
		{gone(user("deleted")), "user,users"},
		{handle(user("restored")), "user,users,handle"},
		{handle(user("snapshot")), "user,users,handle"},
		{post("created"), "post," + publicPosts + ownPosts},
		{draft(post("created")), "post," + ownPosts},
		{post("updated"), "post"},
		{moved(post("updated")), "post,own posts of u2,posts of u2,post count u2,other feed," + publicPosts + ownPosts},
		{draft(moved(post("updated"))), "post,own posts of u2," + ownPosts},
		{gone(post("updated")), "post," + publicPosts},
		{post("published"), "post," + publicPosts},
		{gone(post("hidden")), "post," + publicPosts},
		{gone(post("deleted")), "post," + publicPosts + ownPosts},
		{post("restored"), "post," + publicPosts + ownPosts},
		{post("snapshot"), "post," + publicPosts + ownPosts},
		{post("reviewed"), "post," + publicPosts + ownPosts},
		{comment("created"), "comment,replies to c1," + onPost + byAuthor},
		{top(comment("created")), "comment,top level on p1," + onPost + byAuthor},
		{comment("updated"), "comment"},
		{moved(comment("updated")), "comment,comments by u2," + byAuthor},
		{gone(comment("deleted")), "comment,replies to c1," + onPost + byAuthor},
		{gone(top(comment("deleted"))), "comment,top level on p1," + onPost + byAuthor},
		{anonymous(gone(comment("deleted"))), "comment,replies to c1," + onPost},
		{comment("restored"), "comment,replies to c1," + onPost + byAuthor},
		{comment("snapshot"), "comment,replies to c1," + onPost + byAuthor},
		{follow("added"), edgesAB},
		{gone(follow("removed")), edgesAB},
		{follow("snapshot"), edgesAB},
		{Change{Kind: "like", ID: "l1", Version: 2}, ""},
	}
}

// TestEventsInvalidate caches everything, applies an event, and looks what is asked for again.
func TestEventsInvalidate(t *testing.T) {
	for _, tc := range eventCases() {
		t.Run(tc.change.Type, func(t *testing.T) {
			u := newUpstream(t, threadWorld(false))
			c := clientsOf(t, u.URL, newClock().set)
			for _, read := range cachedReads() {
				read(t.Context(), c)
			}
			c.Apply([]Change{tc.change})
			wantAskedAgain(t, u, c, slices.DeleteFunc(strings.Split(tc.want, ","), func(s string) bool { return s == "" })...)
		})
	}
}

// TestTheLastReplyTakesDeletedCommentsAlong: what stands above a deleted parent is looked up in the cache, and where the
// cache does not know, all lists of replies may be concerned.
func TestTheLastReplyTakesDeletedCommentsAlong(t *testing.T) {
	deleted := Change{Kind: "comment", ID: "c2", Version: 2, Type: "comment.deleted", Gone: true, AuthorIDs: []string{"u1"},
		PostIDs: []string{"p1"}, ParentIDs: []string{"c1"}}
	for name, tc := range map[string]struct {
		grandparent bool // known to be deleted, or not known
		want        []string
	}{
		"known":   {true, []string{"replies to c1", "replies to c9"}},
		"unknown": {false, []string{"replies to c1", "replies to c9", "top level on p1"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, threadWorld(true))
			c := clientsOf(t, u.URL, newClock().set)
			for _, read := range cachedReads() {
				read(t.Context(), c)
			}
			if tc.grandparent {
				c.Comments.ByIDs(t.Context(), []CommentID{"c9"})
			}
			c.Apply([]Change{deleted})
			want := append([]string{"comment", "comments on p1", "count on p1", "comments by u1", "count by u1"}, tc.want...)
			wantAskedAgain(t, u, c, want...)
		})
	}
}

// TestWithoutItsOwnersAChangeDropsAllLists, for nobody knows which.
func TestWithoutItsOwnersAChangeDropsAllLists(t *testing.T) {
	u := newUpstream(t, emptyWorld)
	c := clientsOf(t, u.URL, newClock().set)
	c.Posts.ByAuthors(t.Context(), []UserID{"u9"}, VisibilityPublic, anyPage)
	c.Comments.CountsByPosts(t.Context(), []PostID{"p9"})
	c.Followers.Counts(t.Context(), []UserID{"u9"})
	c.Apply([]Change{{Kind: "post", ID: "p1", Version: 2, Type: "post.deleted"},
		{Kind: "comment", ID: "c1", Version: 2, Type: "comment.deleted"}, {Kind: "follow", ID: "a", Version: 2, Type: "follower.added"}})
	c.Posts.ByAuthors(t.Context(), []UserID{"u9"}, VisibilityPublic, anyPage)
	c.Comments.CountsByPosts(t.Context(), []PostID{"p9"})
	c.Followers.Counts(t.Context(), []UserID{"u9"})
	if n := len(u.requests()); n != 6 {
		t.Errorf("%d requests, want all three again", n)
	}
}
