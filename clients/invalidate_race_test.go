package clients

import (
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAReadFromBeforeAnEventLeavesNothing holds reads back, applies an event, and reads again: the later reads call by
// themselves, and the early ones neither come into the cache nor show the old version.
func TestAReadFromBeforeAnEventLeavesNothing(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL, newClock().set)
	wd := &world{posts: []*Post{post("a", "u1", 1)}}
	old := *wd
	for name, read := range map[string]func() string{
		"entity": func() string { return "a" + shownPost(t, c) },
		"list":   func() string { return titles(t, c, VisibilityPublic) },
	} {
		c.Forget("post")
		start := func() chan string {
			done := make(chan string, 1)
			go func() { done <- read() }()
			return done
		}
		early := start()
		before := <-b.arrived
		version := wd.posts[0].Version + 1
		wd.replace(post("a", "u1", version))
		c.Apply([]Change{postEvent("restored", version, false)})
		late := start()
		(<-b.arrived).then <- wd.answer
		want := "aT" + string(rune('0'+version))
		if got := <-late; got != want {
			t.Errorf("%s: a read behind the event got %q", name, got)
		}
		before.then <- old.answer
		if got := <-early; got != want {
			t.Errorf("%s: the early read got %q, though newer was known", name, got)
		}
		if got := read(); got != want {
			t.Errorf("%s: from the cache %q", name, got)
		}
		old = *wd
	}
}

// TestAWritesOwnEventMayComeFirst, before the write's answer: the answer is as good as it was.
func TestAWritesOwnEventMayComeFirst(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL, newClock().set)
	updated := make(chan error, 1)
	go func() {
		_, err := c.Posts.Update(t.Context(), "a", 1, PostPatch{})
		updated <- err
	}()
	request := <-b.arrived
	c.Apply([]Change{postEvent("updated", 2, false)})
	request.then <- func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, post("a", "u1", 2)) }
	if err := <-updated; err != nil {
		t.Fatal(err)
	}
	wantShown(t, u, c, "T2", 0)
	c.Apply([]Change{postEvent("updated", 2, false)}) // or later, or again
	wantShown(t, u, c, "T2", 0)
}

// TestReadersSeeWhatWasTold reads an entity, a list and a count without a break while events arrive: never what is older
// than the event that was applied last before the read.
func TestReadersSeeWhatWasTold(t *testing.T) {
	var now, told atomic.Int64
	now.Store(1)
	told.Store(1)
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		version := int(now.Load())
		for range version % 7 {
			runtime.Gosched()
		}
		p := post("a", "u1", version)
		switch r.URL.Path {
		case "/posts/counts":
			reply(w, 200, object{"counts": object{"u1": version}})
		case "/posts/by-author":
			page := pageOf(version, p)
			reply(w, 200, object{"groups": object{"u1": page}})
		default:
			reply(w, 200, items(p))
		}
	})
	c := clientsOf(t, u.URL)
	c.SetLive("post", true)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, read := range []func() (got int, stale bool){
		func() (int, bool) {
			a := c.Posts.ByIDs(t.Context(), []PostID{"a"})["a"]
			return a.Value.Version, a.Stale != nil || a.Err != nil
		},
		func() (int, bool) {
			a := c.Posts.ByAuthors(t.Context(), []UserID{"u1"}, VisibilityPublic, anyPage)["u1"]
			return min(a.Value.Items[0].Version, a.Value.Total), a.Stale != nil || a.Err != nil
		},
		func() (int, bool) {
			a := c.Posts.Counts(t.Context(), []UserID{"u1"}, VisibilityPublic)["u1"]
			return a.Value, a.Stale != nil || a.Err != nil
		},
	} {
		for range 2 {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					least := int(told.Load())
					if got, stale := read(); got < least || stale {
						t.Errorf("read %d (stale: %v) after %d", got, stale, least)
						return
					}
				}
			})
		}
	}
	for version := 2; version < 1500; version++ {
		now.Store(int64(version))
		c.Apply([]Change{postEvent("restored", version, false)})
		told.Store(int64(version))
		runtime.Gosched()
	}
	close(done)
	readers.Wait()
}

// TestCatchingUpIsMeasuredFromTheStart: an event during the second attempt does not make an answer stale that knows of all
// that was told before.
func TestCatchingUpIsMeasuredFromTheStart(t *testing.T) {
	b := newBarrier()
	u := newUpstream(t, b.hold)
	c := clientsOf(t, u.URL, newClock().set)
	c.Apply([]Change{postEvent("updated", 2, false)})
	got := make(chan string, 1)
	go func() { got <- shownPost(t, c) }()
	(<-b.arrived).then <- (&world{posts: []*Post{post("a", "u1", 1)}}).answer
	second := <-b.arrived
	c.Apply([]Change{postEvent("updated", 3, false)})
	second.then <- (&world{posts: []*Post{post("a", "u1", 2)}}).answer
	if got := <-got; got != "T2" {
		t.Errorf("got %q", got)
	}
	u.then((&world{posts: []*Post{post("a", "u1", 3)}}).answer)
	wantShown(t, u, c, "T3", 1)
}
