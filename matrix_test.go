package main

import (
	"fmt"
	"strings"
	"testing"

	"tributary/internal/auth"
)

// The roles that the permission table knows, towards what user 1 owns.
var roles = []struct {
	name   string
	viewer auth.Viewer
}{
	{"anonymous", auth.Viewer{}},
	{"stranger", auth.Viewer{UserID: "u3"}},
	{"self", auth.Viewer{UserID: "u1"}},
	{"admin", auth.Viewer{UserID: "u2", Scopes: []string{auth.ScopeAdmin}}},
}

// TestRolesAndFields is the permission table for reading.
func TestRolesAndFields(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	created := ask(t, g, auth.Viewer{UserID: "u1"}, `mutation { createPost(input: {title: "secret", body: "a draft"}) { post { id } userErrors { message } } }`, nil)
	draft := at(t, created.Data, "createPost", "post", "id").(string)

	fields := []struct {
		name, query string
		shown       map[string]bool
	}{
		{"email", `query($draft: ID!) { x: user(id: "user_u1") { y: email } draft: post(id: $draft) { id } }`, map[string]bool{"self": true, "admin": true}},
		{"draft by id", `query($draft: ID!) { x: post(id: $draft) { y: title } }`, map[string]bool{"self": true, "admin": true}},
		{"draft by node", `query($draft: ID!) { x: node(id: $draft) { ... on Post { y: title } } }`, map[string]bool{"self": true, "admin": true}},
	}
	for _, field := range fields {
		for _, role := range roles {
			t.Run(field.name+"/"+role.name, func(t *testing.T) {
				a := ask(t, g, role.viewer, field.query, map[string]any{"draft": draft})
				x, _ := at(t, a.Data, "x").(map[string]any)
				if shown := x["y"] != nil; shown != field.shown[role.name] {
					t.Errorf("shown: %v, errors %v", shown, a.Errors)
				}
			})
		}
	}

	lists := []struct{ name, query string }{
		{"posts", `{ user(id: "user_u1") { posts(first: 100) { totalCount nodes { title } } } }`},
		{"activity", `{ user(id: "user_u1") { posts: activity(first: 100) { totalCount nodes { ... on Post { title } } } } }`},
	}
	for _, list := range lists {
		totals := map[string]float64{}
		for _, role := range roles {
			a := ask(t, g, role.viewer, list.query, nil)
			totals[role.name] = at(t, a.Data, "user", "posts", "totalCount").(float64)
			secret := false
			for _, node := range at(t, a.Data, "user", "posts", "nodes").([]any) {
				secret = secret || at(t, node, "title") == "secret"
			}
			if want := role.name == "self" || role.name == "admin"; secret != want {
				t.Errorf("%s for %s: draft shown: %v", list.name, role.name, secret)
			}
		}
		if totals["anonymous"] != totals["stranger"] || totals["self"] != totals["admin"] || totals["self"] <= totals["stranger"] {
			t.Errorf("%s: totals %v", list.name, totals)
		}
	}
	for _, role := range roles {
		a := ask(t, g, role.viewer, `{ posts(first: 100) { nodes { title status } } feed(first: 1) { totalCount } }`, nil)
		for _, node := range at(t, a.Data, "posts", "nodes").([]any) {
			if at(t, node, "status") != "PUBLISHED" {
				t.Errorf("posts shows %v to %s", node, role.name)
			}
		}
		if anonymous := role.viewer.Anonymous(); (a.codes()[`"feed"`] == "UNAUTHENTICATED") != anonymous {
			t.Errorf("feed for %s: %v", role.name, a.Errors)
		}
	}
}

// TestRolesAndMutations is the permission table for writing. What is not refused must have done its work.
func TestRolesAndMutations(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	owner := auth.Viewer{UserID: "u1"}
	made := 0
	newPost := func(t *testing.T) string {
		made++
		a := ask(t, g, owner, `mutation($t: String!) { createPost(input: {title: $t, body: "b"}) { post { id } } }`, map[string]any{"t": fmt.Sprint("post ", made)})
		return at(t, a.Data, "createPost", "post", "id").(string)
	}
	newComment := func(t *testing.T) string {
		a := ask(t, g, owner, `mutation { addComment(input: {postId: "post_p1", body: "c"}) { comment { id } userErrors { message } } }`, nil)
		return at(t, a.Data, "addComment", "comment", "id").(string)
	}
	const refused, allowed, absent = "refused", "allowed", "NOT_FOUND"
	mutations := []struct {
		name, query string
		subject     func(*testing.T) string
		want        map[string]string // stranger, self, admin; anonymous is always refused
	}{
		{"createUser", `mutation { x: createUser(input: {handle: "by_HANDLE", name: "n"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": refused, "admin": allowed}},
		{"updateUser", `mutation { x: updateUser(input: {id: "user_u1", bio: "b"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": refused}},
		{"createPost as 1", `mutation { x: createPost(input: {authorId: "user_u1", title: "t", body: "b"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": refused}},
		{"createPost", `mutation { x: createPost(input: {title: "t", body: "b"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": allowed, "self": allowed, "admin": allowed}},
		{"updatePost", `mutation($i: ID!) { x: updatePost(input: {id: $i, title: "u"}) { userErrors { code } } }`, newPost,
			map[string]string{"stranger": absent, "self": allowed, "admin": allowed}},
		{"updatePost, published", `mutation { x: updatePost(input: {id: "PUBLISHED", title: "u"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": allowed}},
		{"publishPost", `mutation($i: ID!) { x: publishPost(input: {id: $i}) { userErrors { code } } }`, newPost,
			map[string]string{"stranger": absent, "self": allowed, "admin": allowed}},
		{"deletePost", `mutation($i: ID!) { x: deletePost(input: {id: $i}) { userErrors { code } } }`, newPost,
			map[string]string{"stranger": absent, "self": allowed, "admin": allowed}},
		{"addComment as 1", `mutation { x: addComment(input: {authorId: "user_u1", postId: "post_p1", body: "b"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": refused}},
		{"updateComment", `mutation($i: ID!) { x: updateComment(input: {id: $i, body: "u"}) { userErrors { code } } }`, newComment,
			map[string]string{"stranger": refused, "self": allowed, "admin": allowed}},
		{"deleteComment", `mutation($i: ID!) { x: deleteComment(input: {id: $i}) { userErrors { code } } }`, newComment,
			map[string]string{"stranger": refused, "self": allowed, "admin": allowed}},
		{"follow as 1", `mutation { x: follow(input: {followerId: "user_u1", userId: "NOT_FOLLOWED"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": refused}},
		{"unfollow as 1", `mutation { x: unfollow(input: {followerId: "user_u1", userId: "NOT_FOLLOWED"}) { userErrors { code } } }`, nil,
			map[string]string{"stranger": refused, "self": allowed, "admin": refused}},
	}
	published := at(t, ask(t, g, owner, `mutation { createPost(input: {title: "p", body: "b", publish: true}) { post { id } } }`, nil).Data, "createPost", "post", "id").(string)
	friend := at(t, ask(t, g, auth.Viewer{UserID: "u2", Scopes: []string{auth.ScopeAdmin}}, `mutation { createUser(input: {handle: "somebody_new", name: "n"}) { user { id } userErrors { message } } }`, nil).Data, "createUser", "user", "id").(string)
	for _, m := range mutations {
		for _, role := range roles {
			t.Run(m.name+"/"+role.name, func(t *testing.T) {
				want := m.want[role.name]
				if role.viewer.Anonymous() {
					want = refused
				}
				variables := map[string]any{}
				if m.subject != nil {
					variables["i"] = m.subject(t)
				}
				query := strings.NewReplacer("PUBLISHED", published, "NOT_FOLLOWED", friend, "by_HANDLE", "by_"+role.name).Replace(m.query)
				a := ask(t, g, role.viewer, query, variables)
				if got := outcome(t, a, role.viewer); got != want {
					t.Errorf("%s, want %s: %v %v", got, want, a.Data, a.Errors)
				}
			})
		}
	}
}

// outcome of the mutation under x: refused, allowed or the code of its userError. A refusal must carry the code that fits the viewer.
func outcome(t *testing.T, a answer, viewer auth.Viewer) string {
	t.Helper()
	if code, failed := a.codes()[`"x"`]; failed {
		want := "FORBIDDEN"
		if viewer.Anonymous() {
			want = "UNAUTHENTICATED"
		}
		if code != want {
			t.Errorf("refused with %s, want %s", code, want)
		}
		return "refused"
	}
	if problems := at(t, a.Data, "x", "userErrors").([]any); len(problems) > 0 {
		return at(t, problems[0], "code").(string)
	}
	return "allowed"
}
