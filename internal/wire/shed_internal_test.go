package wire

import (
	"context"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestShedLimitComesDownOnlyForWhatLasts(t *testing.T) {
	const target = 100 * time.Millisecond
	type window struct {
		delay    time.Duration
		underWay int
		want     int
	}
	tests := map[string][]window{
		"a pause of the machine": {{time.Second, 500, 2048}, {0, 500, 2048}, {time.Second, 500, 2048}, {0, 500, 2048}},
		"just as long as it may": {{target, 2048, 2048}, {target, 2048, 2048}, {target, 2048, 2048}},
		"from where it means something": {
			{2 * target, 1000, 2048}, {2 * target, 1000, 800}, // held for two windows, in which it does not show yet
			{2 * target, 800, 800}, {2 * target, 800, 800}, {2 * target, 800, 640},
		},
		"by half at most, and up again":   {{time.Minute, 1000, 2048}, {time.Minute, 1000, 500}, {0, 10, 551}, {0, 10, 607}},
		"never below the least":           {{target * 4, 0, 2048}, {target * 4, 0, 16}, {0, 0, 18}},
		"a good window begins from anew":  {{2 * target, 100, 2048}, {0, 100, 2048}, {2 * target, 100, 2048}, {2 * target, 100, 80}},
		"services are slow, not this one": {{time.Millisecond, 2048, 2048}, {0, 2048, 2048}},
	}
	for name, windows := range tests {
		t.Run(name, func(t *testing.T) {
			limit := newShedLimit(16, 2048, target)
			for i, w := range windows {
				if got := int(limit.next(w.delay, w.underWay)); got != w.want {
					t.Fatalf("window %d: %d, want %d", i, got, w.want)
				}
			}
		})
	}
}

// TestShedLimitKeepsTheProcessorBusy offers a processor, of which each request takes five turns in the order of their coming, more
// than it can do. Refusing costs a fifteenth of answering.
func TestShedLimitKeepsTheProcessorBusy(t *testing.T) {
	const turn, turns, refusing = 200 * time.Microsecond, 5, 67 * time.Microsecond
	for _, times := range []float64{1.5, 2, 4} {
		random := rand.New(rand.NewPCG(1, 2))
		type task struct {
			left  int
			since time.Duration
		}
		limit := newShedLimit(16, 2048, 100*time.Millisecond)
		bound, underWay, answered, most := 2048, 0, 0, 0
		var queue []task
		var now, worst time.Duration
		next, look := time.Duration(0), shedWindow
		const length = 20 * time.Second
		for now < length {
			for ; next <= now; next += time.Duration(random.ExpFloat64() / times * float64(turn*turns)) {
				if underWay >= bound {
					now += refusing
					continue
				}
				underWay++
				queue = append(queue, task{turns, next})
			}
			if now >= look {
				bound, worst, look = int(limit.next(worst, underWay)), 0, look+shedWindow
			}
			if now > 2*time.Second { // until then nothing was known
				most = max(most, underWay)
			}
			if len(queue) == 0 {
				now = next
				continue
			}
			first := queue[0]
			queue = queue[1:]
			worst = max(worst, now-first.since)
			now += turn
			if first.left--; first.left > 0 {
				queue = append(queue, task{first.left, now})
				continue
			}
			underWay--
			answered++
		}
		best := float64(length / (turn * turns))
		// What refusing costs cannot be answered: (1 - times × refusing ÷ answering) ÷ (1 - refusing ÷ answering).
		const each = float64(refusing) / float64(turn*turns)
		possible := (1 - times*each) / (1 - each)
		t.Logf("%.1f times: %.0f %% answered, %.0f %% possible, %d under way at most", times, 100*float64(answered)/best, 100*possible, most)
		if float64(answered)/best < .97*possible || most > 700 {
			t.Errorf("%.1f times the rate: %.0f %% of the best, %d under way; want %.0f %%, no more than 700", times, 100*float64(answered)/best, most, 97*possible)
		}
	}
}

func TestOverloadFollowsTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var delay time.Duration
		set := func(d time.Duration) { mu.Lock(); delay = d; mu.Unlock() }
		o := NewOverload(OverloadConfig{MaxUnderWay: 100, Delay: 100 * time.Millisecond, Least: 4, Waited: func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return delay
		}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- o.Run(ctx) }()
		for range 100 {
			if !o.enter() {
				t.Fatal("refused although there is room")
			}
		}
		if o.enter() {
			t.Error("taken beyond the bound")
		}
		set(200 * time.Millisecond)
		time.Sleep(shedWindow*shedSustain + time.Millisecond)
		if o.Limit() != 80 || o.Waited() != 200*time.Millisecond {
			t.Errorf("the bound is %d after %v, want 80 after 200ms", o.Limit(), o.Waited())
		}
		for range 21 {
			o.leave()
		}
		if !o.enter() || o.enter() || o.UnderWay() != 80 {
			t.Errorf("%d are under way, want 80", o.UnderWay())
		}
		set(0)
		time.Sleep(time.Minute)
		if o.Limit() != 100 {
			t.Errorf("the bound is %d when all is well again, want 100", o.Limit())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestQuantileSince(t *testing.T) {
	h := &metrics.Float64Histogram{Buckets: []float64{0, .001, .01, .1, 1}, Counts: []uint64{10, 990, 20, 7}}
	tests := map[string]struct {
		before []uint64
		want   time.Duration
	}{
		"all":         {[]uint64{0, 0, 0, 0}, 10 * time.Millisecond},
		"the worst":   {[]uint64{0, 900, 20, 0}, 100 * time.Millisecond},
		"hardly any":  {[]uint64{10, 990, 0, 0}, 0},
		"all at once": {[]uint64{0, 890, 20, 7}, 1 * time.Millisecond},
	}
	for name, test := range tests {
		if got := quantileSince(test.before, h); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestSchedulingDelaySeesAQueue has goroutines wait for processors that are all taken.
func TestSchedulingDelaySeesAQueue(t *testing.T) {
	waited := SchedulingDelay()
	waited()
	var running sync.WaitGroup
	for range 2000 * runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for start := time.Now(); time.Since(start) < 100*time.Microsecond; {
			}
		})
	}
	running.Wait()
	if got := waited(); got < 5*time.Millisecond {
		t.Errorf("200 ms of work for each processor were waiting, and the last of it for %v", got)
	}
	if got := waited(); got > time.Second {
		t.Errorf("when nothing runs the delay is %v", got)
	}
}
