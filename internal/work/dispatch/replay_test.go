package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// TestReplay: it ends behind its last event, and what it delivered stands in the log of the consumer that it repeats.
func TestReplay(t *testing.T) {
	b := newSQLiteBench(t)
	b.write("post.created", "post/1", "post/2", "post/3", "post/4", "post/5")
	b.consume("a", func(c *dispatch.Consumer) { c.Position = 5 })
	b.consume("replay", func(c *dispatch.Consumer) { c.Position, c.Until, c.Of = 1, 4, "a" })
	b.consume("empty", func(c *dispatch.Consumer) { c.Position, c.Until, c.Of = 3, 3, "a" })
	b.consume("orphan", func(c *dispatch.Consumer) { c.Position, c.Until, c.Of = 4, 5, "none" })
	d, _ := b.start(dispatch.Options{})
	for _, id := range []string{"replay", "empty", "orphan"} {
		b.until(id+" has ended", func() bool {
			_, there := b.consumer(id)
			return !there
		})
	}
	if got := fmt.Sprint(sorted(b.got("replay")), b.got("empty"), b.got("orphan"), b.got("a")); got != "[e2 e3 e4] [] [e5] []" {
		t.Error(got)
	}
	log := b.deliveries("a")
	if len(log) != 3 || !log[0].Manual || log[0].Outcome != dispatch.Delivered {
		t.Errorf("%+v", log)
	}
	b.write("post.updated", "post/1")
	d.Notify(6)
	b.reaches("a", 6)
}

// TestReplayGivesUp: a replay whose receiver is gone just ends.
func TestReplayGivesUp(t *testing.T) {
	b := newSQLiteBench(t)
	b.answer = func(context.Context, dispatch.Consumer, event.Event, int) dispatch.Result {
		return dispatch.Result{Gone: true}
	}
	b.write("post.created", "post/1")
	b.consume("replay", func(c *dispatch.Consumer) { c.Until, c.Of = 1, "a" })
	b.start(dispatch.Options{OnDisabled: func(context.Context, dispatch.Consumer) error {
		t.Error("told of a replay")
		return nil
	}})
	b.until("it has ended", func() bool {
		_, there := b.consumer("replay")
		return !there
	})
}

func TestRedeliver(t *testing.T) {
	b := newSQLiteBench(t)
	b.write("post.created", "post/1", "post/2")
	b.consume("a", func(c *dispatch.Consumer) { c.State, c.Position = dispatch.Disabled, 1 })
	d, _ := b.start(dispatch.Options{})
	for i, want := range []dispatch.Outcome{dispatch.Delivered, dispatch.Refused} {
		got, err := d.Redeliver(t.Context(), "a", 2)
		if err != nil || got.Number != int64(i+1) || got.EventID != "e2" || !got.Manual || got.Outcome != want || got.Position != 2 {
			t.Errorf("%+v %v", got, err)
		}
		b.mu.Lock()
		b.answer = refuse
		b.mu.Unlock()
	}
	ping := event.Event{ID: "ping", Source: "gateway", Type: "webhook.ping", Subject: "webhook/a"}
	if got, err := d.Deliver(t.Context(), "a", ping); err != nil || got.Number != 3 || got.Type != "webhook.ping" {
		t.Errorf("%+v %v", got, err)
	}
	if c, _ := b.consumer("a"); c.Position != 1 || c.State != dispatch.Disabled || c.Attempts != 0 || c.Deliveries != 3 {
		t.Errorf("it moved: %+v", c)
	}
	if _, err := d.Redeliver(t.Context(), "none", 1); !errors.Is(err, dispatch.ErrUnknown) {
		t.Error(err)
	}
	for _, position := range []int64{-1, 0, 3} {
		if _, err := d.Redeliver(t.Context(), "a", position); !errors.Is(err, event.ErrTrimmed) {
			t.Error(position, err)
		}
	}
}

// TestLost: where the log does not go on, that is written down, and the consumer goes on at its first event.
func TestLost(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*dispatch.Consumer)
		want   string
	}{
		"trimmed":          {func(c *dispatch.Consumer) { c.Position = 0 }, "[LOST up to 2] then [e3 e4 e5]"},
		"another log":      {func(c *dispatch.Consumer) { c.Position, c.LogID = 4, "other" }, "[LOST up to 2] then [e3 e4 e5]"},
		"ahead of the log": {func(c *dispatch.Consumer) { c.Position = 1500 }, "[LOST up to 2] then [e3 e4 e5]"},
		"nothing":          {func(c *dispatch.Consumer) { c.Position = 2 }, "[] then [e3 e4 e5]"},
		"no log yet":       {func(c *dispatch.Consumer) { c.Position, c.LogID = 3, "" }, "[] then [e4 e5]"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newSQLiteBench(t)
			b.write("post.created", "post/1", "post/2")
			if err := b.log.(event.Keeper).Trim(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			b.write("post.created", "post/3", "post/4", "post/5")
			b.consume("a", test.change)
			b.start(dispatch.Options{})
			b.reaches("a", 5)
			lost := []string{}
			for _, d := range b.deliveries("a") {
				if d.Outcome == dispatch.Lost {
					lost = append(lost, fmt.Sprint("LOST up to ", d.Position))
				}
			}
			if got := fmt.Sprint(lost, " then ", sorted(b.got("a"))); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			bounds, _ := b.log.Bounds(t.Context())
			if c, _ := b.consumer("a"); c.LogID != bounds.ID {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestUnwanted: what nobody wants is passed by, and that is written down now and then.
func TestUnwanted(t *testing.T) {
	within(t, func(b *bench) {
		b.consume("a", func(c *dispatch.Consumer) { c.Types = []string{"user.*"} })
		store := &counting{Store: b.store}
		b.store = store
		d, stop := b.start(dispatch.Options{})
		time.Sleep(time.Second)
		last := b.write("post.created", slices.Repeat([]string{"post/1"}, 100)...)
		d.Notify(last)
		time.Sleep(time.Second)
		if c, _ := b.consumer("a"); c.Position != 0 || store.progress.Load() != 0 {
			t.Errorf("%+v after %d writes", c, store.progress.Load())
		}
		time.Sleep(5 * time.Second)
		if c, _ := b.consumer("a"); c.Position != 100 || store.progress.Load() != 1 {
			t.Errorf("%+v after %d writes", c, store.progress.Load())
		}
		for range 12 {
			last = b.write("post.created", slices.Repeat([]string{"post/1"}, 100)...)
		}
		d.Notify(last)
		time.Sleep(100 * time.Millisecond)
		if c, _ := b.consumer("a"); c.Position < 1000 || store.progress.Load() > 4 {
			t.Errorf("%+v after %d writes", c, store.progress.Load())
		}
		stop()
		if c, _ := b.consumer("a"); c.Position != last || len(b.got("a")) != 0 {
			t.Errorf("%+v", c)
		}
	})
}
