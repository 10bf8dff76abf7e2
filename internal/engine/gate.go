package engine

import (
	"context"
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
	armed   bool          // a clock runs for what waits
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

// Outside is for waiting: until wait returns, the field does not count as computing.
func (g *Gate) Outside(wait func()) {
	g.leave()
	defer g.enter(1)
	wait()
}

// expire begins what has waited long enough.
func (g *Gate) expire() {
	g.mu.Lock()
	g.armed = false
	begin := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	for _, f := range begin {
		f()
	}
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
	var begin []func()
	switch {
	case g.running == 0:
		begin, g.waiting = g.waiting, nil
	case len(g.waiting) > 0 && !g.armed:
		g.armed = true
		time.AfterFunc(g.delay, g.expire)
	}
	g.mu.Unlock()
	for _, f := range begin {
		f()
	}
}
