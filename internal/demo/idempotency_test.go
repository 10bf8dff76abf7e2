package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestIdempotency(t *testing.T) {
	l := start(t)
	body := `{"handle":"anna","name":"N"}`
	first := l.post("user", "/users", body, "Idempotency-Key", "k", "X-Actor", "root").want(201)
	again := l.post("user", "/users", body, "Idempotency-Key", "k", "X-Actor", "root").want(201)
	equal(t, "answer", string(again.raw), string(first.raw))
	equal(t, "headers", fmt.Sprint(again.header.Get("ETag"), again.header.Get("Location"), again.header.Get("Idempotency-Replayed"), first.header.Get("Idempotency-Replayed")),
		fmt.Sprint(`"1"`, first.header.Get("Location"), "true", ""))
	equal(t, "rows", l.rows("user", "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency)"), []string{"1 1 1"})
	for _, other := range []struct{ path, body, actor string }{
		{"/users", body + " ", "root"}, {"/users", body, "else"}, {"/users", body, ""}, {"/users/x/freeze", "", "root"},
	} {
		l.post("user", other.path, other.body, "Idempotency-Key", "k", "X-Actor", other.actor).refused(422, "IDEMPOTENCY_KEY_REUSED")
	}
	l.post("post", "/posts", `{"authorId":"a","title":"T","body":"B"}`, "Idempotency-Key", "k").want(201) // keys belong to one service
	for _, bad := range []string{strings.Repeat("x", 256), "é", "a\tb"} {
		l.post("user", "/users", body, "Idempotency-Key", bad).refused(400, "BAD_REQUEST")
	}
	l.post("user", "/users", body, "Idempotency-Key", strings.Repeat("x", 255)).refused(422, "INVALID", "handle TAKEN")
}

// TestIdempotentRefusals: a refusal is repeated too, and leaves nothing else behind; a failure is not kept.
func TestIdempotentRefusals(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	path := "/users/" + u.ID
	send := func(key, tag string) reply {
		t.Helper()
		return l.do("PATCH", "user", path, `{"name":"M"}`, "If-Match", tag, "Idempotency-Key", key)
	}
	send("k", `"7"`).refused(412, "VERSION_MISMATCH")
	done := send("k", `"1"`).want(200)
	equal(t, "repeated whatever the version", string(send("k", `"2"`).want(200).raw), string(done.raw))
	first := l.post("user", path+"/restore", "", "Idempotency-Key", "too early").refused(409, "CONFLICT")
	l.post("user", path+"/freeze", "").want(200)
	again := l.post("user", path+"/restore", "", "Idempotency-Key", "too early").refused(409, "CONFLICT")
	equal(t, "repeated", string(again.raw)+again.header.Get("Idempotency-Replayed"), string(first.raw)+"true")
	l.post("user", path+"/restore", "").want(200)
	equal(t, "outbox", l.rows("user", "SELECT count(*) FROM outbox"), []string{"4"}) // created, updated, frozen, restored
	fault(l, "user", Fault{ErrorRate: 1}, func() {
		l.post("user", path+"/freeze", "", "Idempotency-Key", "late").refused(503, "UNAVAILABLE")
	})
	equal(t, "after a failure", l.post("user", path+"/freeze", "", "Idempotency-Key", "late").want(200).header.Get("Idempotency-Replayed"), "")
	answers := l.post("user", path+"/restore", "", "Idempotency-Key", "r").want(200)
	equal(t, "no 409 for the repeated", string(l.post("user", path+"/restore", "", "Idempotency-Key", "r").want(200).raw), string(answers.raw))
	l.do("DELETE", "user", path, "", "Idempotency-Key", "d").want(204)
	equal(t, "204 repeated", l.do("DELETE", "user", path, "", "Idempotency-Key", "d").want(204).header.Get("Idempotency-Replayed"), "true")
}

// TestIdempotentAnswerSurvivesFault: the write is carried out though its answer is lost, and the key tells.
func TestIdempotentAnswerSurvivesFault(t *testing.T) {
	l := start(t)
	body := `{"authorId":"a","title":"T","body":"B"}`
	fault(l, "post", Fault{Body: BodyReset}, func() {
		if r, err := l.try("POST", "post", "/posts", body, "Idempotency-Key", "k"); err == nil {
			t.Errorf("the answer came: %d %s", r.status, r.raw)
		}
	})
	r := l.post("post", "/posts", body, "Idempotency-Key", "k").want(201)
	equal(t, "replayed", r.header.Get("Idempotency-Replayed"), "true")
	equal(t, "posts", l.rows("post", "SELECT count(*) FROM posts"), []string{"1"})
}

func TestIdempotencyExpires(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	body := `{"authorId":"a","title":"T","body":"B"}`
	send := func() string {
		t.Helper()
		return l.post("post", "/posts", body, "Idempotency-Key", "k").want(201).header.Get("Idempotency-Replayed")
	}
	equal(t, "first", send(), "")
	l.clock.move(retention - time.Minute)
	equal(t, "in time", send(), "true")
	l.clock.move(time.Minute)
	equal(t, "too late", send(), "")
	l.clock.move(2 * retention)
	l.post("post", "/posts", body, "Idempotency-Key", "another").want(201)
	equal(t, "kept", l.rows("post", "SELECT key FROM idempotency"), []string{"another"})
	if err := l.demo.find("post").api.store.prune(t.Context(), stampOf(l.clock.now())); err != nil {
		t.Fatal(err)
	}
	equal(t, "outbox after it", l.rows("post", "SELECT seq FROM outbox"), []string{"3"})
	l.clock.move(2 * retention)
	if err := l.demo.find("post").api.store.prune(t.Context(), stampOf(l.clock.now())); err != nil {
		t.Fatal(err)
	}
	equal(t, "all rows", l.rows("post", "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency)"), []string{"0 0"})
	l.newPost("a", "draft")
	equal(t, "the sequence goes on", l.rows("post", "SELECT seq FROM outbox"), []string{"4"})
}

func TestIdempotencyIsBounded(t *testing.T) {
	l := start(t)
	post := func(key string) {
		t.Helper()
		l.do("PUT", "follower", "/edges/a/b", "", "Idempotency-Key", key)
	}
	post("first")
	post("second")
	if _, err := l.demo.find("follower").api.store.write.Exec("UPDATE idempotency SET seq = seq + ? WHERE key = 'second'", maxKept); err != nil {
		t.Fatal(err)
	}
	post("third")
	equal(t, "kept", l.rows("follower", "SELECT key FROM idempotency ORDER BY seq"), []string{"second", "third"})
}

// TestConcurrentKeys sends one request many times at once: it is carried out once, and all get its answer.
func TestConcurrentKeys(t *testing.T) {
	l := start(t)
	replies := make(chan reply)
	const n = 12
	for range n {
		go func() {
			r, err := l.try("POST", "comment", "/comments", `{"postId":"p","authorId":"a","body":"B"}`, "Idempotency-Key", "k")
			if err != nil {
				t.Error(err)
			}
			replies <- r
		}()
	}
	bodies, replayed := map[string]int{}, 0
	for range n {
		r := <-replies
		bodies[fmt.Sprint(r.status, string(r.raw))]++
		if r.header.Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	equal(t, "different answers, replays", fmt.Sprint(len(bodies), replayed), fmt.Sprint(1, n-1))
	equal(t, "comments", l.rows("comment", "SELECT count(*) FROM comments"), []string{"1"})
}
