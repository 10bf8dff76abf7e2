package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
	"tributary/internal/work/dispatch"
)

func TestDelivers(t *testing.T) {
	b := newSQLiteBench(t)
	b.consume("all", nil)
	b.consume("users", func(c *dispatch.Consumer) { c.Types = []string{"user.*"} })
	b.consume("snapshots", func(c *dispatch.Consumer) { c.Types = []string{"post.snapshot"} })
	b.consume("off", func(c *dispatch.Consumer) { c.State = dispatch.Disabled })
	b.write("post.created", "post/1", "post/2")
	b.write("user.created", "user/1")
	b.write("post.snapshot", "post/3")
	b.write("post.updated", "post/1")
	d, stop := b.start(dispatch.Options{})
	b.reaches("all", 5)
	b.write("post.updated", "post/1", "post/2")
	d.Notify(7)
	b.reaches("all", 7)
	got := b.got("all")
	if want := []string{"e1", "e2", "e3", "e5", "e6", "e7"}; !slices.Equal(sorted(got), want) || len(got) != len(want) {
		t.Errorf("all: %v", got)
	}
	if got := fmt.Sprint(b.got("users"), b.got("snapshots"), b.got("off")); got != "[e3] [e4] []" {
		t.Error(got)
	}
	log := b.deliveries("all")
	if len(log) != 6 || log[0].Outcome != dispatch.Delivered || log[0].Status != 204 || log[0].Attempt != 1 || log[0].Manual || log[0].Subject == "" {
		t.Errorf("%+v", log)
	}
	b.consume("late", nil)
	d.Wake()
	b.reaches("late", 7)
	b.consume("off", func(c *dispatch.Consumer) { c.State = dispatch.Active })
	d.Wake()
	b.reaches("off", 7)
	stop()
	if held, err := b.store.Lease(t.Context(), "other", []string{"all", "users", "late"}, time.Second); len(held) != 3 {
		t.Error("not given back but", held, err)
	}
}

// TestOrder: of one subject one at a time, of others as many as the window has, and none of them twice.
func TestOrder(t *testing.T) {
	b := newSQLiteBench(t)
	var mu sync.Mutex
	busy, most := map[string]int{}, 0
	got := map[string][]string{}
	b.answer = func(_ context.Context, _ dispatch.Consumer, e event.Event, _ int) dispatch.Result {
		mu.Lock()
		busy[e.Subject]++
		if busy[e.Subject] > 1 {
			t.Error("two at a time of", e.Subject)
		}
		most = max(most, len(busy))
		got[e.Subject] = append(got[e.Subject], e.ID)
		mu.Unlock()
		time.Sleep(time.Duration(1+number(e.ID)%3) * time.Millisecond) // a slow receiver
		mu.Lock()
		defer mu.Unlock()
		delete(busy, e.Subject)
		return dispatch.Result{Delivered: true}
	}
	for i := range 300 {
		b.write("post.updated", fmt.Sprint("post/", i%7, i%2))
	}
	b.consume("a", nil)
	b.start(dispatch.Options{Window: 4})
	b.reaches("a", 300)
	if len(b.got("a")) != 300 || most > 4 || most < 3 {
		t.Errorf("%d deliveries, %d at a time", len(b.got("a")), most)
	}
	for subject, ids := range got {
		if !inOrder(ids) {
			t.Errorf("%s: %v", subject, ids)
		}
	}
}

// TestFailingHoldsNobody: though every shared delivery is taken, others get what is theirs.
func TestFailingHoldsNobody(t *testing.T) {
	b := newSQLiteBench(t)
	release := make(chan struct{})
	b.answer = func(ctx context.Context, c dispatch.Consumer, e event.Event, _ int) dispatch.Result {
		switch c.Config[0] {
		case '1': // hangs
			select {
			case <-release:
			case <-ctx.Done():
			}
			return dispatch.Result{}
		case '2':
			return dispatch.Result{Status: 500}
		}
		return dispatch.Result{Delivered: true}
	}
	for i := range 60 {
		b.write("post.created", fmt.Sprint("post/", i))
	}
	for i := range 30 {
		b.consume(fmt.Sprint("c", i), func(c *dispatch.Consumer) { c.Config = fmt.Append(nil, i%3) })
	}
	_, stop := b.start(dispatch.Options{Shared: 4, Grace: 10 * time.Millisecond})
	for i := 0; i < 30; i += 3 {
		b.reaches(fmt.Sprint("c", i), 60)
	}
	stop()
	close(release)
	for i := range 30 {
		id := fmt.Sprint("c", i)
		c, _ := b.consumer(id)
		if got := b.got(id); (i%3 == 0 && len(got) != 60) || (i%3 != 0 && (c.Position != 0 || len(got) > 8)) {
			t.Errorf("%s is at %d and got %d", id, c.Position, len(got))
		}
	}
}

// TestShare: two on one Redis start each delivery once; what one drops when it dies the other takes over.
func TestShare(t *testing.T) {
	server := redistest.Start(t)
	b := newBench(t, dispatch.NewRedis(server.Client()))
	for i := range 20 {
		b.consume(fmt.Sprint("c", i), nil)
	}
	options := dispatch.Options{Lease: time.Second}
	first := &mortal{Store: dispatch.NewRedis(server.Client())}
	one := dispatch.New(first, b.log, b.send, options)
	stop := b.run(one)
	two, _ := b.start(options)
	for range 10 {
		last := b.write("post.created", fmt.Sprint("post/", b.written), fmt.Sprint("post/x", b.written))
		one.Notify(last)
		two.Notify(last)
	}
	for i := range 20 {
		id := fmt.Sprint("c", i)
		b.reaches(id, 20)
		if got := b.got(id); len(got) != 20 || !slices.Equal(sorted(got), ids(1, 20)) {
			t.Errorf("%s got %v", id, got)
		}
	}
	first.dead.Store(true)
	start := time.Now()
	last := b.write("post.created", "post/late")
	one.Notify(last)
	two.Notify(last)
	for i := range 20 {
		b.reaches(fmt.Sprint("c", i), 21)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Error("taken over after", took)
	}
	stop()
}
