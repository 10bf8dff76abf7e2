package demo

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDelivery follows writes of all kinds to the sink. The beat is long: only commits can wake the deliverers.
func TestDelivery(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events(func(p *pace) { p.beat = time.Hour }))
	u := l.newUser("anna")
	p := l.newPost("a", "draft")
	path := "/posts/" + p.ID
	l.do("PATCH", "post", path, `{"status":"published"}`, "If-Match", `"1"`, "X-Actor", "a").want(200)
	l.post("post", "/posts/by-author/a/transfer", `{"to":"b"}`).affected(1)
	c := l.newComment(p.ID, "", "a")
	l.do("DELETE", "comment", "/comments/"+c.ID, "").want(204)
	l.putEdge("a", "b")
	l.do("DELETE", "follower", "/edges/a/b", "").want(204)
	l.putEdge("a", "b")
	s.await("user/"+u.ID, "user.created 1")
	s.await("post/"+p.ID, "post.created 1", "post.published 2", "post.updated 3")
	s.await("comment/"+c.ID, "comment.created 1", "comment.deleted 2")
	s.await("follow/a:b", "follower.added 1", "follower.removed 2", "follower.added 3")
	s.set(func() {
		for _, e := range s.log {
			switch fmt.Sprint(e.Type, e.Version) {
			case "post.published2":
				equal(t, "actor", e.Actor, "a")
			case "post.updated3":
				for _, part := range []string{`"authorId":"b"`, `"previousAuthorId":"a"`} {
					if !strings.Contains(string(e.Data), part) {
						t.Errorf("the move lacks %s: %s", part, e.Data)
					}
				}
			}
		}
	})
}

// TestHeartbeats: a quiet service says that it lives, at the pace of its beat, and no more often.
func TestHeartbeats(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events(func(p *pace) { p.beat = 50 * time.Millisecond }))
	beats := func() (found []arrival) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.DeleteFunc(slices.Clone(s.posts), func(p arrival) bool { return p.source != "follower" || p.events > 0 })
	}
	s.until("eight beats", func() bool { return len(beats()) >= 8 }, func() any { return len(beats()) })
	found := beats()
	if took := found[7].at.Sub(found[0].at); took < 5*50*time.Millisecond { // the first may arrive late
		t.Errorf("seven beats of 50 ms took %v", took)
	}
	equal(t, "the default", pace{}.withDefaults().beat, time.Second)
	l.stop()
}

// TestRewind: what the sink lost is offered again.
func TestRewind(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events())
	for i := range 30 {
		l.newUser(fmt.Sprintf("anna%d", i))
	}
	s.awaitOutbox(l, "user")
	for _, lost := range []int{1, 12, 30} {
		s.set(func() { s.log = s.log[:len(s.log)-lost] })
		s.awaitOutbox(l, "user")
	}
}

// TestOtherFile: the sink knows a longer outbox under this name; it gets all of this one.
func TestOtherFile(t *testing.T) {
	s := newSink(t)
	s.log = []envelope{{ID: "x", Source: "/user", Subject: "user/x", Version: 1, Sequence: "500"}}
	l := start(t, s.events())
	u := l.newUser("anna")
	s.await("user/"+u.ID, "user.created 1")
	l.stop()
}

// TestDownPausesDelivery: a service that is made to be down sends nothing.
func TestDownPausesDelivery(t *testing.T) {
	s := newSink(t)
	l := start(t, s.events())
	u := l.newUser("anna")
	s.await("user/"+u.ID, "user.created 1")
	if err := l.demo.Faults("user").Set(Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	count := func(service string) (n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.posts {
			if p.source == service {
				n++
			}
		}
		return n
	}
	var before, others int
	settled := func(service string, by int) func() bool {
		from := count(service)
		return func() bool { return count(service) >= from+by }
	}
	s.until("others go on", settled("post", 2), func() any { return count("post") }) // what was on its way has arrived
	before, others = count("user"), count("post")
	s.until("others go on", settled("post", 4), func() any { return count("post") - others })
	equal(t, "posts while down", count("user"), before)
	if err := l.demo.Faults("user").Clear(); err != nil {
		t.Fatal(err)
	}
	s.until("it is back", settled("user", 2), func() any { return count("user") })
}

// TestDeliverySurvivesRestarts stops and starts both sides at random while four clients write, and has the sink lose
// what it took last: in the end it has every row of the outbox once, in order.
func TestDeliverySurvivesRestarts(t *testing.T) {
	s := newSink(t)
	dir := t.TempDir()
	var acknowledged sync.Map // path of a post → its last version
	for range 5 {
		l := start(t, s.events(), func(o *Options) { o.Dir = dir })
		var writing sync.WaitGroup
		for w := range 4 {
			writing.Go(func() {
				author := fmt.Sprintf("a%d", w)
				for range 5 {
					r, err := l.try("POST", "post", "/posts", fmt.Sprintf(`{"authorId":%q,"title":"T","body":"B"}`, author))
					if err != nil || r.status != http.StatusCreated {
						t.Error(err, r.status)
						return
					}
					p := as[post](r)
					acknowledged.Store(p.ID, 1)
					for v := 1; v <= 3; v++ {
						r, err := l.try("PATCH", "post", "/posts/"+p.ID, fmt.Sprintf(`{"title":"T%d"}`, v), "If-Match", fmt.Sprintf(`"%d"`, v))
						if err == nil && r.status == http.StatusOK {
							acknowledged.Store(p.ID, v+1)
						}
					}
				}
			})
		}
		for range 4 {
			time.Sleep(rand.N(15 * time.Millisecond)) // a random moment is what is tested
			s.stop()
			s.set(func() { s.log = s.log[:len(s.log)-rand.N(min(len(s.log), 20)+1)] })
			time.Sleep(60 * time.Millisecond) // a silence that is noticed
			s.start()
		}
		writing.Wait()
		l.stop()
	}
	l := start(t, s.events(), func(o *Options) { o.Dir = dir })
	s.awaitOutbox(l, "post")
	acknowledged.Range(func(id, version any) bool {
		if got := len(s.told("post/" + id.(string))); got != version {
			t.Errorf("%d events of a post of version %d", got, version)
		}
		return true
	})
}
