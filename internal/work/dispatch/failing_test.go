package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// within runs a test on a clock of its own, over SQLite.
func within(t *testing.T, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newSQLiteBench(t)) })
}

const scale = 0.001

// refuse answers as a broken receiver does.
func refuse(context.Context, dispatch.Consumer, event.Event, int) dispatch.Result {
	return dispatch.Result{Status: 500, Problem: "STATUS_5XX", Excerpt: "no"}
}

// TestSchedule: what fails is tried again on the schedule, alone, until it is given up.
func TestSchedule(t *testing.T) {
	within(t, func(b *bench) {
		var told, disabled []dispatch.Consumer
		b.answer = refuse
		b.write("post.created", "post/1", "post/2")
		b.consume("a", nil)
		_, stop := b.start(dispatch.Options{Scale: scale, Window: 1,
			OnDisabled: func(_ context.Context, c dispatch.Consumer) error {
				told = append(told, c)
				if kept, _ := b.consumer("a"); kept.State != dispatch.Failing {
					b.Errorf("told after it was written: %+v", kept)
				}
				if len(told) == 1 {
					return errors.New("the mail does not go out")
				}
				return nil
			},
			Observer: dispatch.Observer{Disabled: func(c dispatch.Consumer) { disabled = append(disabled, c) }}})
		time.Sleep(10 * time.Minute)
		log := b.deliveries("a")
		rests := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
			20 * time.Hour, 24 * time.Hour}
		jittered := false
		for i := 1; i < len(log); i++ {
			want := time.Duration(float64(rests[min(i, len(rests))-1]) * scale)
			rest := log[i].At.Sub(log[i-1].At)
			if rest < want*8/10 || rest > want*12/10+10*time.Millisecond || !log[i-1].NextRetry.Truncate(time.Millisecond).Equal(log[i].At.Truncate(time.Millisecond)) {
				t.Errorf("attempt %d after %v, want about %v; told: %v, was %v", i+1, rest, want, log[i-1].NextRetry, log[i].At)
			}
			jittered = jittered || rest != want
			if log[i].Attempt != i+1 || log[i].EventID != "e1" || log[i].Outcome != dispatch.Refused || log[i].Problem != "STATUS_5XX" {
				t.Errorf("%+v", log[i])
			}
		}
		c, _ := b.consumer("a")
		since := log[len(log)-1].At.Sub(log[0].At)
		if c.State != dispatch.Disabled || c.Reason != dispatch.ReasonTooLong || c.Position != 0 || since < 432*time.Second || since > 540*time.Second || !jittered {
			t.Errorf("given up after %v: %+v", since, c)
		}
		if len(told) != 2 || len(disabled) != 1 || told[1].Reason != dispatch.ReasonTooLong || len(b.got("a")) != len(log) {
			t.Errorf("told %d, disabled %d, sent %d, written %d", len(told), len(disabled), len(b.got("a")), len(log))
		}
		stop()
	})
}

// TestRecovers: after a failure only the first is tried; what was delivered beside it does not go out again, and a restart
// does not begin the schedule anew.
func TestRecovers(t *testing.T) {
	within(t, func(b *bench) {
		var broken atomic.Bool
		broken.Store(true)
		b.answer = func(ctx context.Context, c dispatch.Consumer, e event.Event, attempt int) dispatch.Result {
			if e.ID == "e2" && broken.Load() {
				return refuse(ctx, c, e, attempt)
			}
			time.Sleep(100 * time.Millisecond) // it ends after the failure
			return dispatch.Result{Delivered: true}
		}
		b.write("post.created", "post/1", "post/2", "post/3", "post/4")
		b.write("post.updated", "post/1", "post/2")
		b.consume("a", nil)
		_, stop := b.start(dispatch.Options{})
		time.Sleep(3 * time.Second)
		c, _ := b.consumer("a")
		if got := fmt.Sprintln(sorted(b.got("a")), c.State, c.Position, c.Attempts); got != "[e1 e2 e3 e4] FAILING 1 1\n" {
			t.Error("after the failure:", got)
		}
		time.Sleep(7 * time.Second) // the second attempt
		c, _ = b.consumer("a")
		stop()
		if c.Attempts != 2 || c.FailingSince.IsZero() {
			t.Errorf("%+v", c)
		}
		_, stop = b.start(dispatch.Options{})
		time.Sleep(time.Until(c.RetryAt) - time.Second)
		if n := len(b.got("a")); n != 5 {
			t.Error("before its time there were", n, "attempts:", b.got("a"))
		}
		broken.Store(false)
		time.Sleep(3 * time.Second)
		c, _ = b.consumer("a")
		if c.State != dispatch.Active || c.Position != 6 || c.Attempts != 0 || !c.FailingSince.IsZero() || !c.RetryAt.IsZero() {
			t.Errorf("%+v", c)
		}
		if d := b.deliveries("a"); !slices.ContainsFunc(d, func(d dispatch.Delivery) bool { return d.EventID == "e2" && d.Attempt == 3 }) {
			t.Errorf("%+v", d)
		}
		stop()
	})
}

// TestSettledStaySettled: without a restart what was delivered beside a failure goes out once.
func TestSettledStaySettled(t *testing.T) {
	within(t, func(b *bench) {
		b.answer = func(ctx context.Context, c dispatch.Consumer, e event.Event, attempt int) dispatch.Result {
			if (e.ID == "e2" && attempt < 3) || (e.ID == "e5" && attempt < 2) {
				return refuse(ctx, c, e, attempt)
			}
			return dispatch.Result{Delivered: true}
		}
		b.write("post.created", "post/1", "post/2", "post/3", "post/4", "post/5", "post/6")
		b.consume("a", nil)
		d, stop := b.start(dispatch.Options{})
		time.Sleep(2 * time.Second)
		b.consume("a", func(c *dispatch.Consumer) { c.Config = []byte(`{"new":1}`) }) // in between
		d.Wake()
		time.Sleep(10 * time.Minute)
		b.reaches("a", 6)
		stop()
		count := map[string]int{}
		for _, id := range b.got("a") {
			count[id]++
		}
		if want := "map[e1:1 e2:3 e3:1 e4:1 e5:2 e6:1]"; fmt.Sprint(count) != want {
			t.Errorf("%v, want %s", count, want)
		}
	})
}

func TestOutcomes(t *testing.T) {
	durable := func(c dispatch.Consumer) bool { return c.ID == "durable" }
	for name, test := range map[string]struct {
		id     string
		result dispatch.Result // of e1's first attempt
		after  time.Duration
		want   string // state, reason, position, how often e1 was tried, deliveries written of it
	}{
		"gone":                  {"a", dispatch.Result{Gone: true, Status: 410}, time.Minute, "DISABLED GONE 0 1 1"},
		"gone but durable":      {"durable", dispatch.Result{Gone: true}, time.Minute, "ACTIVE  2 2 2"},
		"dead":                  {"a", dispatch.Result{Dead: true}, time.Minute, "ACTIVE  2 1 1"},
		"skipped":               {"a", dispatch.Result{Skipped: true}, time.Minute, "ACTIVE  2 1 0"},
		"retry after":           {"a", dispatch.Result{RetryAfter: time.Hour}, 59 * time.Minute, "FAILING  0 1 1"},
		"retry after an hour":   {"a", dispatch.Result{RetryAfter: time.Hour}, 61 * time.Minute, "ACTIVE  2 2 2"},
		"retry after no time":   {"a", dispatch.Result{RetryAfter: time.Second}, 3 * time.Second, "FAILING  0 1 1"},
		"retry after forever":   {"a", dispatch.Result{RetryAfter: 1000 * time.Hour}, 23 * time.Hour, "FAILING  0 1 1"},
		"retry after the bound": {"a", dispatch.Result{RetryAfter: 1000 * time.Hour}, 25 * time.Hour, "ACTIVE  2 2 2"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(b *bench) {
				b.answer = func(_ context.Context, _ dispatch.Consumer, e event.Event, attempt int) dispatch.Result {
					if e.ID == "e1" && attempt == 1 {
						return test.result
					}
					return dispatch.Result{Delivered: true}
				}
				b.write("post.created", "post/1")
				b.write("post.updated", "post/1")
				b.consume(test.id, nil)
				_, stop := b.start(dispatch.Options{Durable: durable, Lease: 10 * time.Minute})
				time.Sleep(test.after)
				c, _ := b.consumer(test.id)
				tries, written := 0, 0
				for _, id := range b.got(test.id) {
					if id == "e1" {
						tries++
					}
				}
				for _, d := range b.deliveries(test.id) {
					if d.EventID == "e1" {
						written++
					}
				}
				if got := fmt.Sprintf("%s %s %d %d %d", c.State, c.Reason, c.Position, tries, written); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
				stop()
			})
		})
	}
}

// TestDurable: reactions are never given up.
func TestDurable(t *testing.T) {
	within(t, func(b *bench) {
		b.answer = refuse
		b.write("post.created", "post/1")
		b.consume("a", nil)
		_, stop := b.start(dispatch.Options{Scale: scale, Durable: func(dispatch.Consumer) bool { return true }})
		time.Sleep(15 * time.Minute)
		if c, _ := b.consumer("a"); c.State != dispatch.Failing || c.Attempts < 12 {
			t.Errorf("%+v", c)
		}
		stop()
	})
}

// TestCrash: what was sent and not written down goes out again, the same event.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.db")
	store := &mortal{Store: openSQLite(t, path)}
	b := newBench(t, store)
	b.answer = func(_ context.Context, _ dispatch.Consumer, e event.Event, _ int) dispatch.Result {
		if e.ID == "e5" {
			store.dead.Store(true)
		}
		return dispatch.Result{Delivered: true}
	}
	for range 8 {
		b.write("post.created", "post/1")
	}
	b.consume("a", nil)
	_, stop := b.start(dispatch.Options{Lease: 500 * time.Millisecond})
	b.until("e5 is sent", func() bool { return slices.Contains(b.got("a"), "e5") })
	stop()
	first := b.got("a")
	b.store = openSQLite(t, path)
	b.mu.Lock()
	b.answer = nil
	b.mu.Unlock()
	b.start(dispatch.Options{Lease: 500 * time.Millisecond})
	b.reaches("a", 8)
	if got := b.got("a")[len(first):]; !slices.Contains(got, "e5") || !slices.Equal(got, ids(number(got[0]), 8)) {
		t.Errorf("first %v, then %v", first, got)
	}
}
