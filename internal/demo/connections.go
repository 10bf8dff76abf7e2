package demo

import (
	"net"
	"net/http"
	"sync"
)

// connections follows the connections of a service, because http.Server does not say when the last has ended, and
// waits five seconds for those on which nothing was asked yet.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]http.ConnState
	none *sync.Cond
}

func newConnections() *connections {
	c := &connections{open: map[net.Conn]http.ConnState{}}
	c.none = sync.NewCond(&c.mu)
	return c
}

// track is the ConnState hook of the servers.
func (c *connections) track(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != http.StateClosed && state != http.StateHijacked {
		c.open[conn] = state
		return
	}
	delete(c.open, conn)
	if len(c.open) == 0 {
		c.none.Broadcast()
	}
}

// closeUnused breaks connections on which nothing was asked yet.
func (c *connections) closeUnused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, state := range c.open {
		if state == http.StateNew {
			conn.Close() // its goroutine finds out
		}
	}
}

// wait returns when no connection is left.
func (c *connections) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 {
		c.none.Wait()
	}
}
