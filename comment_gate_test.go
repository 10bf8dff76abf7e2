package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/demo"
)

// TestCommentsTakeOneBatchOfPosts counts what it costs to know which comments may be read.
func TestCommentsTakeOneBatchOfPosts(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, uncached)
	const below = `{ post(id: "post_p2285") { comments(first: 20, topLevel: true) { nodes { body parent { body } replies(first: 5) { nodes { body parent { body } replies(first: 5) { nodes { body } } } } } } } }`
	for _, c := range []struct {
		name, query string
		viewer      auth.Viewer
		posts       int
	}{
		{"below a post: that post alone", below, auth.Viewer{}, 1},
		{"below posts of a list", `{ user(id: "user_u1") { posts(first: 10) { nodes { comments(first: 5) { nodes { body replies(first: 5) { nodes { body parent { body } } } } } } } } }`, auth.Viewer{}, 0},
		{"of many users", `{ users(first: 20) { nodes { comments(first: 5) { nodes { body } } } } }`, auth.Viewer{}, 1},
		{"with their posts, which are the same", `{ users(first: 20) { nodes { comments(first: 5) { nodes { body post { title } } } } } }`, auth.Viewer{}, 1},
		{"many, by id", `{ nodes(ids: ["comment_c1", "comment_c2", "comment_c3", "comment_c4", "post_p1"]) { id } }`, auth.Viewer{}, 2},
		{"only counted", `{ user(id: "user_u1") { comments(first: 5) { totalCount __typename } } }`, auth.Viewer{}, 0},
		{"one's own", `{ user(id: "user_u1") { comments(first: 5) { nodes { body } } } }`, auth.Viewer{UserID: "u1"}, 0},
		{"to an admin", `{ users(first: 20) { nodes { comments(first: 5) { nodes { body } } } } }`, auth.Viewer{Scopes: []string{auth.ScopeAdmin}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a := ask(t, g, c.viewer, c.query, nil); len(a.Errors) > 0 {
				t.Fatal(a.Errors)
			}
			calls := u.take()
			noIDTwice(t, calls)
			posts := slices.DeleteFunc(endpoints(calls), func(call string) bool { return call != "post GET /posts" })
			if len(posts) != c.posts {
				t.Errorf("posts are read %d times, want %d, in\n%s", len(posts), c.posts, strings.Join(calls, "\n"))
			}
		})
	}
}

// TestCommentsWithoutTheirPosts breaks the post service: a comment that only its post could show is an error at its place.
func TestCommentsWithoutTheirPosts(t *testing.T) {
	d := startDemo(t, seededDir(t))
	urls := map[string]string{}
	for _, service := range demo.Services() {
		urls[service] = d.URL(service)
	}
	g := openGateway(t, urls, func(c *config.Gateway) { uncached(c); impatient(c) })
	comment, author := aReply(t, g)
	breakService(t, d, "post", demo.Fault{Down: true})
	query := `{ comment(id: "` + comment + `") { id parent { id } } node(id: "` + comment + `") { id } nodes(ids: ["user_u1", "` + comment + `"]) { id }
	  user(id: "user_` + author + `") { handle comments(first: 2) { nodes { id } } } }`
	for _, c := range []struct {
		name   string
		viewer auth.Viewer
		failed []string
		shown  [][]any
	}{
		{"to a stranger", auth.Viewer{}, []string{`"comment"`, `"node"`, `"nodes",1`, `"user","comments"`}, [][]any{{"nodes", 0, "id"}, {"user", "handle"}}},
		{"to its author", auth.Viewer{UserID: author}, []string{`"comment","parent"`}, [][]any{{"comment", "id"}, {"node", "id"}, {"nodes", 1, "id"}, {"user", "comments", "nodes", 0, "id"}}},
		{"to an admin", auth.Viewer{Scopes: []string{auth.ScopeAdmin}}, nil, [][]any{{"comment", "parent", "id"}, {"nodes", 1, "id"}, {"user", "comments", "nodes", 1, "id"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, g, c.viewer, query, nil)
			var failed []string
			for _, e := range a.Errors {
				failed = append(failed, pathOf(e.Path))
				if e.Extensions["service"] != "post" || e.code() == "" || e.code() == "INTERNAL" {
					t.Errorf("%+v", e)
				}
			}
			slices.Sort(failed)
			if !slices.Equal(failed, c.failed) {
				t.Errorf("failed: %q, want %q", failed, c.failed)
			}
			for _, path := range c.shown {
				if find(a.Data, path) == nil {
					t.Errorf("%v is missing", path)
				}
			}
			if c.viewer.Anonymous() && !c.viewer.Admin() && strings.Contains(fmt.Sprint(a.Data), "comment_") {
				t.Errorf("something is shown: %v", a.Data)
			}
		})
	}
}

// aReply finds a comment that answers somebody else's, and the service's id of its author.
func aReply(t *testing.T, g *gateway) (comment, author string) {
	t.Helper()
	a := ask(t, g, auth.Viewer{}, `{ user(id: "user_u1") { posts(first: 10) { nodes { comments(first: 10) { nodes { id author { id } parent { author { id } } } } } } } }`, nil)
	for _, post := range at(t, a.Data, "user", "posts", "nodes").([]any) {
		for _, node := range at(t, post, "comments", "nodes").([]any) {
			its, others := find(node, []any{"author", "id"}), find(node, []any{"parent", "author", "id"})
			if its != nil && others != nil && its != others {
				return at(t, node, "id").(string), strings.TrimPrefix(its.(string), "user_")
			}
		}
	}
	t.Fatal("nobody answers anybody")
	return "", ""
}

// TestPagesOfCommentsGoOnBehindWhatIsHidden pages a user's comments of which some are under a post that a stranger may not see.
func TestPagesOfCommentsGoOnBehindWhatIsHidden(t *testing.T) {
	k := startTalk(t)
	say := func(post, body string) {
		k.p.write(t, k.adminAs2, `mutation { addComment(input: {postId: "`+post+`", body: "`+body+`"}) { userErrors { code } } }`)
	}
	for _, c := range []struct{ post, body string }{
		{"post_p1", "1"}, {k.post, "x"}, {k.post, "x"}, {k.post, "x"}, {"post_p1", "2"}, {k.post, "x"}, {"post_p1", "3"}, {k.post, "x"},
	} {
		say(c.post, c.body)
	}
	const newest, oldest = "3 2 1", "1 2 3"
	for _, list := range []string{"comments", "activity"} {
		for _, way := range []struct{ size, cursor, more, end, want string }{
			{"first", "after", "hasNextPage", "endCursor", newest}, {"last", "before", "hasPreviousPage", "startCursor", oldest},
		} {
			var bodies []string
			cursor, more := "", true
			for pages := 0; more && pages < 10; pages++ {
				r := k.p.send(t, `{ user(id: "user_u2") { x: `+list+`(`+way.size+`: 2`+cursor+`) { totalCount nodes { ... on Comment { body } } pageInfo { more: `+way.more+` end: `+way.end+` } } } }`)
				for _, node := range slices.Backward(at(t, r.Data, "user", "x", "nodes").([]any)) {
					bodies = append(bodies, at(t, node, "body").(string))
				}
				if n := len(bodies); way.size == "first" && len(at(t, r.Data, "user", "x", "nodes").([]any)) == 2 {
					bodies[n-1], bodies[n-2] = bodies[n-2], bodies[n-1]
				}
				if more = at(t, r.Data, "user", "x", "pageInfo", "more").(bool); more {
					cursor = `, ` + way.cursor + `: "` + at(t, r.Data, "user", "x", "pageInfo", "end").(string) + `"`
				}
			}
			if got := strings.Join(bodies, " "); got != way.want || more {
				t.Errorf("%s, %s: %q, want %q; more %t", list, way.size, got, way.want, more)
			}
		}
	}
}
