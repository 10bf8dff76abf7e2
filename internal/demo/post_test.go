package demo

import (
	"fmt"
	"strings"
	"testing"
)

// board reads an author's posts as id status pairs, for either visibility, and checks that all totals agree.
func (l *lab) board(author, visibility string) map[string]string {
	l.Helper()
	query := "?authorIds=" + author + "&visibility=" + visibility
	p := as[groups[post]](l.get("post", "/posts/by-author"+query)).Groups[author]
	merged := as[page[post]](l.get("post", "/posts"+query))
	counts := as[struct{ Counts map[string]int }](l.get("post", "/posts/counts"+query)).Counts[author]
	if p.Total != len(p.Items) || merged.Total != p.Total || counts != p.Total || len(merged.Items) != p.Total {
		l.Errorf("totals of %s: %d items, %d, merged %d, counted %d", author, len(p.Items), p.Total, merged.Total, counts)
	}
	board := map[string]string{}
	for _, v := range p.Items {
		board[v.ID] = v.Status
		equal(l, "author", v.AuthorID, author)
	}
	return board
}

func TestPostVisibility(t *testing.T) {
	l := start(t)
	draft, public, gone := l.newPost("a", "draft"), l.newPost("a", "published"), l.newPost("a", "published")
	l.do("DELETE", "post", "/posts/"+gone.ID, "").want(204)
	equal(t, "public", l.board("a", "public"), map[string]string{public.ID: "published"})
	equal(t, "author", l.board("a", "author"), map[string]string{public.ID: "published", draft.ID: "draft"})
	all := "/posts?ids=" + in(draft.ID, public.ID, gone.ID)
	equal(t, "batch", len(as[page[post]](l.get("post", all)).Items), 1)
	equal(t, "batch of the author", len(as[page[post]](l.get("post", all+"&visibility=author")).Items), 2)
	equal(t, "whole list", as[page[post]](l.get("post", "/posts")).Total, 1)
	equal(t, "whole list of authors", as[page[post]](l.get("post", "/posts?visibility=author")).Total, 2)
}

func TestPostWrites(t *testing.T) {
	l := start(t)
	d := as[post](l.post("post", "/posts", `{"authorId":"a","title":"T","body":"B"}`).want(201))
	equal(t, "draft", fmt.Sprint(d.Status, d.PublishedAt), "draft<nil>")
	path := "/posts/" + d.ID
	r := l.do("PATCH", "post", path, `{"status":"published","title":"<&>"}`, "If-Match", `"1"`, "X-Actor", "a").want(200)
	p := as[post](r)
	equal(t, "published", fmt.Sprint(p.Status, *p.PublishedAt == p.UpdatedAt, p.Version, p.Title), "publishedtrue 2<&>")
	for body, field := range map[string]string{
		`{"status":"draft"}`: "status INVALID", `{"status":"hidden"}`: "status INVALID", `{"authorId":"b"}`: "authorId INVALID",
		`{"title":""}`: "title REQUIRED", `{"body":null}`: "body REQUIRED",
	} {
		l.do("PATCH", "post", path, body, "If-Match", `"2"`).refused(422, "INVALID", field)
	}
	l.do("PATCH", "post", path, `{"status":"published"}`, "If-Match", `"2"`).want(200) // as it is
	l.do("DELETE", "post", path, "", "If-Match", `"2"`).want(204)
	l.do("PATCH", "post", path, `{}`, "If-Match", `"3"`).refused(404, "NOT_FOUND")
	back := as[post](l.post("post", path+"/restore", "").want(200))
	equal(t, "restored", fmt.Sprint(back.Version, back.Status, back.Title), "4published<&>")
	l.post("post", path+"/restore", "").refused(409, "CONFLICT")
	l.post("post", "/posts/nothing/restore", "").refused(404, "NOT_FOUND")
	events := l.rows("post", "SELECT type, version, coalesce(actor, '-'), json_extract(data, '$.authorId'), json_extract(data, '$.title') FROM outbox")
	equal(t, "events", events, []string{
		"post.created 1 - a T", "post.published 2 a a <&>", "post.deleted 3 - a <nil>", "post.restored 4 - a <&>",
	})
	for body, fields := range map[string][]string{
		`{}`: {"authorId REQUIRED", "title REQUIRED", "body REQUIRED"},
		`{"authorId":"a b","title":"T","body":"B","status":"hidden"}`:                                              {"authorId INVALID", "status INVALID"},
		`{"authorId":"a","title":"` + strings.Repeat("é", 201) + `","body":"` + strings.Repeat("é", 20_001) + `"}`: {"title TOO_LONG", "body TOO_LONG"},
	} {
		l.post("post", "/posts", body).refused(422, "INVALID", fields...)
	}
	l.post("post", "/posts", `{"authorId":"a","title":"`+strings.Repeat("é", 200)+`","body":"`+strings.Repeat("é", 20_000)+`"}`).want(201)
}

func TestPostBulk(t *testing.T) {
	l := start(t)
	draft, public, gone := l.newPost("a", "draft"), l.newPost("a", "published"), l.newPost("a", "published")
	other := l.newPost("b", "published")
	l.do("DELETE", "post", "/posts/"+gone.ID, "").want(204)
	before := l.board("a", "author")
	bulk := func(author, verb, body string, n int64) {
		t.Helper()
		l.post("post", "/posts/by-author/"+author+"/"+verb, body).affected(n)
	}
	bulk("a", "restore", "", 0)
	bulk("a", "hide", "", 2)
	bulk("a", "hide", "", 0)
	equal(t, "hidden", l.board("a", "author"), map[string]string{draft.ID: "hidden", public.ID: "hidden"})
	equal(t, "hidden from the public", len(l.board("a", "public")), 0)
	bulk("a", "transfer", `{"to":"c"}`, 2)
	bulk("a", "transfer", `{"to":"c"}`, 0)
	equal(t, "transferred", l.board("c", "author"), map[string]string{draft.ID: "hidden", public.ID: "hidden"})
	bulk("c", "transfer", `{"to":"d"}`, 2)
	bulk("a", "restore", "", 0) // what c gave away has to be undone first
	bulk("c", "restore", "", 2)
	bulk("a", "restore", "", 2)
	bulk("a", "restore", "", 0)
	equal(t, "undone", l.board("a", "author"), before)
	equal(t, "others", l.board("b", "public"), map[string]string{other.ID: "published"})
	equal(t, "events", l.rows("post", "SELECT type || version FROM outbox WHERE subject = ?", "post/"+draft.ID),
		[]string{"post.created1", "post.hidden2", "post.updated3", "post.updated4", "post.restored5", "post.restored6"})
	equal(t, "moves", l.rows("post", "SELECT json_extract(data, '$.authorId'), json_extract(data, '$.previousAuthorId') FROM outbox WHERE subject = ? AND version BETWEEN 3 AND 6", "post/"+draft.ID),
		[]string{"c a", "d c", "c d", "a c"})
	l.post("post", "/posts/by-author/a/transfer", `{"to":"a"}`).refused(422, "INVALID", "to INVALID")
	l.post("post", "/posts/by-author/a/transfer", `{}`).refused(422, "INVALID", "to REQUIRED")
}

func TestPostPurge(t *testing.T) {
	l := start(t)
	hidden, gone, given := l.newPost("a", "published"), l.newPost("a", "draft"), l.newPost("b", "published")
	l.do("DELETE", "post", "/posts/"+gone.ID, "").want(204)
	l.post("post", "/posts/by-author/a/hide", "").affected(1)
	l.post("post", "/posts/by-author/b/transfer", `{"to":"c"}`).affected(1)
	l.post("post", "/posts/by-author/a/purge", "").affected(2)
	l.post("post", "/posts/by-author/a/purge", "").affected(0)
	l.post("post", "/posts/by-author/a/restore", "").affected(0)
	l.post("post", "/posts/"+gone.ID+"/restore", "").refused(404, "NOT_FOUND")
	l.post("post", "/posts/by-author/b/purge", "").affected(1) // it cannot be undone any more
	l.post("post", "/posts/by-author/b/restore", "").affected(0)
	equal(t, "what was given away stays", l.board("c", "public"), map[string]string{given.ID: "published"})
	equal(t, "undo data", l.rows("post", "SELECT count(*) FROM post_undo"), []string{"0"})
	equal(t, "totals", l.rows("post", "SELECT * FROM post_totals"), []string{" 1 1", "c 1 1"})
	equal(t, "events", l.events("post", "post/"+hidden.ID), []string{
		"post.created 1 {}", "post.hidden 2 {}", fmt.Sprintf(`post.deleted 3 {"authorId":"a","id":"%s"}`, hidden.ID),
	})
	equal(t, "a deleted one is not deleted again", l.rows("post", "SELECT max(version) FROM outbox WHERE subject = ?", "post/"+gone.ID), []string{"2"})
}

// TestPostRestoreAfterDelete: a hidden post that was deleted in between can be undone once it is back.
func TestPostRestoreAfterDelete(t *testing.T) {
	l := start(t)
	p := l.newPost("a", "published")
	l.post("post", "/posts/by-author/a/hide", "").affected(1)
	l.do("DELETE", "post", "/posts/"+p.ID, "").want(204)
	l.post("post", "/posts/by-author/a/restore", "").affected(0)
	equal(t, "back", as[post](l.post("post", "/posts/"+p.ID+"/restore", "").want(200)).Status, "hidden")
	l.post("post", "/posts/by-author/a/restore", "").affected(1)
	equal(t, "shown", l.board("a", "public"), map[string]string{p.ID: "published"})
}

// TestBulkIsLarge runs bulk writes over more posts than they hold in memory at a time.
func TestBulkIsLarge(t *testing.T) {
	l := start(t)
	n := 2*bulkStep + 3
	tx, done, err := l.demo.find("post").api.store.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := loader{tx: tx, into: "posts (id, author_id, status, created_at, version, doc)"}
	for i := range n {
		p := post{ID: fmt.Sprintf("p%d", i), AuthorID: "a", Status: postDraft, Version: 1}
		if err := rows.add(t.Context(), p.ID, p.AuthorID, p.Status, 0, 1, p.doc()); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	done()
	for _, step := range []string{"hide", "restore", "hide", "purge"} {
		l.post("post", "/posts/by-author/a/"+step, "").affected(int64(n))
		l.post("post", "/posts/by-author/a/"+step, "").affected(0)
	}
	equal(t, "events", l.rows("post", "SELECT count(*), max(version) FROM outbox"), []string{fmt.Sprint(4*n, " ", 5)})
}
