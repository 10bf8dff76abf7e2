package demo

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// thread reads the comments of post p as ids, all of them and the top ones, and checks totals and counts.
func (l *lab) thread(live int) (all, top []string) {
	l.Helper()
	read := func(query string) (ids []string) {
		p := as[groups[comment]](l.get("comment", "/comments/by-post?postIds=p"+query)).Groups["p"]
		equal(l, "total"+query, p.Total, len(p.Items))
		for _, c := range p.Items {
			ids = append(ids, c.ID)
		}
		slices.Sort(ids)
		return ids
	}
	counts := as[struct{ Counts map[string]int }](l.get("comment", "/comments/counts?postIds=p,q")).Counts
	equal(l, "counts", counts, map[string]int{"p": live, "q": 0})
	return read(""), read("&topLevel=true")
}

func ordered(comments ...comment) (ids []string) {
	for _, c := range comments {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

func (l *lab) deleteComment(c comment) {
	l.Helper()
	l.do(http.MethodDelete, "comment", "/comments/"+c.ID, "").want(204)
}

// TestTombstones deletes along a thread: what has replies stays in lists, without author and text, as long as it has.
func TestTombstones(t *testing.T) {
	l := start(t)
	root := l.newComment("p", "", "a")
	reply := l.newComment("p", root.ID, "b")
	leaf := l.newComment("p", reply.ID, "c")
	l.deleteComment(root)
	l.deleteComment(reply)
	all, top := l.thread(1)
	equal(t, "all", all, ordered(root, reply, leaf))
	equal(t, "top", top, ordered(root))
	replies := as[groups[comment]](l.get("comment", "/comments/replies?parentIds="+in(root.ID, leaf.ID, "x"))).Groups
	equal(t, "replies", fmt.Sprint(len(replies[root.ID].Items), replies[root.ID].Total, replies[leaf.ID].Total, len(replies)), "1 1 0 3")
	stone := as[page[comment]](l.get("comment", "/comments?ids="+root.ID)).Items[0]
	equal(t, "tombstone", fmt.Sprint(stone.Status, stone.AuthorID, stone.Body, stone.Version), "deleted<nil>2")
	equal(t, "of the author", as[groups[comment]](l.get("comment", "/comments/by-author?authorIds=a")).Groups["a"].Total, 0)
	l.deleteComment(leaf) // takes the whole thread out of lists
	all, top = l.thread(0)
	equal(t, "all", len(all)+len(top), 0)
	equal(t, "by id", len(as[page[comment]](l.get("comment", "/comments?ids="+in(root.ID, reply.ID, leaf.ID))).Items), 3)
	l.do("DELETE", "comment", "/comments/"+leaf.ID, "").refused(404, "NOT_FOUND")
	l.do("PATCH", "comment", "/comments/"+leaf.ID, `{"body":"x"}`, "If-Match", `"2"`).refused(404, "NOT_FOUND")
	back := as[comment](l.post("comment", "/comments/"+leaf.ID+"/restore", "").want(200))
	equal(t, "restored", fmt.Sprint(back.Status, *back.AuthorID, back.Body, back.Version, *back.ParentID == reply.ID), "publishedcB3 true")
	all, _ = l.thread(1)
	equal(t, "all are back", all, ordered(root, reply, leaf))
	l.post("comment", "/comments/"+leaf.ID+"/restore", "").refused(409, "CONFLICT")
	l.post("comment", "/comments/none/restore", "").refused(404, "NOT_FOUND")
	equal(t, "events", l.events("comment", "comment/"+leaf.ID)[1:], []string{
		fmt.Sprintf(`comment.deleted 2 {"authorId":"c","id":"%s","parentId":"%s","postId":"p"}`, leaf.ID, reply.ID),
		fmt.Sprintf(`comment.restored 3 {"authorId":"c","body":"B","createdAt":"%s","id":"%s","parentId":"%s","postId":"p","status":"published","updatedAt":"%s","version":3}`,
			leaf.CreatedAt, leaf.ID, reply.ID, back.UpdatedAt),
	})
}

func TestCommentWrites(t *testing.T) {
	l := start(t)
	root, gone := l.newComment("p", "", "a"), l.newComment("p", "", "a")
	l.deleteComment(gone)
	for body, fields := range map[string][]string{
		`{}`: {"postId REQUIRED", "authorId REQUIRED", "body REQUIRED"},
		`{"postId":"p","authorId":"a","body":"B","parentId":"none"}`:               {"parentId INVALID"},
		`{"postId":"p","authorId":"a","body":"B","parentId":"` + gone.ID + `"}`:    {"parentId INVALID"},
		`{"postId":"q","authorId":"a","body":"B","parentId":"` + root.ID + `"}`:    {"parentId INVALID"},
		`{"postId":"p","authorId":"a","body":"B","parentId":"a b"}`:                {"parentId INVALID"},
		`{"postId":"p","authorId":"a","body":"` + strings.Repeat("é", 5001) + `"}`: {"body TOO_LONG"},
		`{"postId":"p","authorId":null,"body":""}`:                                 {"authorId REQUIRED", "body REQUIRED"},
	} {
		l.post("comment", "/comments", body).refused(422, "INVALID", fields...)
	}
	l.post("comment", "/comments", `{"postId":"p","authorId":"a","parentId":null,"body":"`+strings.Repeat("é", 5000)+`"}`).want(201)
	r := l.do("PATCH", "comment", "/comments/"+root.ID, `{"body":"new"}`, "If-Match", `"1"`).want(200)
	equal(t, "patched", fmt.Sprint(as[comment](r).Body, as[comment](r).Version), "new2")
	l.do("PATCH", "comment", "/comments/"+root.ID, `{"body":"new"}`, "If-Match", `"1"`).refused(412, "VERSION_MISMATCH")
	l.do("PATCH", "comment", "/comments/"+root.ID, `{"authorId":"x"}`, "If-Match", `"2"`).refused(422, "INVALID", "authorId INVALID")
	l.do("DELETE", "comment", "/comments/"+root.ID, "", "If-Match", `"1"`).refused(412, "VERSION_MISMATCH")
}

func TestCommentBulk(t *testing.T) {
	l := start(t)
	first, second, gone, other := l.newComment("p", "", "a"), l.newComment("q", "", "a"), l.newComment("p", "", "a"), l.newComment("p", "", "b")
	l.deleteComment(gone)
	bulk := func(author, verb, body string, n int64) {
		t.Helper()
		l.post("comment", "/comments/by-author/"+author+"/"+verb, body).affected(n)
	}
	authors := func(want string) {
		t.Helper()
		counts := as[struct{ Counts map[string]int }](l.get("comment", "/comments/counts?authorIds=a,b,c")).Counts
		lists := as[groups[comment]](l.get("comment", "/comments/by-author?authorIds=a,b,c")).Groups
		equal(t, "by author", fmt.Sprint(counts["a"], counts["b"], counts["c"]), want)
		equal(t, "lists", fmt.Sprint(lists["a"].Total, len(lists["b"].Items), lists["c"].Total), want)
	}
	bulk("a", "restore", "", 0)
	bulk("a", "anonymise", "", 2)
	bulk("a", "anonymise", "", 0)
	authors("0 1 0")
	anonymous := as[page[comment]](l.get("comment", "/comments?ids="+first.ID)).Items[0]
	equal(t, "anonymised", fmt.Sprint(anonymous.AuthorID, anonymous.Body, anonymous.Status), "<nil>Bpublished")
	bulk("a", "restore", "", 2)
	bulk("a", "restore", "", 0)
	authors("2 1 0")
	bulk("a", "transfer", `{"to":"c"}`, 2)
	authors("0 1 2")
	bulk("c", "anonymise", "", 2)
	bulk("a", "restore", "", 0) // what c did has to be undone first
	bulk("c", "restore", "", 2)
	l.deleteComment(second)
	bulk("a", "restore", "", 1) // not what is deleted
	equal(t, "as it was given", *as[comment](l.post("comment", "/comments/"+second.ID+"/restore", "").want(200)).AuthorID, "c")
	bulk("a", "restore", "", 1)
	authors("2 1 0")
	equal(t, "events", l.rows("comment", "SELECT type || version, json_extract(data, '$.previousAuthorId') FROM outbox WHERE subject = ?", "comment/"+first.ID),
		[]string{"comment.created1 <nil>", "comment.updated2 a", "comment.restored3 <nil>", "comment.updated4 a", "comment.updated5 c", "comment.restored6 <nil>", "comment.restored7 c"})
	equal(t, "other", as[page[comment]](l.get("comment", "/comments?ids="+other.ID)).Items[0].Version, 1)
	l.post("comment", "/comments/by-author/a/transfer", `{"to":"a"}`).refused(422, "INVALID", "to INVALID")
}

func TestCommentPurge(t *testing.T) {
	l := start(t)
	anonymous := l.newComment("p", "", "a")
	l.post("comment", "/comments/by-author/a/anonymise", "").affected(1)
	named, gone := l.newComment("p", "", "a"), l.newComment("p", "", "a")
	l.deleteComment(gone)
	l.deleteComment(anonymous)
	l.post("comment", "/comments/by-author/a/purge", "").affected(3)
	l.post("comment", "/comments/by-author/a/purge", "").affected(0)
	l.post("comment", "/comments/by-author/a/restore", "").affected(0)
	for _, c := range []comment{gone, anonymous} {
		l.post("comment", "/comments/"+c.ID+"/restore", "").refused(409, "CONFLICT")
	}
	kept := as[page[comment]](l.get("comment", "/comments?ids="+named.ID)).Items[0]
	equal(t, "kept without a name", fmt.Sprint(kept.AuthorID, kept.Body, kept.Version), "<nil>B2")
	equal(t, "undo data", l.rows("comment", "SELECT count(*) FROM comment_undo"), []string{"0"})
	equal(t, "totals", l.rows("comment", "SELECT count(*) FROM comment_author_totals"), []string{"0"})
}
