package clients

import (
	"net/http"
	"testing"
)

// TestALaterReadNeverJoinsAnEarlierFlight holds a read back, writes, and reads again.
func TestALaterReadNeverJoinsAnEarlierFlight(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	title := func() chan string {
		done := make(chan string, 1)
		go func() {
			a := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
			done <- a.Value.Title
		}()
		return done
	}
	v := func(version int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, items(post("a", "u1", version))) }
	}
	early := title()
	earlyRequest := <-b.arrived
	updated := make(chan error, 1)
	go func() {
		_, err := c.Posts.Update(t.Context(), "a", 1, PostPatch{})
		updated <- err
	}()
	(<-b.arrived).then <- cut("", true) // unknown: nothing of it may come into the cache
	for range c.Posts.svc.cfg.Retries {
		(<-b.arrived).then <- cut("", true)
	}
	if err := <-updated; kind(err) != KindUnknownOutcome {
		t.Fatal(err)
	}
	late := title()
	(<-b.arrived).then <- v(2)
	if got := <-late; got != "T2" {
		t.Errorf("a read behind the write got %s", got)
	}
	earlyRequest.then <- v(1)
	if got := <-early; got != "T1" && got != "T2" {
		t.Errorf("the early read got %s", got)
	}
	if got := <-title(); got != "T2" {
		t.Errorf("the early read came into the cache: %s", got)
	}
}

// TestASlowReadIsNotStored lets a write overtake a read, with nothing else in the cache.
func TestASlowReadIsNotStored(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	count := func() chan int {
		done := make(chan int, 1)
		go func() { done <- c.Posts.Counts(t.Context(), []UserID{"u1"}, VisibilityPublic)["u1"].Value }()
		return done
	}
	n := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, object{"counts": object{"u1": n}}) }
	}
	early := count()
	earlyRequest := <-b.arrived
	created := make(chan error, 1)
	go func() {
		_, err := c.Posts.Create(t.Context(), NewPost{AuthorID: "u1", Title: "t", Body: "b", Status: PostPublished})
		created <- err
	}()
	(<-b.arrived).then <- func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, post("a", "u1", 1)) }
	if err := <-created; err != nil {
		t.Fatal(err)
	}
	earlyRequest.then <- n(0)
	<-early
	late := count()
	(<-b.arrived).then <- n(1)
	if got := <-late; got != 1 {
		t.Errorf("a read behind the write got %d", got)
	}
}

// TestAJoinedListShowsWhatWasWrittenMeanwhile: changing a post's title does not touch the lists it stands in, so a later
// read joins the list's flight, but must not see the old title: neither if the new one is known nor if it is not.
func TestAJoinedListShowsWhatWasWrittenMeanwhile(t *testing.T) {
	for _, known := range []bool{true, false} {
		b := newBarrier()
		u := newUpstream(t, b.hold)
		c := clientsOf(t, u.URL, each(func(s *ServiceConfig) { s.Retries = 0 }))
		list := func() chan string {
			done := make(chan string, 1)
			go func() { done <- titles(t, c, VisibilityPublic) }()
			return done
		}
		wd := &world{posts: []*Post{post("b", "u1", 1), post("a", "u1", 1)}}
		old := *wd
		early := list()
		request := <-b.arrived
		updated := make(chan error, 1)
		go func() {
			_, err := c.Posts.Update(t.Context(), "a", 1, PostPatch{})
			updated <- err
		}()
		wd.replace(post("a", "u1", 2))
		update := <-b.arrived
		if known {
			update.then <- func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, post("a", "u1", 2)) }
		} else {
			update.then <- cut("", true)
		}
		if err := <-updated; (err == nil) != known {
			t.Fatal(err)
		}
		late := list()
		waiters(t, c.Posts.svc, 2)
		u.then(wd.answer)
		request.then <- old.answer
		if got := <-late; got != "bT1 aT2" {
			t.Errorf("the late read got %q", got)
		}
		<-early
		want := 2
		if !known {
			want++ // for the one post
		}
		if got := <-list(); got != "bT1 aT2" || len(u.requests()) != want {
			t.Errorf("from the cache: %q after %q", got, u.targets())
		}
	}
}

// TestRacingWritesLeaveNothingOld has an update answer after a delete that came later has returned.
func TestRacingWritesLeaveNothingOld(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL)
	updated := make(chan error, 1)
	go func() {
		_, err := c.Posts.Update(t.Context(), "a", 1, PostPatch{})
		updated <- err
	}()
	update := <-b.arrived
	deleted := make(chan error, 1)
	go func() { deleted <- c.Posts.Delete(t.Context(), post("a", "u1", 1)) }()
	(<-b.arrived).then <- func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	update.then <- func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, post("a", "u1", 2)) }
	if err := <-updated; err != nil {
		t.Fatal(err)
	}
	u.then(fail500)
	if a := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]; a.Value != nil || a.Err == nil {
		t.Errorf("a deleted post is back: %+v", a)
	}
}
