package wire

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// The codes of connections that are refused.
const (
	CodeTooManyConnections = "TOO_MANY_CONNECTIONS"
	CodeServerDraining     = operation.CodeDraining
)

const (
	maxQueuedBytes = 64 << 10 // of payloads that one slow connection may have waiting
	reservedBytes  = 8 << 10  // beyond them, for what has to be said last
)

// The times and bounds of Connections that are not given others.
const (
	DefaultInitTimeout    = 10 * time.Second
	DefaultPingEvery      = 25 * time.Second
	DefaultKeepAliveEvery = 15 * time.Second
	DefaultCloseTimeout   = 5 * time.Second
	DefaultStallTimeout   = 10 * time.Second
	DefaultMaxPerCaller   = 1000
)

// ConnectionsConfig is what Connections go by; 0 takes the default.
type ConnectionsConfig struct {
	InitTimeout    time.Duration // for a websocket to be initialised
	PingEvery      time.Duration // of websockets; who answers none of three is gone
	KeepAliveEvery time.Duration // of event streams
	CloseTimeout   time.Duration // for a client to close after the server did
	StallTimeout   time.Duration // for a client to take 4 KB that wait for it
	DrainOver      time.Duration // from the end of Run's context until everything is closed; 0: at once
	MaxPerCaller   int           // connections of one user, API key or, without either, address
	Logger         *slog.Logger  // of panics; nil: nothing is logged
}

// Connections are the connections that stay: websockets and event streams. It closes them when the program ends and bounds how
// many a caller has. It is safe for concurrent use.
type Connections struct {
	config ConnectionsConfig
	wheel  wheel
	ctx    context.Context // of everything that runs for a connection
	cancel context.CancelFunc

	running sync.WaitGroup
	mu      sync.Mutex
	open    map[link]struct{}
	callers map[string]int
	ended   bool

	scratches scratches
}

// link is one connection.
type link interface {
	ringer
	drain() // says goodbye and closes within CloseTimeout
	drop()  // closes now
}

// NewConnections makes Connections. Their timeouts and pings need Run.
func NewConnections(config ConnectionsConfig) *Connections {
	config.InitTimeout = cmp.Or(config.InitTimeout, DefaultInitTimeout)
	config.PingEvery = cmp.Or(config.PingEvery, DefaultPingEvery)
	config.KeepAliveEvery = cmp.Or(config.KeepAliveEvery, DefaultKeepAliveEvery)
	config.CloseTimeout = cmp.Or(config.CloseTimeout, DefaultCloseTimeout)
	config.StallTimeout = cmp.Or(config.StallTimeout, DefaultStallTimeout)
	config.MaxPerCaller = cmp.Or(config.MaxPerCaller, DefaultMaxPerCaller)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	shortest := min(config.InitTimeout, config.PingEvery, config.KeepAliveEvery, config.CloseTimeout)
	c := &Connections{config: config, open: map[link]struct{}{}, callers: map[string]int{}}
	c.wheel.tick = min(max(shortest/16, 5*time.Millisecond), 250*time.Millisecond)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Run keeps the time of the connections until ctx ends, and closes them then, one after the other over three quarters of
// DrainOver so that clients do not all come back at once. It returns, always with nil, when the last has been closed.
func (c *Connections) Run(ctx context.Context) error {
	turning, stop := context.WithCancel(context.WithoutCancel(ctx))
	var turned sync.WaitGroup
	turned.Go(func() { c.wheel.run(turning) })
	<-ctx.Done()
	c.drain()
	c.cancel()
	stop()
	turned.Wait()
	return nil
}

func (c *Connections) drain() {
	deadline := time.NewTimer(c.config.DrainOver)
	defer deadline.Stop()
	c.mu.Lock()
	c.ended = true
	links := make([]link, 0, len(c.open))
	for l := range c.open {
		links = append(links, l)
	}
	c.mu.Unlock()
	start, over := time.Now(), c.config.DrainOver*3/4
	for i, l := range links {
		if wait := over*time.Duration(i)/time.Duration(len(links)) - time.Since(start); wait > time.Millisecond {
			time.Sleep(wait) // nobody else may stop this
		}
		l.drain()
	}
	gone := make(chan struct{})
	go func() {
		c.running.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return
	case <-deadline.C:
	}
	for _, l := range links {
		l.drop()
	}
	<-gone
}

// callerKey names who a connection counts for; empty for somebody of whom not even the address is known.
func callerKey(v auth.Viewer, ip netip.Addr) string {
	switch {
	case v.UserID != "":
		return "user " + v.UserID
	case v.KeyID != "":
		return "key " + v.KeyID
	case ip.IsValid():
		return "ip " + ip.String()
	}
	return ""
}

// take counts one connection more for a caller, unless it has as many as it may or the program ends.
func (c *Connections) take(caller string) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return &refusal{http.StatusServiceUnavailable, CodeServerDraining, "this server stops: connect again"}
	}
	if caller == "" {
		return nil
	}
	if c.callers[caller] >= c.config.MaxPerCaller {
		return &refusal{http.StatusTooManyRequests, CodeTooManyConnections, "too many connections are open: close some, or put more operations on each"}
	}
	c.callers[caller]++
	return nil
}

// give takes back what take counted.
func (c *Connections) give(caller string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.callers[caller]--; c.callers[caller] <= 0 {
		delete(c.callers, caller)
	}
}

// start runs a connection's loop until it ends. It says whether the connection is taken: it is not once the program ends.
func (c *Connections) start(l link, loop func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.open[l] = struct{}{}
	c.running.Go(func() { // a goroutine of its own: that of the request has a stack that has grown
		defer func() {
			c.mu.Lock()
			delete(c.open, l)
			c.mu.Unlock()
		}()
		loop()
	})
	return true
}

// guard runs what works for a connection, and logs its panic.
func (c *Connections) guard(work func()) (ok bool) {
	defer func() {
		if value := recover(); value != nil {
			c.config.Logger.Error("panic", "value", fmt.Sprint(value), "stack", string(debug.Stack()))
			ok = false
		}
	}()
	work()
	return true
}
