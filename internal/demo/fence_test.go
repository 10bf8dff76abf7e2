package demo

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFence undoes a write that was done, one that comes late, and one that never comes.
func TestFence(t *testing.T) {
	l := start(t)
	p := l.newPost("a", "published")
	bulk := func(verb, key, fence string) reply {
		t.Helper()
		return l.post("post", "/posts/by-author/a/"+verb, "", "Idempotency-Key", key, "Idempotency-Fence", fence)
	}
	bulk("hide", "do", "").affected(1)
	bulk("restore", "undo", "do").affected(1)
	bulk("hide", "do", "").refused(409, "CONFLICT") // not even its kept answer
	bulk("restore", "undo late", "late").affected(0)
	bulk("hide", "late", "").refused(409, "CONFLICT")
	bulk("restore", "undo late", "late").affected(0) // repeated
	equal(t, "as before", l.board("a", "public"), map[string]string{p.ID: "published"})
	bulk("restore", "", "no own key").affected(0)
	bulk("hide", "no own key", "").refused(409, "CONFLICT")
	bulk("hide", "another", "").affected(1)
	bulk("restore", "late", "another").refused(409, "CONFLICT") // fenced itself, but it fences
	bulk("hide", "another", "").refused(409, "CONFLICT")
	for _, bad := range []string{strings.Repeat("x", 256), "é", "a\tb", "self"} {
		bulk("restore", "self", bad).refused(400, "BAD_REQUEST")
	}
	bulk("hide", "self", "").affected(0)
	l.post("user", "/users", `{"handle":"anna","name":"N"}`, "Idempotency-Key", "do").want(201) // fences belong to one service
}

// TestRefusedUndoFences: a fence stands whatever an undo is refused with, and without it, once the service has looked.
func TestRefusedUndoFences(t *testing.T) {
	l := start(t)
	u := l.newUser("anna")
	path := "/users/" + u.ID
	fenced := func(key string) {
		t.Helper()
		l.post("user", path+"/freeze", "", "Idempotency-Key", key).refused(409, "CONFLICT")
	}
	for range 2 { // the second answer is repeated
		l.post("user", path+"/restore", "", "Idempotency-Key", "undo", "Idempotency-Fence", "f409").refused(409, "CONFLICT")
		fenced("f409")
	}
	l.post("user", path+"/restore", "", "Idempotency-Fence", "plain").refused(409, "CONFLICT")
	fenced("plain")
	l.post("user", "/users/nobody/restore", "", "Idempotency-Key", "k404", "Idempotency-Fence", "f404").refused(404, "NOT_FOUND")
	fenced("f404")
	l.do("PATCH", "user", path, `{"name":"M"}`, "If-Match", `"7"`, "Idempotency-Key", "k412", "Idempotency-Fence", "f412").refused(412, "VERSION_MISMATCH")
	fenced("f412")
	l.do("PATCH", "user", path, `{"name":""}`, "If-Match", `"1"`, "Idempotency-Fence", "f422").refused(422, "INVALID", "name REQUIRED")
	fenced("f422")
	l.post("user", path+"/restore", "", "Idempotency-Key", "k404", "Idempotency-Fence", "reused").refused(422, "IDEMPOTENCY_KEY_REUSED")
	fenced("reused")
	l.do("PATCH", "user", path, `{"name":"M"}`, "If-Match", `"1"`, "Idempotency-Key", "k412").want(200) // it was not kept
	fault(l, "user", Fault{ErrorRate: 1}, func() {
		l.post("user", path+"/restore", "", "Idempotency-Fence", "open").refused(503, "UNAVAILABLE")
	})
	l.post("user", path+"/freeze", "", "Idempotency-Key", "open").want(200)
	equal(t, "what was done", l.rows("user", "SELECT type FROM outbox"), []string{"user.created", "user.updated", "user.frozen"})
}

// TestFencesExpire and are bounded, like kept answers.
func TestFencesExpire(t *testing.T) {
	l := start(t)
	fence := func(key string) {
		t.Helper()
		l.do("DELETE", "follower", "/edges/a/b", "", "Idempotency-Fence", key).refused(404, "NOT_FOUND")
	}
	put := func(key string) int {
		t.Helper()
		return l.do("PUT", "follower", "/edges/c/d", "", "Idempotency-Key", key).status
	}
	fence("k")
	l.clock.move(retention - time.Minute)
	equal(t, "in time", put("k"), 409)
	fence("again")
	fence("k") // it counts from the last
	l.clock.move(retention - time.Minute)
	equal(t, "in time", put("k"), 409)
	l.clock.move(time.Minute)
	equal(t, "too late", put("k"), 201)
	fence("first")
	equal(t, "fences", l.rows("follower", "SELECT key FROM fences"), []string{"first"})
	fence("second")
	if _, err := l.demo.find("follower").api.store.write.Exec("UPDATE fences SET seq = seq + ? WHERE key = 'second'", maxKept); err != nil {
		t.Fatal(err)
	}
	fence("third")
	equal(t, "bounded", l.rows("follower", "SELECT key FROM fences ORDER BY seq"), []string{"second", "third"})
	l.clock.move(retention)
	if err := l.demo.find("follower").api.store.prune(t.Context(), stampOf(l.clock.now())); err != nil {
		t.Fatal(err)
	}
	equal(t, "pruned", l.rows("follower", "SELECT key FROM fences"), nil)
}

// TestConcurrentFence sends a write and its undo at once: whichever comes first, nothing is left of it.
func TestConcurrentFence(t *testing.T) {
	l := start(t)
	l.newComment("p", "", "a")
	for i := range 10 {
		key, done := fmt.Sprintf("k%d", i), make(chan int)
		for verb, headers := range map[string][]string{
			"anonymise": {"Idempotency-Key", key}, "restore": {"Idempotency-Key", "undo " + key, "Idempotency-Fence", key},
		} {
			go func() {
				r, err := l.try("POST", "comment", "/comments/by-author/a/"+verb, "", headers...)
				if err != nil {
					t.Error(err)
				}
				done <- r.status
			}()
		}
		if sum := <-done + <-done; sum != 200+200 && sum != 200+409 {
			t.Errorf("answers add up to %d", sum)
		}
		equal(t, "of the author", as[struct{ Counts map[string]int }](l.get("comment", "/comments/counts?authorIds=a")).Counts["a"], 1)
	}
}
