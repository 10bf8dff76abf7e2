package wire_test

import (
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/wire"
)

// TestInternalErrors holds that a message which cannot be handled because of a mistake of ours closes its connection with 4500, says
// nothing of the mistake, and leaves the others alone.
func TestInternalErrors(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	var broken atomic.Bool
	s.http.Identify = func(r *http.Request) (auth.Viewer, netip.Addr, error) {
		if broken.Load() {
			panic("SECRET")
		}
		return identify(r)
	}
	other := s.ready(t)
	other.subscribe("1", subscription)
	s.ticks.members(t, 1)
	c := s.connect(t)
	broken.Store(true)
	c.send(`{"type":"connection_init"}`)
	c.wantsClose(4500, "Internal server error")
	s.ticks.emit("one")
	other.wants(`{"id":"1","type":"next","payload":{"data":{"ticks":"one"}}}`)
	broken.Store(false)
	s.ready(t) // its place is free again
	if strings.Contains(s.log.String(), "SECRET") {
		t.Error("the log of requests has what it should not")
	}
}
