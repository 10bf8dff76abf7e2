package engine

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// gather is a loader in small: what is asked for until the gate opens becomes one batch, which takes its time.
type gather struct {
	gate    *Gate
	takes   time.Duration
	mu      sync.Mutex
	waiting int
	done    chan struct{}
	batches []int
}

func (g *gather) load() {
	g.mu.Lock()
	g.waiting++
	first := g.waiting == 1
	if first {
		g.done = make(chan struct{})
	}
	done := g.done
	g.mu.Unlock()
	if first {
		g.gate.Later(g.begin)
	}
	g.gate.Outside(func() { <-done })
}

func (g *gather) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batches = append(g.batches, g.waiting)
	g.waiting = 0
	done := g.done
	time.AfterFunc(g.takes, func() { close(done) })
}

func TestGateOpensWhenTheLastFieldWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Hour)
		load := &gather{gate: g, takes: time.Second}
		start := time.Now()
		var all sync.WaitGroup
		g.enter(3)
		for i := range 3 {
			all.Go(func() {
				defer g.leave()
				time.Sleep(time.Duration(i) * time.Minute) // computes
				load.load()
				if got, want := time.Since(start), 2*time.Minute+time.Second; got != want {
					t.Errorf("field %d goes on after %v, want %v", i, got, want)
				}
			})
		}
		g.Outside(all.Wait)
		if !slices.Equal(load.batches, []int{3}) {
			t.Errorf("batches of %v, want one of 3", load.batches)
		}
		if g.running != 1 || len(g.waiting) != 0 || time.Since(start) != 2*time.Minute+time.Second {
			t.Errorf("%d run and %d wait after %v", g.running, len(g.waiting), time.Since(start))
		}
	})
}

func TestGateDoesNotWaitForWhatIsOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Hour)
		load := &gather{gate: g, takes: time.Second}
		start := time.Now()
		var all sync.WaitGroup
		g.enter(1)
		all.Go(func() {
			defer g.leave()
			g.Outside(func() { time.Sleep(time.Minute) })
		})
		load.load()
		if got := time.Since(start); got != time.Second {
			t.Errorf("the batch took %v, want 1s", got)
		}
		g.Outside(all.Wait)
	})
}

// A field that waits for something unknown to the gate holds batches up for the delay, counted anew for each batch.
func TestGateDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Second)
		load := &gather{gate: g, takes: 700 * time.Millisecond}
		var all sync.WaitGroup
		g.enter(1)
		all.Go(func() {
			defer g.leave()
			time.Sleep(time.Minute) // blocks
		})
		start := time.Now()
		for i := range 3 {
			load.load()
			if got, want := time.Since(start), time.Duration(i+1)*1700*time.Millisecond; got != want {
				t.Errorf("batch %d is there after %v, want %v", i, got, want)
			}
		}
		g.Outside(all.Wait)
	})
}

// A clock that was set for a batch does not cut the next one short.
func TestGateDelayIsOfOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Second)
		load := &gather{gate: g, takes: 100 * time.Millisecond}
		var all sync.WaitGroup
		g.enter(1)
		all.Go(func() {
			defer g.leave()
			time.Sleep(500 * time.Millisecond)
			load.load() // the last that computes: the gate opens, half a second before the clock
			time.Sleep(time.Minute)
		})
		load.load() // 600 ms
		start := time.Now()
		load.load()
		if got, want := time.Since(start), 1100*time.Millisecond; got != want {
			t.Errorf("the next batch is there after %v, want %v", got, want)
		}
		g.Outside(all.Wait)
	})
}

// A resolver may load from goroutines of its own, which the gate has not counted.
func TestGateOfUncountedGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Hour)
		load := &gather{gate: g, takes: time.Second}
		start := time.Now()
		var all sync.WaitGroup
		for range 5 {
			all.Go(load.load)
		}
		g.Outside(all.Wait)
		load.load()
		g.Outside(func() { load.load() })
		if got := time.Since(start); got > 10*time.Second || g.running != 1 {
			t.Errorf("took %v, %d run", got, g.running)
		}
	})
}

// What one batch has given to many fields lets them all ask for more before the next batch begins.
func TestFieldsWokenTogether(t *testing.T) {
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		large := 0
		for range 50 {
			g := newGate(time.Hour)
			load := &gather{gate: g}
			var all sync.WaitGroup
			g.enter(4)
			for range 4 {
				all.Go(func() {
					defer g.leave()
					load.load()
					load.load()
				})
			}
			g.Outside(all.Wait)
			if slices.Equal(load.batches, []int{4, 4}) {
				large++
			}
		}
		runtime.GOMAXPROCS(before)
		if large < 25 { // the scheduler decides; a gate that does not let them in has none
			t.Errorf("with %d processors %d of 50 rounds had two batches", procs, large)
		}
	}
}

// Fields that come, compute, load, wait elsewhere and go at random end all, and each batch is begun once.
func TestGateAtRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		paths := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6), 1, 8).Draw(rt, "fields")
		delay := time.Duration(rapid.IntRange(0, 5).Draw(rt, "delay")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			g := newGate(delay)
			load := &gather{gate: g, takes: time.Millisecond}
			loads, begun, later := 0, 0, 0
			var mu sync.Mutex
			var all sync.WaitGroup
			g.enter(len(paths))
			for _, path := range paths {
				all.Go(func() {
					defer g.leave()
					for i, what := range path {
						switch what {
						case 0:
							mu.Lock()
							loads++
							mu.Unlock()
							load.load()
						case 1:
							g.Outside(func() { time.Sleep(time.Duration(i) * time.Millisecond) })
						case 2:
							time.Sleep(time.Duration(i) * time.Millisecond)
						default:
							mu.Lock()
							later++
							mu.Unlock()
							done := make(chan struct{})
							g.Later(func() {
								mu.Lock()
								begun++
								mu.Unlock()
								close(done) // once
							})
							g.Outside(func() { <-done })
						}
					}
				})
			}
			g.Outside(all.Wait)
			sum := 0
			for _, n := range load.batches {
				sum += n
			}
			if sum != loads || slices.Contains(load.batches, 0) || g.running != 1 || len(g.waiting) != 0 || begun != later {
				rt.Errorf("%d loads in batches %v, %d of %d begun, %d run, %d wait", loads, load.batches, begun, later, g.running, len(g.waiting))
			}
		})
	})
}

func TestGateFrom(t *testing.T) {
	if GateFrom(t.Context()) != nil {
		t.Error("there is a gate outside of the engine")
	}
	z := newZoo(t, nil)
	var gates []*Gate
	z.singles["Mutation.set"] = func(ctx context.Context, _ any, _ map[string]any) (any, error) {
		gates = append(gates, GateFrom(ctx))
		return nil, nil
	}
	z.run(t, Run{}, `mutation{a: set(n: 1){id} b: set(n: 2){id}}`, nil)
	if len(gates) != 2 || gates[0] == nil || gates[0] != gates[1] {
		t.Errorf("gates of one operation: %v", gates)
	}
}
