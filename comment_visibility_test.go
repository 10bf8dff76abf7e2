package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// talk is a post of user 1 with a comment of user 2 and an answer to it of user 3, made while the post is a draft.
type talk struct {
	p                  *program
	post, said, answer string

	stranger, owner, author, answering, admin string // tokens
	adminAs2, adminAs3                        string
}

// roles are who reads a talk.
func (k *talk) roles() map[string]string {
	return map[string]string{"anonymous": "", "stranger": k.stranger, "author": k.author, "answering": k.answering, "owner": k.owner, "admin": k.admin}
}

func startTalk(t *testing.T, args ...string) *talk {
	t.Helper()
	p, dir := serveSmallDemo(t, append(args, "--limit-ip-points", "1000000", "--limit-user-points", "1000000")...)
	k := &talk{p: p, stranger: tokenFor(t, dir, "u4", ""), owner: tokenFor(t, dir, "u1", ""), author: tokenFor(t, dir, "u2", ""), answering: tokenFor(t, dir, "u3", ""),
		admin: tokenFor(t, dir, "u5", "admin"), adminAs2: tokenFor(t, dir, "u2", "admin"), adminAs3: tokenFor(t, dir, "u3", "admin")}
	k.post = at(t, p.write(t, k.owner, `mutation { x: createPost(input: {title: "t", body: "b"}) { post { id } userErrors { code } } }`), "x", "post", "id").(string)
	k.said = at(t, p.write(t, k.adminAs2, `mutation { x: addComment(input: {postId: "`+k.post+`", body: "said"}) { comment { id } userErrors { code } } }`), "x", "comment", "id").(string)
	k.answer = at(t, p.write(t, k.adminAs3, `mutation { x: addComment(input: {postId: "`+k.post+`", parentId: "`+k.said+`", body: "answer"}) { comment { id } userErrors { code } } }`), "x", "comment", "id").(string)
	return k
}

// entrances are the ways to a comment, by alias; each shows bodies alone.
func (k *talk) entrances() string {
	const shows = ` { ... on Comment { body } } `
	const list = `(first: 10) { nodes` + shows + `edges { node` + shows + `} }`
	return strings.NewReplacer("SAID", k.said, "ANSWER", k.answer, "POST", k.post).Replace(`{
	  comment: comment(id: "SAID")` + shows + ` node: node(id: "SAID")` + shows + ` nodes: nodes(ids: ["SAID", "user_u1", "SAID"])` + shows + `
	  comments: user(id: "user_u2") { comments` + list + ` } activity: user(id: "user_u2") { activity` + list + ` }
	  parent: comment(id: "ANSWER") { body parent` + shows + `} replies: comment(id: "SAID") { replies` + list + `}
	  post: post(id: "POST") { comments(first: 10, topLevel: true) { nodes { body replies` + list + ` } } } }`)
}

// shown writes through which entrances a comment is shown: in their order, with how often.
func (k *talk) shown(t *testing.T, token string) string {
	t.Helper()
	var header []string
	if token != "" {
		header = []string{"Authorization", "Bearer " + token}
	}
	r := k.p.send(t, k.entrances(), header...)
	if len(r.Errors) > 0 {
		t.Fatal(r.raw)
	}
	var ways []string
	for name, value := range r.Data {
		text := fmt.Sprint(value)
		if n := strings.Count(text, "body:said") + strings.Count(text, "body:answer"); n > 0 {
			ways = append(ways, fmt.Sprint(name, n))
		}
	}
	slices.Sort(ways)
	return strings.Join(ways, " ")
}

func (k *talk) table(t *testing.T, name string, want map[string]string) {
	t.Helper()
	for role, token := range k.roles() {
		for range 2 { // what the first has put into the cache is not for the second, nor for the next role
			if got := k.shown(t, token); got != want[role] {
				t.Errorf("%s: %s gets %q, want %q", name, role, got, want[role])
			}
		}
	}
}

// TestACommentIsReadByThoseWhoReadItsPost goes through every entrance to a comment, in every role, with its post a draft, published,
// hidden, published again and deleted.
func TestACommentIsReadByThoseWhoReadItsPost(t *testing.T) {
	for name, args := range map[string][]string{"cached": nil, "uncached": {"--no-cache-enabled", "--no-coalesce"}} {
		t.Run(name, func(t *testing.T) {
			k := startTalk(t, args...)
			const (
				all       = "activity2 comment1 comments2 node1 nodes2 parent2 post3 replies2"
				ones      = "activity2 comment1 comments2 node1 nodes2" // their own, without the answer of somebody else
				nothing   = ""
				answer    = "parent1" // what was answered is not theirs
				postless  = "activity2 comment1 comments2 node1 nodes2 parent2 replies2"
				published = "PUBLISHED"
			)
			status := func() string {
				return fmt.Sprint(find(k.p.post(t, k.owner, `{ post(id: "`+k.post+`") { status } }`, nil).Data, []any{"post", "status"}))
			}
			unpublished := map[string]string{"anonymous": nothing, "stranger": nothing, "author": ones, "answering": answer, "owner": all, "admin": all}
			public := map[string]string{"anonymous": all, "stranger": all, "author": all, "answering": all, "owner": all, "admin": all}
			k.table(t, "draft", unpublished)
			k.p.write(t, k.owner, `mutation { publishPost(input: {id: "`+k.post+`"}) { userErrors { code } } }`)
			k.table(t, "published", public)
			bulk(t, k.p, "hide")
			k.p.until(t, "HIDDEN", status)
			k.table(t, "hidden", unpublished)
			bulk(t, k.p, "restore")
			k.p.until(t, published, status)
			k.table(t, "published again", public)
			k.p.write(t, k.owner, `mutation { deletePost(input: {id: "`+k.post+`"}) { userErrors { code } } }`)
			k.table(t, "deleted", map[string]string{"anonymous": nothing, "stranger": nothing, "author": ones, "answering": answer, "owner": nothing, "admin": postless})
		})
	}
}
