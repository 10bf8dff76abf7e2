package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestACommentsPastIsAsVisibleAsItsPost is the permission table of asOf and history of a comment on a draft that is published and
// hidden again. Its post is user 1's, the comment user 2's.
func TestACommentsPastIsAsVisibleAsItsPost(t *testing.T) {
	p, dir := serveSmallDemo(t, "--limit-ip-points", "1000000", "--limit-user-points", "1000000")
	author, admin := tokenFor(t, dir, "u1", ""), tokenFor(t, dir, "u2", "admin")
	post := at(t, p.write(t, author, `mutation { x: createPost(input: {title: "t", body: "b"}) { post { id } userErrors { code } } }`), "x", "post", "id").(string)
	comment := at(t, p.write(t, admin, `mutation { x: addComment(input: {postId: "`+post+`", body: "on a draft"}) { comment { id } userErrors { code } } }`), "x", "comment", "id").(string)
	draft := moment()
	p.write(t, author, `mutation { publishPost(input: {id: "`+post+`"}) { userErrors { code } } }`)
	published := moment()
	p.write(t, admin, `mutation { updateComment(input: {id: "`+comment+`", body: "in public"}) { userErrors { code } } }`)
	changed := moment()

	query := `{ comment(id: "` + comment + `") { draft: asOf(at: "` + draft + `") { body } published: asOf(at: "` + published + `") { body } changed: asOf(at: "` + changed + `") { body }
	  history(first: 1) { nodes { type } pageInfo { hasNextPage endCursor } } older: history(first: 1, after: "e2") { nodes { type } pageInfo { hasNextPage } } } }`
	const none, nothing, public, all = "none", "[] [] [] [] []", "[] [on a draft] [in public] [comment.updated] []", "[on a draft] [on a draft] [in public] [comment.updated] [comment.created]"
	shows := func(token string) string { return pastOf(t, p, token, query) }
	p.until(t, all, func() string { return shows(author) })
	status := func() string {
		r := p.send(t, `{ post(id: "`+post+`") { status } }`, "Authorization", "Bearer "+author)
		return fmt.Sprint(at(t, r.Data, "post", "status"))
	}
	table := func(name string, want map[string]string) {
		t.Helper()
		for role, token := range map[string]string{"anonymous": "", "stranger": tokenFor(t, dir, "u3", ""), "author of the post": author,
			"author": tokenFor(t, dir, "u2", ""), "admin": tokenFor(t, dir, "u4", "admin")} {
			if got := shows(token); got != want[role] {
				t.Errorf("%s, %s sees %s, want %s", name, role, got, want[role])
			}
		}
	}
	table("published", map[string]string{"anonymous": public, "stranger": public, "author of the post": all, "author": all, "admin": all})
	bulk(t, p, "hide")
	p.until(t, "HIDDEN", status)
	table("hidden", map[string]string{"anonymous": none, "stranger": none, "author of the post": all, "author": all, "admin": all})
	bulk(t, p, "restore")
	p.until(t, "PUBLISHED", status)
	table("published again", map[string]string{"anonymous": public, "stranger": public, "author of the post": all, "author": all, "admin": all})
	p.write(t, admin, `mutation { deleteComment(input: {id: "`+comment+`"}) { userErrors { code } } }`)
	p.until(t, "[on a draft] [on a draft] [in public] [comment.deleted] [comment.created]", func() string { return shows(tokenFor(t, dir, "u4", "admin")) })
	table("deleted", map[string]string{"anonymous": nothing, "stranger": nothing, "author of the post": nothing, "author": nothing,
		"admin": "[on a draft] [on a draft] [in public] [comment.deleted] [comment.created]"})
}

// TestTheAuditLogTellsWhatChanged reads the entries of what a user and an admin did.
func TestTheAuditLogTellsWhatChanged(t *testing.T) {
	p, dir := serveSmallDemo(t)
	user, admin := tokenFor(t, dir, "u1", ""), tokenFor(t, dir, "u2", "admin")
	post := at(t, p.write(t, user, publish("first")), "x", "post", "id").(string)
	p.write(t, user, `mutation { updatePost(input: {id: "`+post+`", title: "second"}) { userErrors { code } } }`)
	p.write(t, user, `mutation { addComment(input: {postId: "`+post+`", body: "said"}) { userErrors { code } } }`)
	p.write(t, user, `mutation { updateUser(input: {id: "user_u1", email: "new@example.org"}) { userErrors { code } } }`)
	p.write(t, user, `mutation { createUser(input: {handle: "somebody_else", name: "n", email: "else@example.org"}) { userErrors { code } } }`)
	p.write(t, admin, `mutation { updatePost(input: {id: "`+post+`", title: "third"}) { userErrors { code } } }`)
	changes := func(token, filter, field string) string {
		r := p.send(t, `{ auditLog(first: 20, filter: {`+filter+`}) { nodes { changes { field before after } } } }`, "Authorization", "Bearer "+token)
		var list []string
		for _, node := range at(t, r.Data, "auditLog", "nodes").([]any) {
			for _, change := range at(t, node, "changes").([]any) {
				if at(t, change, "field") == field {
					list = append(list, fmt.Sprint(at(t, change, "before"), " > ", at(t, change, "after")))
				}
			}
		}
		return strings.Join(list, ", ")
	}
	ofPost := `entityId: "` + post + `"`
	p.until(t, "<nil> > third, <nil> > second, <nil> > first", func() string { return changes(admin, ofPost, "title") })
	for _, c := range []struct{ name, token, filter, field, want string }{
		{"one's own", user, ofPost, "title", "<nil> > second, <nil> > first"},
		{"one's own email", user, `types: ["user.updated"]`, "email", "<nil> > new@example.org"},
		{"to an admin", admin, `types: ["user.updated"]`, "email", "<nil> > new@example.org"},
		{"another's email", user, `types: ["user.created"]`, "email", ""},
		{"that there is another", user, `types: ["user.created"]`, "handle", "<nil> > somebody_else"},
		{"to an admin", admin, `types: ["user.created"]`, "email", "<nil> > else@example.org"},
		{"what a comment said", user, `types: ["comment.created"]`, "body", ""},
		{"that there was one", user, `types: ["comment.created"]`, "status", "<nil> > published"},
		{"to an admin", admin, `types: ["comment.created"]`, "body", "<nil> > said"},
	} {
		t.Run(c.name, func(t *testing.T) { p.until(t, c.want, func() string { return changes(c.token, c.filter, c.field) }) })
	}
}

// pastOf writes what the query of a comment's past shows: bodies, and types of entries; none if there is no such comment.
func pastOf(t *testing.T, p *program, token, query string) string {
	t.Helper()
	var header []string
	if token != "" {
		header = []string{"Authorization", "Bearer " + token}
	}
	r := p.send(t, query, header...)
	if len(r.Errors) > 0 {
		return r.raw
	}
	if r.Data["comment"] == nil {
		return "none"
	}
	var shown []string
	for _, name := range []string{"draft", "published", "changed"} {
		text := ""
		if was := at(t, r.Data, "comment", name); was != nil {
			text = at(t, was, "body").(string)
		}
		shown = append(shown, "["+text+"]")
	}
	for _, name := range []string{"history", "older"} {
		text := ""
		for _, node := range at(t, r.Data, "comment", name, "nodes").([]any) {
			text += at(t, node, "type").(string)
		}
		shown = append(shown, "["+text+"]")
	}
	if at(t, r.Data, "comment", "history", "pageInfo", "hasNextPage") == true && at(t, r.Data, "comment", "history", "pageInfo", "endCursor") == nil {
		t.Errorf("nobody can go on behind %s", r.raw)
	}
	return strings.Join(shown, " ")
}

// moment is a time between what was done before and what is done after it.
func moment() string {
	time.Sleep(2 * time.Millisecond) // the services' clocks have milliseconds
	defer time.Sleep(2 * time.Millisecond)
	return time.Now().UTC().Format(time.RFC3339Nano)
}

// until waits for what is asked to be as wanted.
func (p *program) until(t *testing.T, want string, ask func() string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := ask()
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

// bulk has the post service do something to all posts of user 1 that no mutation of the graph does.
func bulk(t *testing.T, p *program, what string) {
	t.Helper()
	service := regexp.MustCompile(` post (http://\S+)`).FindStringSubmatch(p.stdout.String())[1]
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, service+"/posts/by-author/u1/"+what, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", what)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatal(response.Status)
	}
}
