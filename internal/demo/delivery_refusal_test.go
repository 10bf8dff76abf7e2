package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// refuseSubject has a sink refuse events of a subject, with or without saying which it was.
func refuseSubject(subject string, status int, indexed bool) func(string, []envelope) (int, string) {
	return func(_ string, batch []envelope) (int, string) {
		i := slices.IndexFunc(batch, func(e envelope) bool { return e.Subject == subject })
		switch {
		case i < 0:
			return 0, ""
		case indexed:
			return status, fmt.Sprintf(`{"index":%d,"detail":"not \"this\" one"}`, i)
		}
		return status, ""
	}
}

// parked reads GET /outbox.
func (l *lab) parked(service string) (subjects []string) {
	l.Helper()
	r, err := l.try("GET", service, "/outbox", "")
	if err != nil {
		l.Fatal(err)
	}
	for _, p := range as[struct {
		Parked []struct {
			Subject, Detail string
			Version, Status int
			Since           time.Time
		}
	}](r).Parked {
		subjects = append(subjects, fmt.Sprint(p.Subject, " ", p.Version, " ", p.Status))
	}
	return subjects
}

// TestParking: a subject that the sink refuses waits, visibly, and nobody waits with it; later it catches up.
func TestParking(t *testing.T) {
	for _, c := range []struct {
		status  int
		indexed bool
	}{{400, true}, {422, true}, {400, false}, {413, false}, {422, false}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := newSink(t)
			dir := t.TempDir()
			quiet := start(t, func(o *Options) { o.Dir = dir; o.Now = time.Now })
			bad := quiet.newUser("bad")
			path := "/users/" + bad.ID
			for i := range 20 { // so that one batch has them all
				u := quiet.newUser(fmt.Sprintf("anna%d", i))
				quiet.do("PATCH", "user", "/users/"+u.ID, `{"name":"X"}`, "If-Match", `"1"`).want(200)
			}
			quiet.stop()
			s.refuse = refuseSubject("user/"+bad.ID, c.status, c.indexed)
			l := start(t, s.events(), func(o *Options) { o.Dir = dir })
			s.until("others have arrived", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.log) == 40 }, func() any { return len(s.log) })
			s.until("it is parked", func() bool {
				return slices.Equal(l.parked("user"), []string{fmt.Sprint("user/", bad.ID, " 1 ", c.status)})
			}, func() any { return l.parked("user") })
			l.do("PATCH", "user", path, `{"name":"X"}`, "If-Match", `"1"`).want(200)
			other := l.newUser("other")
			s.await("user/"+other.ID, "user.created 1")
			s.await("user/" + bad.ID)
			s.set(func() { s.refuse = nil })
			s.await("user/"+bad.ID, "user.created 1", "user.updated 2")
			s.until("it is not parked", func() bool { return len(l.parked("user")) == 0 }, func() any { return l.parked("user") })
			l.do("PATCH", "user", path, `{"name":"Y"}`, "If-Match", `"2"`).want(200)
			s.await("user/"+bad.ID, "user.created 1", "user.updated 2", "user.updated 3")
			s.awaitOutbox(l, "user")
		})
	}
}

// TestParkedOverRestart: a parked subject is tried again when the service starts.
func TestParkedOverRestart(t *testing.T) {
	s := newSink(t)
	dir := t.TempDir()
	never := func(p *pace) { p.retry = time.Hour }
	l := start(t, s.events(never), func(o *Options) { o.Dir = dir })
	l.post("user", "/users", `{"handle":"bad","name":"N"}`).want(201)
	id := l.rows("user", "SELECT id FROM users")[0]
	s.awaitOutbox(l, "user")
	s.set(func() { s.refuse = refuseSubject("user/"+id, 422, true) })
	l.do("PATCH", "user", "/users/"+id, `{"name":"X"}`, "If-Match", `"1"`).want(200)
	s.until("it is parked", func() bool { return len(l.parked("user")) == 1 }, func() any { return l.parked("user") })
	l.newUser("other") // the sink's last sequence is behind the parked one
	l.stop()
	s.set(func() { s.refuse = nil })
	l = start(t, s.events(never), func(o *Options) { o.Dir = dir })
	s.awaitOutbox(l, "user")
}

// TestGapIsMended: the sink lost the middle of one subject, which its last sequence does not show.
func TestGapIsMended(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events())
	p := l.newPost("a", "draft")
	patch := func(version int) {
		t.Helper()
		l.do("PATCH", "post", "/posts/"+p.ID, fmt.Sprintf(`{"title":"T%d"}`, version), "If-Match", fmt.Sprintf(`"%d"`, version)).want(200)
	}
	patch(1)
	patch(2)
	l.newPost("b", "draft")
	s.awaitOutbox(l, "post")
	s.set(func() {
		s.log = slices.DeleteFunc(s.log, func(e envelope) bool { return e.Subject == "post/"+p.ID && e.Version > 1 })
	})
	patch(3)
	s.awaitOutbox(l, "post")
}

// TestGapOfUnknownSubject: the sink knows nothing of a subject whose first rows have left the outbox: it gets the
// present state. If it knows something older, the subject is parked.
func TestGapOfUnknownSubject(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events())
	p, q := l.newPost("a", "draft"), l.newPost("a", "draft")
	for _, v := range []post{p, q} {
		l.do("PATCH", "post", "/posts/"+v.ID, `{"title":"X"}`, "If-Match", `"1"`).want(200)
	}
	s.awaitOutbox(l, "post")
	if err := l.demo.find("post").api.store.prune(t.Context(), stampOf(time.Now().Add(2*retention))); err != nil {
		t.Fatal(err)
	}
	s.set(func() {
		s.log = slices.DeleteFunc(s.log, func(e envelope) bool { return e.Subject == "post/"+p.ID || e.Version == 2 })
	})
	for _, v := range []post{p, q} {
		l.do("PATCH", "post", "/posts/"+v.ID, `{"title":"Y"}`, "If-Match", `"2"`).want(200)
	}
	s.await("post/"+p.ID, "post.snapshot 3")
	s.until("the other is parked", func() bool {
		return slices.Equal(l.parked("post"), []string{"post/" + q.ID + " 3 409"})
	}, func() any { return l.parked("post") })
}

// TestJudge reads answers.
func TestJudge(t *testing.T) {
	now := time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status           int
		body, retryAfter string
		want             string // of the receipt, or of the setback
		after            time.Duration
		answered         int64
	}{
		{200, `{"sequence":"17"}`, "", "{status:200 index:-1 expected:0 detail:}", 0, 17},
		{200, `{"sequence":"0"}`, "", "{status:200 index:-1 expected:0 detail:}", 0, 0},
		{200, `{"sequence":17}`, "", "the sink's answer names no sequence", 0, 0},
		{200, `{"sequence":"-1"}`, "", "the sink's answer names no sequence", 0, 0},
		{200, ``, "", "the sink's answer names no sequence", 0, 0},
		{409, `{"index":3,"expected":4}`, "", "{status:409 index:3 expected:4 detail:}", 0, 0},
		{422, `{"index":0,"detail":"d"}`, "", "{status:422 index:0 expected:0 detail:d}", 0, 0},
		{422, `<html>`, "", "{status:422 index:-1 expected:0 detail:}", 0, 0},
		{400, `{"index":null}`, "", "{status:400 index:-1 expected:0 detail:}", 0, 0},
		{401, ``, "", "the sink answered with 401", 0, 0},
		{302, ``, "", "the sink answered with 302", 0, 0},
		{404, ``, "", "the sink answered with 404", 0, 0},
		{429, ``, "3", "the sink answered with 429", 3 * time.Second, 0},
		{503, ``, "Sun, 01 Mar 2026 08:00:09 GMT", "the sink answered with 503", 9 * time.Second, 0},
		{503, ``, "Sun, 01 Mar 2026 07:00:00 GMT", "the sink answered with 503", 0, 0},
		{503, ``, "-4", "the sink answered with 503", 0, 0},
		{503, ``, "999999999", "the sink answered with 503", maxRetryAfter, 0},
		{500, ``, "soon", "the sink answered with 500", 0, 0},
	} {
		d := &dispatch{clock: func() time.Time { return now }}
		response := &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {c.retryAfter}}}
		r, err := d.judge(response, []byte(c.body))
		got, after := fmt.Sprintf("%+v", r), time.Duration(0)
		if err != nil {
			got, after = err.Error(), err.(*setback).after
		}
		equal(t, fmt.Sprint(c.status, c.body, c.retryAfter), fmt.Sprint(got, after, d.answered), fmt.Sprint(c.want, c.after, c.answered))
	}
}

// TestRestsAfterFailures: nothing is posted before Retry-After is over, and then everything arrives.
func TestRestsAfterFailures(t *testing.T) {
	var refused []time.Time
	s := newSink(t)
	failing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		s.set(func() { refused = append(refused, time.Now()) })
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	s.handler.Store(&failing)
	dir := t.TempDir()
	l := start(t, s.events(), func(o *Options) { o.Dir = dir })
	u := l.newUser("anna")
	s.until("each was refused", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(refused) >= 4 }, func() any { return len(refused) })
	s.handler.Store(nil)
	s.await("user/"+u.ID, "user.created 1")
	s.set(func() {
		if waited := s.posts[0].at.Sub(refused[0]); waited < 990*time.Millisecond {
			t.Errorf("asked again after %v", waited)
		}
	})
}

// TestSinkOptions: a sink that cannot be used is refused at once.
func TestSinkOptions(t *testing.T) {
	for _, sink := range []EventSink{{}, {URL: "events", Secrets: sinkSecrets()}, {URL: "ftp://h/", Secrets: sinkSecrets()}, {URL: "http://h/"}} {
		if d, err := Open(t.Context(), Options{Dir: t.TempDir(), Events: &sink}); err == nil {
			t.Errorf("taken: %v", sink.URL)
			d.Close()
		}
	}
}

// TestBatchBytes: a batch keeps to its bounds; a longer event goes alone.
func TestBatchBytes(t *testing.T) {
	s := newSink(t)
	dir := t.TempDir()
	quiet := start(t, func(o *Options) { o.Dir = dir; o.Now = time.Now })
	body, err := json.Marshal(map[string]string{"authorId": "a", "title": "T", "body": strings.Repeat("é", 20_000)})
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		quiet.post("post", "/posts", string(body)).want(201)
	}
	quiet.stop()
	l := start(t, s.events(), func(o *Options) { o.Dir = dir })
	s.awaitOutbox(l, "post")
}
