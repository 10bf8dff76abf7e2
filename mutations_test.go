package main

import (
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/operation"
)

// TestMutationsRefuseBadInput names for each piece of bad input the userErrors' code and field.
func TestMutationsRefuseBadInput(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	me := auth.Viewer{UserID: "u1"}
	post := at(t, ask(t, g, me, `mutation { createPost(input: {title: "t", body: "b", publish: true}) { post { id } } }`, nil).Data, "createPost", "post", "id").(string)
	gone := at(t, ask(t, g, me, `mutation { createPost(input: {title: "t", body: "b", publish: true}) { post { id } } }`, nil).Data, "createPost", "post", "id").(string)
	comment := at(t, ask(t, g, me, `mutation($p: ID!) { addComment(input: {postId: $p, body: "b"}) { comment { id } } }`, map[string]any{"p": post}).Data, "addComment", "comment", "id").(string)
	friend := at(t, ask(t, g, auth.Viewer{UserID: "u2", Scopes: []string{auth.ScopeAdmin}}, `mutation { createUser(input: {handle: "friend", name: "F"}) { user { id } } }`, nil).Data, "createUser", "user", "id").(string)
	for _, setup := range []string{
		`mutation { deletePost(input: {id: "` + gone + `"}) { userErrors { code } } }`,
		`mutation { follow(input: {userId: "` + friend + `"}) { userErrors { code } } }`,
	} {
		if a := ask(t, g, me, setup, nil); len(a.Errors) > 0 {
			t.Fatal(a.Errors)
		}
	}
	names := strings.NewReplacer("POST", post, "GONE", gone, "COMMENT", comment, "FRIEND", friend, "LONG", strings.Repeat("x", 201), "HUGE", strings.Repeat("x", 20_001))
	for _, c := range []struct{ mutation, field, code string }{
		{`createPost(input: {title: "", body: "b"})`, "input,title", "REQUIRED"},
		{`createPost(input: {title: "LONG", body: "b"})`, "input,title", "TOO_LONG"},
		{`createPost(input: {title: "t", body: "HUGE"})`, "input,body", "TOO_LONG"},
		{`updatePost(input: {id: "post_nothing", title: "t"})`, "input,id", "NOT_FOUND"},
		{`updatePost(input: {id: "GONE", title: "t"})`, "input,id", "NOT_FOUND"},
		{`updatePost(input: {id: "POST", title: "t", version: 99})`, "", "CONFLICT"},
		{`publishPost(input: {id: "POST", version: 99})`, "", "CONFLICT"},
		{`deletePost(input: {id: "GONE"})`, "input,id", "NOT_FOUND"},
		{`addComment(input: {postId: "GONE", body: "b"})`, "input,postId", "NOT_FOUND"},
		{`addComment(input: {postId: "post_nothing", body: "b"})`, "input,postId", "NOT_FOUND"},
		{`addComment(input: {postId: "POST", body: ""})`, "input,body", "REQUIRED"},
		{`addComment(input: {postId: "POST", parentId: "comment_nothing", body: "b"})`, "input,parentId", "INVALID"},
		{`addComment(input: {postId: "post_p1", parentId: "COMMENT", body: "b"})`, "input,parentId", "INVALID"},
		{`updateComment(input: {id: "comment_nothing", body: "b"})`, "input,id", "NOT_FOUND"},
		{`updateComment(input: {id: "COMMENT", body: "b", version: 99})`, "", "CONFLICT"},
		{`updateUser(input: {id: "user_u1", name: null})`, "input,name", "REQUIRED"},
		{`updateUser(input: {id: "user_u1", name: ""})`, "input,name", "REQUIRED"},
		{`updateUser(input: {id: "user_u1", handle: "x"})`, "input,handle", "TOO_SHORT"},
		{`updateUser(input: {id: "user_u1", handle: "friend"})`, "input,handle", "TAKEN"},
		{`updateUser(input: {id: "user_u1", email: "nonsense"})`, "input,email", "INVALID"},
		{`updateUser(input: {id: "user_u1", bio: "b", version: 99})`, "", "CONFLICT"},
		{`follow(input: {userId: "user_u1"})`, "input,userId", "SELF_FOLLOW"},
		{`follow(input: {userId: "FRIEND"})`, "input,userId", "ALREADY_FOLLOWING"},
		{`follow(input: {userId: "user_nobody"})`, "input,userId", "NOT_FOUND"},
		{`unfollow(input: {userId: "user_nobody"})`, "input,userId", "NOT_FOUND"},
	} {
		t.Run(c.mutation[:min(len(c.mutation), 60)], func(t *testing.T) {
			a := ask(t, g, me, "mutation { x: "+names.Replace(c.mutation)+" { userErrors { field code message } } }", nil)
			if len(a.Errors) > 0 {
				t.Fatal(a.Errors)
			}
			problem := at(t, a.Data, "x", "userErrors", 0)
			var field []string
			if list, ok := at(t, problem, "field").([]any); ok {
				for _, name := range list {
					field = append(field, name.(string))
				}
			}
			if at(t, problem, "code") != c.code || strings.Join(field, ",") != c.field || at(t, problem, "message") == "" {
				t.Errorf("%v", problem)
			}
		})
	}
	for _, query := range []string{
		`mutation { x: updatePost(input: {id: "user_u1", title: "t"}) { userErrors { code } } }`,
		`mutation { x: follow(input: {userId: "nonsense"}) { userErrors { code } } }`,
		`{ x: nodes(ids: ["user_u1", "nonsense"]) { id } }`,
		`{ x: node(id: "user_") { id } }`,
		`{ x: posts(first: 1, authorIds: ["post_p1"]) { nodes { id } } }`,
	} {
		if a := ask(t, g, me, query, nil); len(a.Errors) != 1 || a.Errors[0].code() != "BAD_USER_INPUT" || a.Errors[0].Path[0] != "x" {
			t.Errorf("%s: %+v", query, a.Errors)
		}
	}
}

// TestReadYourWrites writes through the gateway and reads at once, with a cache that would answer for an hour.
func TestReadYourWrites(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, func(c *config.Gateway) { c.Cache.Fresh = c.Cache.Keep })
	me := auth.Viewer{UserID: "u900"}
	const all = `{ user(id: "user_u900") { name stats { posts comments following } posts(first: 1) { totalCount } activity(first: 1) { totalCount } following(first: 1) { totalCount } }
	  posts(first: 1) { totalCount nodes { title } } post(id: "post_p1") { commentCount comments(first: 1) { totalCount } } user1: user(id: "user_u1") { stats { followers } followedByViewer } }`
	state := func() answer {
		a := ask(t, g, me, all, nil)
		if len(a.Errors) > 0 {
			t.Fatal(a.Errors)
		}
		return a
	}
	number := func(a answer, path ...any) float64 { return at(t, a.Data, path...).(float64) }
	before := state()
	if at(t, before.Data, "user1", "followedByViewer") == true {
		ask(t, g, me, `mutation { unfollow(input: {userId: "user_u1"}) { userErrors { code } } }`, nil)
		before = state()
	}
	done := ask(t, g, me, `mutation {
	  a: updateUser(input: {id: "user_u900", name: "Renamed"}) { user { name } userErrors { code } }
	  b: createPost(input: {title: "Fresh", body: "b", publish: true}) { post { id author { name stats { posts } } } userErrors { code } }
	  c: addComment(input: {postId: "post_p1", body: "mine"}) { comment { id post { commentCount } } userErrors { code } }
	  d: follow(input: {userId: "user_u1"}) { user { stats { followers } followedByViewer } userErrors { code } }
	}`, nil)
	if len(done.Errors) > 0 {
		t.Fatal(done.Errors)
	}
	if at(t, done.Data, "b", "post", "author", "name") != "Renamed" {
		t.Error("the second field does not see what the first wrote")
	}
	after := state()
	if at(t, after.Data, "user", "name") != "Renamed" || at(t, after.Data, "posts", "nodes", 0, "title") != "Fresh" || at(t, after.Data, "user1", "followedByViewer") != true {
		t.Errorf("old entities: %v", after.Data)
	}
	for _, path := range [][]any{
		{"user", "stats", "posts"}, {"user", "stats", "comments"}, {"user", "stats", "following"}, {"user", "posts", "totalCount"}, {"user", "following", "totalCount"},
		{"posts", "totalCount"}, {"post", "commentCount"}, {"post", "comments", "totalCount"}, {"user1", "stats", "followers"},
	} {
		if got, want := number(after, path...), number(before, path...)+1; got != want {
			t.Errorf("%v is %v, want %v", path, got, want)
		}
	}
	if got, want := number(after, "user", "activity", "totalCount"), number(before, "user", "activity", "totalCount")+2; got != want {
		t.Errorf("activity has %v, want %v", got, want)
	}
}

// TestIdempotencyKey repeats whole mutations under one key: each of their fields takes effect once, and two alike fields are two writes.
func TestIdempotencyKey(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, nil)
	call := func(key, query string) map[string]any {
		prepared, errs := g.pipeline.Prepare(g.view, operation.Request{Query: query})
		if errs != nil {
			t.Fatal(errs)
		}
		r := g.pipeline.Run(t.Context(), prepared, operation.Call{Viewer: auth.Viewer{UserID: "u5"}, IdempotencyKey: key})
		return decoded(t, r.Data)
	}
	const two = `mutation {
	  a: createPost(input: {title: "one", body: "b"}) { post { id } userErrors { code } }
	  b: createPost(input: {title: "two", body: "b"}) { post { id } userErrors { code } }
	  c: updateUser(input: {id: "user_u5", bio: "again"}) { user { version } userErrors { code } }
	  d: follow(input: {userId: "user_u999"}) { userErrors { code } }
	}`
	first, second := call("key", two), call("key", two)
	if at(t, first, "a", "post", "id") == at(t, first, "b", "post", "id") {
		t.Error("two fields of one mutation were taken for one")
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("repeated:\n%v\n%v", first, second)
	}
	if third := call("other", two); at(t, third, "a", "post", "id") == at(t, first, "a", "post", "id") {
		t.Error("another key repeated the answer")
	}
	reused := call("key", strings.Replace(two, `"one"`, `"three"`, 1))
	if code := at(t, reused, "a", "userErrors", 0, "code"); code != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("another request under the same key: %v", code)
	}
}

// TestUnknownOutcome cuts the connection after a write was done.
func TestUnknownOutcome(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, impatient)
	var writes atomic.Int32
	u.hook(func(_ string, r *http.Request) {
		if r.Method == http.MethodPost {
			writes.Add(1)
			_, _ = io.Copy(io.Discard, r.Body) // a server notices that its client has left only once it has read the body
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
	})
	a := ask(t, g, auth.Viewer{UserID: "u1"}, `mutation { x: createPost(input: {title: "t", body: "b"}) { post { id } } }`, nil)
	if a.codes()[`"x"`] != "OUTCOME_UNKNOWN" || writes.Load() == 0 {
		t.Errorf("after %d tries: %v", writes.Load(), a.Errors)
	}
}
