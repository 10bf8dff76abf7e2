package demo

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// bulkCall is a bulk write of a user, with the heir of a transfer.
type bulkCall struct{ owner, verb, heir string }

// TestBulkWritesUndoExactly lets several users' bulk writes follow each other and undoes them, the latest first: whatever
// happened in between is as if it had not.
func TestBulkWritesUndoExactly(t *testing.T) {
	l := start(t)
	for service, takes := range map[string]string{"post": "hide", "comment": "anonymise", "follower": "remove"} {
		t.Run(service, func(t *testing.T) {
			run := 0
			rapid.Check(t, func(r *rapid.T) {
				run++
				w := undoWorld{lab: l, service: service}
				for _, name := range []string{"a", "b", "c", "d"} {
					w.users = append(w.users, fmt.Sprintf("%s%d-%s", service, run, name))
				}
				w.fill(r)
				calls := w.drawCalls(r, takes)
				before := []string{w.state()}
				for _, call := range calls {
					w.send(call)
					before = append(before, w.state())
				}
				for i := len(calls) - 1; i >= 0; i-- {
					if i > 0 && calls[i-1].owner == calls[i].owner {
						continue // undone with it
					}
					w.send(bulkCall{owner: calls[i].owner, verb: "restore"})
					if got := w.state(); got != before[i] {
						r.Fatalf("after %+v, undone down to %d:\n got %s\nwant %s", calls, i, got, before[i])
					}
				}
			})
		})
	}
	checkTotals(l)
}

// undoWorld is what a few users have in one service.
type undoWorld struct {
	*lab
	service string
	users   []string
}

// fill gives the users some of everything, of which some is deleted again.
func (w *undoWorld) fill(r *rapid.T) {
	some := rapid.SliceOfN(rapid.IntRange(0, 99), 0, 8).Draw(r, "things")
	for i, n := range some {
		owner, other, gone := w.users[n%4], w.users[n/4%4], n%5 == 0
		path := ""
		switch w.service {
		case "post":
			path = "/posts/" + w.newPost(owner, []string{postDraft, postPublished}[i%2]).ID
		case "comment":
			parent := ""
			c := w.newComment(w.users[0], parent, owner)
			w.newComment(w.users[0], c.ID, other)
			path = "/comments/" + c.ID
		case "follower":
			if owner == other {
				continue
			}
			w.putEdge(owner, other)
			path = "/edges/" + owner + "/" + other
		}
		if gone {
			w.do("DELETE", w.service, path, "").want(204)
		}
	}
}

// drawCalls draws bulk writes: up to two in a row of each user, no user twice.
func (w *undoWorld) drawCalls(r *rapid.T, takes string) (calls []bulkCall) {
	for _, owner := range rapid.Permutation(w.users).Draw(r, "owners") {
		for range rapid.IntRange(0, 2).Draw(r, "calls") {
			call := bulkCall{owner: owner, verb: takes}
			if heir := rapid.SampledFrom(w.users).Draw(r, "heir"); heir != owner {
				call.verb, call.heir = "transfer", heir
			}
			calls = append(calls, call)
		}
	}
	return calls
}

func (w *undoWorld) send(call bulkCall) {
	w.Helper()
	path, body := "/"+w.service+"s/by-author/", ""
	if w.service == "follower" {
		path = "/users/"
	}
	if call.heir != "" {
		body = fmt.Sprintf(`{"to":%q}`, call.heir)
	}
	w.post(w.service, path+call.owner+"/"+call.verb, body).want(200)
	if again := w.post(w.service, path+call.owner+"/"+call.verb, body); string(again.raw) != `{"affected":0}` {
		w.Errorf("a second %+v: %s", call, again.raw)
	}
}

// state is all that stands of the users, without versions and the times of updates.
func (w *undoWorld) state() string {
	w.Helper()
	query := map[string]string{
		"post": "SELECT id, author_id, status, deleted, json_extract(doc, '$.publishedAt') FROM posts WHERE author_id IN (?, ?, ?, ?)",
		"comment": `SELECT id, author_id, status, listed, replies, json_extract(doc, '$.body'), json_extract(doc, '$.authorId')
			FROM comments WHERE post_id IN (?, ?, ?, ?)`,
		"follower": "SELECT id, followed_at, json_extract(doc, '$.followedAt') FROM edges WHERE live = 1 AND follower_id IN (?, ?, ?, ?)",
	}[w.service]
	rows := w.rows(w.service, query, w.users[0], w.users[1], w.users[2], w.users[3])
	slices.Sort(rows)
	return fmt.Sprintf("%q", rows)
}
