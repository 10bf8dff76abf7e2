package limit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tributary/internal/redisclient/redistest"
)

func TestRefundsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newFake(fine)
		l := New(all(), shared)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = l.Run(ctx) })
		give := func() {
			d := l.Admit(t.Context(), everyone, 100)
			synctest.Wait()
			l.Refund(d, 60)
		}
		if synctest.Wait(); shared.asked.Load() != 1 {
			t.Error("it did not connect")
		}
		start := time.Now()
		for range 3 {
			give()
			time.Sleep(time.Millisecond)
		}
		if got := <-shared.credits; len(got) != 9 || time.Since(start) != 10*time.Millisecond {
			t.Errorf("%d amounts after %v", len(got), time.Since(start))
		}
		synctest.Wait()
		if d := l.Look(t.Context(), everyone); d.Tightest().Available != 380 {
			t.Errorf("%+v", d)
		}
		give()
		cancel()
		group.Wait()
		if got := <-shared.credits; len(got) != 3 || len(shared.credits) != 0 {
			t.Errorf("at the end it delivers %d amounts, then %d more times", len(got), len(shared.credits))
		}
	})
}

func TestRefundsThatAreDropped(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(context.Context) error
		misses int // before
		took   time.Duration
	}{
		{"down", down, 0, 0},
		{"hangs", hangs, 0, refundTimeout},
		{"resting", fine, maxMisses, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dropped := 0
				answer := fine
				cfg := all()
				cfg.Observer.RefundsDropped = func(n int) { dropped += n }
				l := New(cfg, newFake(func(ctx context.Context) error { return answer(ctx) }))
				l.Refund(l.Admit(t.Context(), everyone, 5), 5)
				answer, l.guard.misses = c.answer, c.misses
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				start := time.Now()
				if err := l.Run(ended); err != nil || dropped != 3 || time.Since(start) != c.took {
					t.Errorf("%v, dropped %d in %v", err, dropped, time.Since(start))
				}
			})
		})
	}
}

// TestRefundQueueIsBounded fills the queue beyond its end: the newest amounts are kept.
func TestRefundQueueIsBounded(t *testing.T) {
	dropped := 0
	q := newRefunds(time.Second, func(n int) { dropped += n })
	for i := range maxRefunds + 10 {
		q.add(Entry{Amount: int64(i)})
	}
	sum, waiting := int64(0), q.take()
	for _, e := range waiting {
		sum += e.Amount
		if e.Amount < 10 {
			t.Errorf("number %d is kept", e.Amount)
		}
	}
	if dropped != 10 || len(waiting) != maxRefunds || sum != (maxRefunds+19)*maxRefunds/2 || len(q.take()) != 0 {
		t.Errorf("%d dropped, %d kept", dropped, len(waiting))
	}
	q.add(Entry{Amount: 1})
	if got := q.take(); len(got) != 1 {
		t.Errorf("%d after it was emptied", len(got))
	}
}

// TestRefundsReachRedis spends and gives back by two replicas, and has both shut down.
func TestRefundsReachRedis(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	cfg := Config{User: Limits{Points: Rate{10_000, never}}, Budget: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	var running, asking sync.WaitGroup
	for range 2 {
		l := New(cfg, NewRedis(server.Client()))
		running.Go(func() { _ = l.Run(ctx) })
		for range 4 {
			asking.Go(func() {
				for range 100 {
					l.Refund(l.Admit(t.Context(), Caller{UserID: "u"}, 10), 7)
				}
			})
		}
	}
	asking.Wait()
	cancel()
	running.Wait()
	d := New(cfg, NewRedis(server.Client())).Look(t.Context(), Caller{UserID: "u"})
	if got := d.Buckets[0].Available; got != 10_000-800*3 {
		t.Errorf("%d are left", got)
	}
}
