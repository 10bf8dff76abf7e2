package wire_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/wire"
)

const subscription = "subscription { ticks }"

func TestSubscriptionsOverWebsocket(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	c, other := s.ready(t), s.ready(t)
	c.subscribe("a", subscription)
	c.subscribe(`b"`, subscription)
	other.subscribe("a", subscription)
	s.ticks.members(t, 3)
	big := strings.Repeat("x", 70_000)
	for _, text := range []string{"one", "two", strings.Repeat("y", 200), big} {
		s.ticks.emit(text)
		want := func(id string) string {
			return fmt.Sprintf(`{"id":"%s","type":"next","payload":{"data":{"ticks":"%s"}}}`, id, text)
		}
		if got, second := c.text(), c.text(); got+second != want("a")+want(`b\"`) && got+second != want(`b\"`)+want("a") {
			t.Fatalf("got %.300s and %.300s", got, second)
		}
		other.wants(want("a"))
	}
	c.send(`{"id":"a","type":"complete"}`)
	c.silent()
	s.ticks.emit("three")
	c.wants(`{"id":"b\"","type":"next","payload":{"data":{"ticks":"three"}}}`)
	other.wants(`{"id":"a","type":"next","payload":{"data":{"ticks":"three"}}}`)
	c.subscribe("a", subscription) // the id is free again
	c.silent()
	c.Close()
	other.Close()
	s.ticks.members(t, 0)
}

// TestBookmarks holds that a ping says how far a quiet subscription has come.
func TestBookmarks(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{PingEvery: 50 * time.Millisecond})
	c := s.ready(t)
	if _, payload, err := c.read(); err != nil || string(payload) != `{"type":"ping"}` {
		t.Fatalf("got %s, %v", payload, err)
	}
	c.subscribe("q", "subscription quiet { ticks }")
	s.ticks.members(t, 1)
	s.ticks.emit("one")
	s.ticks.emit("two")
	eventually(t, func() bool {
		_, payload, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		c.send(`{"type":"pong"}`)
		return string(payload) == `{"payload":{"cursors":{"q":"c2"}},"type":"ping"}`
	})
}

// TestSilentClientsAreDropped holds that who answers no ping is taken for gone.
func TestSilentClientsAreDropped(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{PingEvery: 20 * time.Millisecond})
	c := s.ready(t)
	pings := 0
	for {
		if _, _, err := c.read(); err != nil {
			break
		}
		pings++
	}
	if pings != 3 {
		t.Errorf("it went after %d pings", pings)
	}
}

func TestExpiredTokens(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	s.http.Identify = func(*http.Request) (auth.Viewer, netip.Addr, error) {
		return auth.Viewer{UserID: "ann", Expires: time.Now().Add(300 * time.Millisecond)}, netip.Addr{}, nil
	}
	c := s.ready(t)
	c.subscribe("1", subscription)
	start := time.Now()
	c.wantsClose(4403, "Forbidden: the token has expired")
	if took := time.Since(start); took < 200*time.Millisecond || took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	s.ticks.members(t, 0)
}

// TestDraining holds that clients are told one after the other to come back, and that no new ones get in.
func TestDraining(t *testing.T) {
	const clients = 20
	s := newStreamSite(t, wire.ConnectionsConfig{DrainOver: time.Second})
	var all []*bare
	for range clients {
		c := s.ready(t)
		c.subscribe("1", subscription)
		all = append(all, c)
	}
	rude := s.ready(t) // does not answer the close
	s.ticks.members(t, clients)
	start := time.Now()
	s.stop()
	var took []time.Duration
	times := make(chan time.Duration)
	for _, c := range all {
		go func() {
			c.wantsClose(1012, "")
			times <- time.Since(start)
		}()
	}
	for range clients {
		took = append(took, <-times)
	}
	if last := took[clients-1]; last < 400*time.Millisecond || last > 950*time.Millisecond || took[0] > 300*time.Millisecond {
		t.Errorf("they are closed after %s", took)
	}
	if c := s.upgrade(t); c.reply.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new client gets %s", c.reply.Status)
	}
	await(t, s.ended)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	_ = rude
	s.ticks.members(t, 0)
}

// TestSlowConsumers holds that who reads nothing delays nobody, has a bounded queue, and learns where to go on once it reads again.
func TestSlowConsumers(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	slow, fast := s.ready(t), s.ready(t)
	_ = slow.SetReadBuffer(64 << 10)
	slow.subscribe("s", subscription)
	fast.subscribe("f", subscription)
	s.ticks.members(t, 2)
	slow.silent()
	text := strings.Repeat("x", 16<<10)
	for range 500 { // 8 MB: more than what kernels keep
		start := time.Now()
		s.ticks.emit(text)
		fast.text()
		if took := time.Since(start); took > time.Second { // a stalled client would hold it up for ten
			t.Fatalf("the other one waited for %s", took)
		}
	}
	payloads := 0
	for {
		got := slow.text()
		if strings.HasPrefix(got, `{"id":"s","type":"next"`) {
			payloads++
			continue
		}
		if want := fmt.Sprintf(`"cursor":"c%d"`, payloads); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, operation.CodeSubscriptionTooSlow) || !strings.Contains(got, want) {
			t.Fatalf("after %d payloads comes %.300s", payloads, got)
		}
		break
	}
	if payloads == 0 || payloads == 500 {
		t.Errorf("%d payloads were delivered", payloads)
	}
	slow.silent() // the connection is as good as before
}

// TestStalledClientsAreDropped holds that a client that takes nothing at all does not stay.
func TestStalledClientsAreDropped(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{StallTimeout: 100 * time.Millisecond})
	c := s.ready(t)
	c.subscribe("1", "subscription { ticks }")
	s.ticks.members(t, 1)
	c.silent()
	text := strings.Repeat("x", 1<<20)
	for range 12 {
		s.ticks.emit(text)
	}
	s.ticks.members(t, 0)
	eventually(t, func() bool { _, _, err := c.read(); return err != nil })
}
