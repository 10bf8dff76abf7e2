package clients

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOneConnectionServesCallAfterCall, reads and writes alike.
func TestOneConnectionServesCallAfterCall(t *testing.T) {
	s := newRawServer(t, func(c *rawConn) {
		for c.asked() != nil {
			c.say(measured("{}"))
		}
	})
	c := clientsOf(t, s.url)
	for i := range 100 {
		r := reading
		if i%3 == 0 {
			r = writing
		}
		if _, _, err := ask1(t.Context(), c, r); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestAsManyAreKeptAsCallsAreAllowed, and the rest is closed.
func TestAsManyAreKeptAsCallsAreAllowed(t *testing.T) {
	const calls, most = 8, 3
	var together, closed sync.WaitGroup
	together.Add(calls)
	closed.Add(calls - most)
	s := newRawServer(t, func(c *rawConn) {
		for first := true; c.asked() != nil; first = false {
			if first {
				together.Done()
				together.Wait()
			}
			c.say(measured("{}"))
		}
		if c.number <= calls {
			closed.Done()
		}
	})
	c := clientsOf(t, s.url, each(func(s *ServiceConfig) { s.Concurrency = most }))
	var work sync.WaitGroup
	for range calls {
		work.Go(func() {
			if _, _, err := ask1(t.Context(), c, reading); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	closed.Wait()
	closed.Add(most) // for those that Close will end
	if n := len(c.Users.svc.conns.idle); n != most {
		t.Errorf("%d kept", n)
	}
}

// TestAServiceThatClosedMeanwhile costs neither a read nor a write anything where that can be seen before it is sent.
func TestAServiceThatClosedMeanwhile(t *testing.T) {
	for _, r := range []*request{reading, writing} {
		closed := make(chan struct{}, 8)
		s := newRawServer(t, func(c *rawConn) {
			c.asked()
			c.say(measured("{}"))
			_ = c.Close()
			closed <- struct{}{}
		})
		c := clientsOf(t, s.url)
		for range 5 {
			if _, _, err := ask1(t.Context(), c, r); err != nil {
				t.Fatalf("%s: %v", r.method, err)
			}
			<-closed
		}
		if n := s.opened.Load(); n != 5 {
			t.Errorf("%s: %d connections", r.method, n)
		}
	}
}

// TestAServiceThatClosesOnTheRequest has a read sent again once if the connection was a kept one; a write never, though it may
// have arrived.
func TestAServiceThatClosesOnTheRequest(t *testing.T) {
	for _, tc := range []struct {
		r      *request
		first  int // answers that a connection gives before it closes without one
		fails  bool
		opened int32
	}{{reading, 1, false, 2}, {writing, 1, true, 1}, {reading, 0, true, 1}, {writing, 0, true, 1}} {
		var asked atomic.Int32
		s := newRawServer(t, func(c *rawConn) {
			for range tc.first {
				c.asked()
				asked.Add(1)
				c.say(measured("{}"))
			}
			if c.asked() != nil {
				asked.Add(1)
			}
		})
		c := clientsOf(t, s.url)
		if tc.first > 0 {
			if _, _, err := ask1(t.Context(), c, reading); err != nil {
				t.Fatal(err)
			}
		}
		_, x, err := ask1(t.Context(), c, tc.r)
		if (err != nil) != tc.fails || x.sent != (tc.r.key != "") || (err != nil && kind(err) != KindUnavailable) {
			t.Errorf("%s after %d answers: %v, sent %v", tc.r.method, tc.first, err, x.sent)
		}
		if got := s.opened.Load(); got != tc.opened {
			t.Errorf("%s after %d answers: %d connections", tc.r.method, tc.first, got)
		}
		if got, want := asked.Load(), int32(tc.first)+tc.opened; got != want {
			t.Errorf("%s after %d answers: %d requests, want %d", tc.r.method, tc.first, got, want)
		}
	}
}

// TestWhatNobodyAskedFor is no answer to the next request, also if it comes late.
func TestWhatNobodyAskedFor(t *testing.T) {
	said := make(chan struct{}, 1)
	s := newRawServer(t, func(c *rawConn) {
		for c.asked() != nil {
			c.say(measured(`"asked"`))
			if c.number == 1 {
				c.say(measured(`"unasked"`))
				said <- struct{}{}
			}
		}
	})
	c := clientsOf(t, s.url)
	for range 3 {
		if body, _, err := ask1(t.Context(), c, reading); err != nil || body != `"asked"` {
			t.Errorf("got %s %v", body, err)
		}
		if s.opened.Load() == 1 {
			<-said
		}
	}
	if n := s.opened.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// TestIdleConnectionsAreClosed when their time is over, each at its own.
func TestIdleConnectionsAreClosed(t *testing.T) {
	gone := make(chan int, 4)
	var together sync.WaitGroup
	together.Add(2)
	s := newRawServer(t, func(c *rawConn) {
		c.asked()
		together.Done()
		together.Wait()
		c.say(measured("{}"))
		c.gone()
		gone <- c.number
	})
	c := clientsOf(t, s.url)
	c.Users.svc.conns.keep = 20 * time.Millisecond
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() { _, _, _ = ask1(t.Context(), c, reading) })
	}
	work.Wait()
	<-gone
	<-gone
	pool := c.Users.svc.conns
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if len(pool.idle) != 0 || pool.reaper != nil {
		t.Errorf("%d idle, reaper %v", len(pool.idle), pool.reaper)
	}
}

// TestCloseClosesConnections, those that are idle at once and those in use when they come back.
func TestCloseClosesConnections(t *testing.T) {
	gone := make(chan struct{}, 2)
	second, answers := make(chan struct{}), make(chan struct{})
	s := newRawServer(t, func(c *rawConn) {
		c.asked()
		if c.number == 2 {
			close(second)
			<-answers
		}
		c.say(measured("{}"))
		c.gone()
		gone <- struct{}{}
	})
	c := clientsOf(t, s.url)
	pool := c.Users.svc.conns
	first, err := pool.dialer.dial(t.Context(), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	w := newWire()
	w.most = 10
	if err := w.write(t.Context(), c.Users.svc, reading); err != nil {
		t.Fatal(err)
	}
	if whole, err := first.converse(t.Context(), w); !whole || err != nil || !w.ended {
		t.Fatal(whole, err)
	}
	done := make(chan error)
	go func() {
		_, _, err := ask1(t.Context(), c, reading)
		done <- err
	}()
	<-second
	pool.put(first)
	pool.close()
	<-gone
	close(answers)
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-gone
}

// TestTLS checks the certificate against the service's name, keeps connections, and does not wait for a handshake.
func TestTLS(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || r.ProtoMajor != 1 {
			t.Errorf("%s over %v", r.Proto, r.TLS)
		}
		plain("application/json", `"hello"`)(w, r)
	}))
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { opened.Add(1); return ctx }
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := clientsOf(t, s.URL)
	if _, x, err := ask1(t.Context(), c, writing); kind(err) != KindUnavailable || x.sent {
		t.Errorf("unknown authority: %v, sent %v", err, x.sent)
	}
	secure := c.Users.svc.conns.dialer.secure
	secure.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	opened.Store(0)
	for range 20 {
		if body, _, err := ask1(t.Context(), c, reading); err != nil || body != `"hello"` {
			t.Fatalf("got %s %v", body, err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	c.Users.svc.conns.close()
	secure.ServerName = "elsewhere.test"
	if _, _, err := ask1(t.Context(), c, reading); kind(err) != KindUnavailable || strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("another name: %v", err)
	}
}

// TestTLSHandshakesEnd with the timeout of an attempt, or with the context.
func TestTLSHandshakesEnd(t *testing.T) {
	s := newRawServer(t, func(c *rawConn) {
		for _, err := c.in.ReadByte(); err == nil; _, err = c.in.ReadByte() {
		}
	})
	c := clientsOf(t, strings.Replace(s.url, "http:", "https:", 1), each(func(s *ServiceConfig) { s.Timeout = 20 * time.Millisecond }))
	_, x, err := ask1(t.Context(), c, writing)
	if e, _ := errors.AsType[*Error](err); e == nil || e.Outage.Reason != Timeout || x.sent {
		t.Errorf("got %v, sent %v", err, x.sent)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, _, err := ask1(ctx, c, reading); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestWhatNobodyAskedForUnderTLS is found where it is: read with the answer, or still in the socket.
func TestWhatNobodyAskedForUnderTLS(t *testing.T) {
	for _, together := range []bool{true, false} {
		said := make(chan struct{}, 1)
		var opened atomic.Int32
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			forged := opened.Add(1) == 1
			text := measured(`"asked"`)
			for in := bufio.NewReader(conn); err == nil; _, err = http.ReadRequest(in) {
				first, second := text, ""
				if forged && together {
					first, second = text[:len(text)-3], text[len(text)-3:]+measured(`"unasked"`)
				}
				_, _ = io.WriteString(conn, first)
				_, _ = io.WriteString(conn, second)
				if forged && !together {
					_, _ = io.WriteString(conn, measured(`"unasked"`))
				}
				if forged {
					said <- struct{}{}
				}
			}
		}))
		c := clientsOf(t, s.URL)
		c.Users.svc.conns.dialer.secure.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		for i := range 3 {
			if body, _, err := ask1(t.Context(), c, reading); err != nil || body != `"asked"` {
				t.Errorf("together %v: got %s %v", together, body, err)
			}
			if i == 0 {
				<-said
			}
		}
		if n := opened.Load(); n != 2 {
			t.Errorf("together %v: %d connections", together, n)
		}
		c.Close()
		s.Close()
	}
}

// lastRead does something when the last of an answer is read, before it is handed over.
type lastRead struct {
	net.Conn
	answer io.Reader
	then   func()
}

func (c *lastRead) Read(p []byte) (int, error) {
	n, err := c.answer.Read(p)
	c.then()
	return n, err
}

func (c *lastRead) Write(p []byte) (int, error)    { return len(p), nil }
func (c *lastRead) SetDeadline(at time.Time) error { return nil }

// TestCutOffBehindTheAnswer leaves the answer whole, and the connection to nobody else.
func TestCutOffBehindTheAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cutNow := make(chan struct{})
	c, err := newConnection(&lastRead{answer: strings.NewReader(measured("{}")), then: func() { cancel(); <-cutNow }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cut := c.cut
	c.cut = func() { close(cutNow); cut() }
	w := newWire()
	w.most = 10
	whole, err := c.converse(ctx, w)
	if whole || err != nil || string(w.body) != "{}" || len(c.wasCut) != 0 {
		t.Errorf("whole %v, %v, body %q, %d ends not waited for", whole, err, w.body, len(c.wasCut))
	}
}
