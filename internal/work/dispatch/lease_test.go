package dispatch_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// counting counts what is asked of a store.
type counting struct {
	dispatch.Store
	progress, all atomic.Int64
}

func (c *counting) Consumers(ctx context.Context) ([]dispatch.Consumer, error) {
	c.all.Add(1)
	return c.Store.Consumers(ctx)
}

func (c *counting) Progress(ctx context.Context, holder string, next dispatch.Consumer, deliveries []dispatch.Delivery) error {
	c.all.Add(1)
	c.progress.Add(1)
	return c.Store.Progress(ctx, holder, next, deliveries)
}

func (c *counting) Lease(ctx context.Context, holder string, ids []string, ttl time.Duration) ([]string, error) {
	if len(ids) > 0 {
		c.all.Add(1)
	}
	return c.Store.Lease(ctx, holder, ids, ttl)
}

// TestIdle: who waits costs the store two calls in three seconds, however many there are.
func TestIdle(t *testing.T) {
	within(t, func(b *bench) {
		for _, id := range ids(1, 50) {
			b.consume(id, nil)
		}
		store := &counting{Store: b.store}
		b.store = store
		_, stop := b.start(dispatch.Options{})
		time.Sleep(10 * time.Second)
		before := store.all.Load()
		time.Sleep(5 * time.Minute)
		if calls := store.all.Load() - before; calls > 202 {
			t.Errorf("%d calls in five minutes", calls)
		}
		stop()
	})
}

// TestLosesLease: who cannot renew its lease has stopped before another one has it, also in the middle of a delivery.
func TestLosesLease(t *testing.T) {
	within(t, func(b *bench) {
		shared := b.store
		store := &mortal{Store: shared}
		b.store = store
		var ended atomic.Pointer[time.Time]
		var hanging atomic.Bool
		hanging.Store(true)
		b.answer = func(ctx context.Context, c dispatch.Consumer, e event.Event, _ int) dispatch.Result {
			if hanging.Load() {
				<-ctx.Done()
				ended.Store(new(time.Now()))
				return dispatch.Result{Problem: "TIMEOUT"}
			}
			return dispatch.Result{Delivered: true}
		}
		b.write("post.created", "post/1")
		b.consume("a", nil)
		d, stop := b.start(dispatch.Options{})
		time.Sleep(20 * time.Second)
		dead := time.Now()
		store.dead.Store(true)
		var free time.Time
		for free.IsZero() {
			time.Sleep(10 * time.Millisecond)
			if held, err := shared.Lease(b.Context(), "other", []string{"a"}, time.Minute); len(held) > 0 || err != nil {
				free = time.Now()
			}
		}
		if ended.Load() == nil || ended.Load().After(free) || free.Sub(dead) > 10*time.Second+20*time.Millisecond {
			t.Errorf("dead at %v, ended at %v, free at %v", dead, ended.Load(), free)
		}
		store.dead.Store(false)
		hanging.Store(false)
		if _, err := shared.Lease(b.Context(), "other", []string{"a"}, 0); err != nil {
			t.Fatal(err)
		}
		d.Wake()
		time.Sleep(10 * time.Second)
		if c, _ := b.consumer("a"); c.Position != 1 || c.State != dispatch.Active || len(b.got("a")) != 2 {
			t.Errorf("%+v after %d", c, len(b.got("a")))
		}
		stop()
	})
}

// TestGrace: what is under way at the end may end, and what does not is cut off and says nothing of the receiver.
func TestGrace(t *testing.T) {
	within(t, func(b *bench) {
		b.answer = func(ctx context.Context, c dispatch.Consumer, e event.Event, _ int) dispatch.Result {
			if e.ID == "e1" {
				time.Sleep(2 * time.Second)
				return dispatch.Result{Delivered: true}
			}
			<-ctx.Done()
			return dispatch.Result{}
		}
		b.write("post.created", "post/1", "post/2")
		b.consume("a", nil)
		_, stop := b.start(dispatch.Options{})
		time.Sleep(time.Second)
		at := time.Now()
		stop()
		if c, _ := b.consumer("a"); c.Position != 1 || c.State != dispatch.Active || len(b.deliveries("a")) != 1 || time.Since(at) != 5*time.Second {
			t.Errorf("after %v: %+v", time.Since(at), c)
		}
	})
}

// TestChangesWhileItRuns: a consumer that is changed, disabled or removed by others.
func TestChangesWhileItRuns(t *testing.T) {
	within(t, func(b *bench) {
		b.consume("a", nil)
		b.consume("gone", nil)
		d, stop := b.start(dispatch.Options{})
		step := func(change func(*dispatch.Consumer)) {
			b.consume("a", change)
			d.Wake()
			time.Sleep(100 * time.Millisecond)
			d.Notify(b.write("post.created", "post/1"))
			time.Sleep(100 * time.Millisecond)
		}
		step(func(c *dispatch.Consumer) { c.Types = []string{"user.*"} })                                            // e1
		step(func(c *dispatch.Consumer) { c.Types = []string{"*"} })                                                 // e2
		step(func(c *dispatch.Consumer) { c.State, c.Reason = dispatch.Disabled, dispatch.ReasonByRequest })         // e3
		step(func(c *dispatch.Consumer) { c.State, c.Reason, c.Position = dispatch.Active, "", 3 })                  // e4
		step(func(c *dispatch.Consumer) { c.Position = 0; c.Config = []byte(`{}`); c.Types = []string{"post.new"} }) // e5
		if got := b.got("a"); len(got) != 2 || got[0] != "e2" || got[1] != "e4" {
			t.Error(got)
		}
		b.consume("a", func(c *dispatch.Consumer) { c.Position, c.Types = 1, nil }) // back
		d.Wake()
		time.Sleep(100 * time.Millisecond)
		if got := b.got("a")[2:]; !slices.Equal(got, ids(2, 5)) {
			t.Error("sent back to 1 it got", got)
		}
		if _, err := b.store.Change(b.Context(), "gone", func(*dispatch.Consumer) (*dispatch.Consumer, error) { return nil, nil }); err != nil {
			t.Fatal(err)
		}
		step(nil)
		if n := len(b.got("gone")); n != 5 {
			t.Error("removed after 5, and got", n)
		}
		stop()
	})
}
