package engine

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Gate tells loaders when nobody can add to their batches: once every field of the operation that runs is waiting. A batch is then as
// large as it can become, and no clock has to be watched. It is safe for concurrent use.
type Gate struct {
	mu      sync.Mutex
	delay   time.Duration // how long one waits for fields that compute
	running int           // fields that compute
	waiting []func()      // what to begin once none does
	clock   *time.Timer   // runs for what waits, nil when no field has left since
	round   int           // counts how often what waited has begun
}

type gateKey struct{}

func newGate(delay time.Duration) *Gate { return &Gate{running: 1, delay: delay} }

func withGate(ctx context.Context, g *Gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

// GateFrom is the gate of the operation under way, nil when another executor runs it.
func GateFrom(ctx context.Context) *Gate {
	g, _ := ctx.Value(gateKey{}).(*Gate)
	return g
}

// Later has begin called once no field computes any more, on the goroutine of the field that stops last; or at last when the operation's
// delay has passed, since a field may wait for something that is no loader's. begin must not block. Its field then waits by Outside.
func (g *Gate) Later(begin func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, begin)
}

// Outside is for waiting: until wait returns, the field does not count as computing. Without a gate it is just called.
func (g *Gate) Outside(wait func()) {
	if g == nil {
		wait()
		return
	}
	g.leave()
	defer g.enter(1)
	wait()
}

// open begins what waits, if nobody computes; else its time begins to run.
func (g *Gate) open() {
	g.mu.Lock()
	var begin []func()
	switch {
	case g.running <= 0: // below 0: a resolver waits on goroutines of its own
		begin = g.allLocked()
	case len(g.waiting) > 0 && g.clock == nil:
		round := g.round
		g.clock = time.AfterFunc(g.delay, func() { g.late(round) })
	}
	g.mu.Unlock()
	for _, f := range begin {
		f()
	}
}

// late begins what has waited for too long, unless that has begun meanwhile: what waits then has a time of its own.
func (g *Gate) late(round int) {
	g.mu.Lock()
	var begin []func()
	if round == g.round {
		begin = g.allLocked()
	}
	g.mu.Unlock()
	for _, f := range begin {
		f()
	}
}

// allLocked takes what waits, to be begun.
func (g *Gate) allLocked() []func() {
	begin := g.waiting
	g.waiting = nil
	g.round++
	if g.clock != nil {
		g.clock.Stop()
		g.clock = nil
	}
	return begin
}

func (g *Gate) enter(n int) {
	g.mu.Lock()
	g.running += n
	g.mu.Unlock()
}

// leave begins what waits when the last field leaves.
func (g *Gate) leave() {
	g.mu.Lock()
	g.running--
	last := g.running <= 0 && len(g.waiting) > 0
	g.mu.Unlock()
	if last {
		runtime.Gosched() // a batch that is done wakes many fields: let the others in before the first begins the next batch alone
	}
	g.open()
}
