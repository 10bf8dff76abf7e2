package main

import (
	"fmt"
	"testing"
)

// change writes another text into the comment, as an admin.
func (k *talk) change(t *testing.T, body string) {
	t.Helper()
	k.p.write(t, k.adminAs2, `mutation { updateComment(input: {id: "`+k.said+`", body: "`+body+`"}) { userErrors { code } } }`)
}

// TestOfACommentOnlyThoseHearWhoMayReadIt changes a comment while its post is a draft, published, hidden and published again, and has
// everybody listen: at once, and behind a cursor from before all that.
func TestOfACommentOnlyThoseHearWhoMayReadIt(t *testing.T) {
	k := startTalk(t)
	before := k.p.subscribe(t, k.owner, `subscription { entityChanged(ids: ["`+k.post+`"]) { cursor } }`)
	listen := func(token, after string) *stream {
		if after != "" {
			after = `, after: "` + after + `"`
		}
		return k.p.subscribe(t, token, `subscription { entityChanged(ids: ["`+k.said+`"]`+after+`) { version entity { ... on Comment { body } } } }`)
	}
	added := k.p.subscribe(t, "", `subscription { commentAdded(postId: "`+k.post+`") { comment { body } } }`)
	stranger, author, owner := listen(k.stranger, ""), listen(k.author, ""), listen(k.owner, "")
	k.p.write(t, k.owner, `mutation { updatePost(input: {id: "`+k.post+`", title: "u"}) { userErrors { code } } }`)
	_, start := before.next(t)

	status := func() string {
		return fmt.Sprint(find(k.p.post(t, k.owner, `{ post(id: "`+k.post+`") { status } }`, nil).Data, []any{"post", "status"}))
	}
	hears := func(s *stream, want string) {
		t.Helper()
		for { // the making of the comment may come before or behind the subscription
			a, _ := s.next(t)
			heard, _ := find(a.Data, []any{"entityChanged", "entity", "body"}).(string)
			if heard == want {
				return
			}
			if heard != "said" || len(a.Errors) > 0 {
				t.Fatalf("%+v, want %s", a, want)
			}
		}
	}
	// told reads comments that anybody is told of, up to one. Rights are those of the moment in which a payload is made: who lags may
	// still hear of one that was made while the post was not to be seen, once it is.
	told := func(want, unseen string) {
		t.Helper()
		for body := ""; body != want; {
			a, _ := added.next(t)
			if body, _ = find(a.Data, []any{"commentAdded", "comment", "body"}).(string); body != want && body != unseen {
				t.Fatalf("of new comments anybody hears %v, want %s", a.Data, want)
			}
		}
	}
	add := func(body string) {
		k.p.write(t, k.adminAs3, `mutation { addComment(input: {postId: "`+k.post+`", body: "`+body+`"}) { userErrors { code } } }`)
	}
	k.change(t, "draft")
	add("draft")
	hears(author, "draft")
	hears(owner, "draft")
	k.p.write(t, k.owner, `mutation { publishPost(input: {id: "`+k.post+`"}) { userErrors { code } } }`)
	k.change(t, "public")
	add("public")
	for _, s := range []*stream{stranger, author, owner} {
		hears(s, "public")
	}
	told("public", "draft")
	bulk(t, k.p, "hide")
	k.p.until(t, "HIDDEN", status)
	k.change(t, "hidden")
	add("hidden")
	hears(author, "hidden")
	hears(owner, "hidden")
	bulk(t, k.p, "restore")
	k.p.until(t, "PUBLISHED", status)
	k.change(t, "again")
	add("again")
	for _, s := range []*stream{stranger, author, owner} {
		hears(s, "again")
	}
	told("again", "hidden")
	k.caughtUp(t, start, listen)
}

// caughtUp has a stranger and the author go on behind a cursor from before all changes: the stranger hears of those that were made in
// public, the author of all.
func (k *talk) caughtUp(t *testing.T, start string, listen func(token, after string) *stream) {
	t.Helper()
	k.change(t, "last")
	for name, c := range map[string]struct{ token, want string }{"a stranger": {k.stranger, "[3 5 6]"}, "its author": {k.author, "[2 3 4 5 6]"}} {
		s := listen(c.token, start)
		var versions []int
		for len(versions) == 0 || versions[len(versions)-1] < 6 {
			a, _ := s.next(t)
			if version := int(at(t, a.Data, "entityChanged", "version").(float64)); version > 1 { // its making may lie behind the cursor
				versions = append(versions, version)
			}
		}
		if got := fmt.Sprint(versions); got != c.want {
			t.Errorf("%s hears of the versions %s, want %s", name, got, c.want)
		}
	}
}
