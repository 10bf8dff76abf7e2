package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// TestOutboxIsTransactional breaks a write after its event was written: neither change nor event stays.
func TestOutboxIsTransactional(t *testing.T) {
	l := start(t)
	broken := errors.New("broken")
	a := l.demo.find("user").api
	for i := range a.router.routes {
		if r := &a.router.routes[i]; r.pattern == "/users" && r.write != nil {
			whole := r.write
			r.write = func(ctx context.Context, w *writing) (answer, error) {
				if _, err := whole(ctx, w); err != nil {
					t.Error(err)
				}
				return answer{}, broken
			}
		}
	}
	state := func() []string {
		return l.rows("user", "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency), (SELECT active FROM user_totals)")
	}
	for _, key := range []string{"", "k"} {
		r, err := l.try("POST", "user", "/users", `{"handle":"anna","name":"N"}`, "Idempotency-Key", key)
		if err != nil {
			t.Fatal(err)
		}
		r.refused(500, "INTERNAL")
		equal(t, "state", state(), []string{"0 0 0 0"})
	}
}

// TestOutboxSequence: one row for each write that changed something, none for others, versions without gaps.
func TestOutboxSequence(t *testing.T) {
	l := start(t)
	p := l.newPost("a", "draft")
	path := "/posts/" + p.ID
	l.do("PATCH", "post", path, `{"title":""}`, "If-Match", `"1"`).want(422)
	l.do("PATCH", "post", path, `{"title":"X"}`, "If-Match", `"9"`).want(412)
	l.do("PATCH", "post", path, `{"title":"T"}`, "If-Match", `"1"`).want(200)
	l.post("post", path+"/restore", "").want(409)
	l.do("PATCH", "post", path, `{"title":"X"}`, "If-Match", `"1"`).want(200)
	l.post("post", "/posts/by-author/nobody/hide", "").want(200)
	l.do("DELETE", "post", path, "").want(204)
	l.do("DELETE", "post", path, "").want(404)
	equal(t, "rows", l.rows("post", "SELECT seq, type, version FROM outbox"), []string{"1 post.created 1", "2 post.updated 2", "3 post.deleted 3"})
	equal(t, "ids", l.rows("post", "SELECT count(DISTINCT id), min(length(id)) FROM outbox"), []string{"3 26"})
	equal(t, "times", l.rows("post", "SELECT count(*) FROM outbox WHERE time <= ?", int64(p.CreatedAt)), []string{"1"})
}

// TestOutboxFolds applies the patches of a subject one after the other: each time the result is the entity as read.
func TestOutboxFolds(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	path := "/users/" + u.ID
	state := map[string]any{}
	seq := 0
	check := func() {
		t.Helper()
		for _, row := range l.rows("user", "SELECT data FROM outbox WHERE seq > ? ORDER BY seq", seq) {
			var patch map[string]any
			if err := json.Unmarshal([]byte(row), &patch); err != nil {
				t.Fatal(err)
			}
			for name, value := range patch {
				if delete(state, name); value != nil {
					state[name] = value
				}
			}
			seq++
		}
		read := as[page[map[string]any]](l.get("user", "/users?ids="+u.ID)).Items[0]
		for name, value := range read {
			if value == nil {
				delete(read, name)
			}
		}
		equal(t, "folded", state, read)
	}
	check()
	for i, patch := range []string{`{"email":"a@example.org"}`, `{"bio":"x","name":"é\"\\"}`, `{"email":null,"handle":"anne"}`} {
		l.do("PATCH", "user", path, patch, "If-Match", fmt.Sprintf(`"%d"`, i+1)).want(200)
		check()
	}
	l.post("user", path+"/freeze", "").want(200)
	check()
	l.do("DELETE", "user", path, "").want(204)
	l.post("user", path+"/restore", "").want(200)
	check()
}
