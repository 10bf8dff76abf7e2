package clients

import (
	"context"
	"os"
	"sync"
	"time"
)

// idleFor is how long a connection is kept without use.
const idleFor = 90 * time.Second

// connections are a service's connections that are idle; those in use belong to their exchanges. They are not bounded here,
// but by the bulkhead. Safe for concurrent use.
type connections struct {
	dialer *dialer
	most   int           // idle at a time
	keep   time.Duration // how long one stays idle
	mu     sync.Mutex
	idle   []*connection // the longest idle first
	reaper *time.Timer   // nil before the first; set for the end of the first of idle
	closed bool
}

func newConnections(d *dialer, most int) *connections {
	return &connections{dialer: d, most: most, keep: idleFor}
}

// take gives a connection to an exchange that has to be over at the deadline: the one that became idle last of those that
// still can be used, or a new one.
func (p *connections) take(ctx context.Context, deadline time.Time) (*connection, error) {
	for {
		if !time.Now().Before(deadline) { // every connection would look as if it were closed
			return nil, os.ErrDeadlineExceeded
		}
		c := p.pop()
		if c == nil {
			return p.dialer.dial(ctx, deadline)
		}
		if c.quiet(deadline) {
			return c, nil
		}
		c.close()
	}
}

func (p *connections) pop() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle[last], p.idle = nil, p.idle[:last]
	return c
}

// put takes a connection back for another exchange, or closes it where there are enough.
func (p *connections) put(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.most {
		c.close()
		return
	}
	c.idleFrom = time.Now()
	p.idle = append(p.idle, c)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.keep, p.reap)
	}
}

// reap closes what has been idle for too long, and comes back when the next will have been.
func (p *connections) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].idleFrom) >= p.keep {
		p.idle[old].close()
		old++
	}
	p.idle = append(p.idle[:0], p.idle[old:]...)
	clear(p.idle[len(p.idle):cap(p.idle)])
	switch {
	case len(p.idle) > 0 && !p.closed:
		p.reaper.Reset(p.keep - time.Since(p.idle[0].idleFrom))
	default:
		p.reaper = nil
	}
}

// close closes what is idle, and from now on what comes back.
func (p *connections) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
}
