package clients

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	reading = &request{method: "GET", endpoint: "/users", target: "/users?ids=a"}
	writing = &request{method: "POST", endpoint: "/users", target: "/users", key: "k", body: []byte(`{"a":1}`)}
)

// ask1 makes one exchange, without retries, and gives the body as it was handed over.
func ask1(ctx context.Context, c *Clients, r *request) (body string, x exchanged, err error) {
	x, err = c.Users.svc.exchange(ctx, time.Now().Add(time.Minute), r, func(a answer) (any, error) {
		body = string(a.body)
		return nil, nil
	})
	return body, x, err
}

func small(s *ServiceConfig) { s.MaxBodyBytes = 200_000 }

// framed is an answer as it stands on the wire.
type framed struct {
	name   string
	raw    string
	ends   bool   // the service closes behind it
	body   string // that is decoded
	fails  string // what the error says; empty: none
	status int    // 0: 200; -1: none
	kept   bool   // the connection is used again
}

func framedAnswers() []framed {
	chunks := head + "Transfer-Encoding: chunked\r\n\r\n"
	length := func(n int) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head, n) }
	long := strings.Repeat("x", 150_000)
	return []framed{
		{name: "length", raw: measured("{}"), body: "{}", kept: true},
		{name: "no body", raw: length(0), kept: true},
		{name: "longer than the buffer", raw: measured(long), body: long, kept: true},
		{name: "as long as the buffer", raw: measured(long[:maxHeadBytes]), body: long[:maxHeadBytes], kept: true},
		{name: "fields in lower case", raw: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", body: "{}", kept: true},
		{name: "chunks", raw: chunks + "1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n", body: "{}", kept: true},
		{name: "chunks with a trailer", raw: chunks + "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", body: "{}", kept: true},
		{name: "long chunks", raw: chunks + "186a0\r\n" + long[:100_000] + "\r\n0\r\n\r\n", body: long[:100_000], kept: true},
		{name: "204", raw: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, kept: true},
		{name: "103 and 100 first", raw: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + measured("{}"), body: "{}", kept: true},
		{name: "until the end", raw: head + "\r\n{}", ends: true, body: "{}"},
		{name: "HTTP/1.0", raw: "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", body: "{}"},
		{name: "the service wants to close", raw: head + "Connection: close\r\nContent-Length: 2\r\n\r\n{}", body: "{}"},
		{name: "header of 60 KiB", raw: head + "X: " + strings.Repeat("x", 60<<10) + "\r\nContent-Length: 2\r\n\r\n{}", body: "{}", kept: true},
		{name: "bytes behind", raw: measured("{}") + measured("[]"), body: "{}"},
		{name: "bytes behind 204", raw: "HTTP/1.1 204 No Content\r\n\r\n" + measured("[]"), status: 204},
		{name: "bytes behind chunks", raw: chunks + "2\r\n{}\r\n0\r\n\r\n" + measured("[]"), body: "{}"},
		{name: "an error", raw: "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}", status: 500, fails: "status 500", kept: true},
		{name: "switching protocols", raw: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", status: 101, fails: "status 101"},

		{name: "length cut off", raw: length(10) + "{}", ends: true, fails: "unexpected EOF"},
		{name: "long one cut off", raw: length(150_000) + long[:100_000], ends: true, fails: "unexpected EOF"},
		{name: "chunk cut off", raw: chunks + "9\r\n{}", ends: true, fails: "unexpected EOF"},
		{name: "last chunk missing", raw: chunks + "2\r\n{}\r\n", ends: true, fails: "unexpected EOF"},
		{name: "trailer cut off", raw: chunks + "2\r\n{}\r\n0\r\nX-Su", ends: true, fails: "unexpected EOF"},
		{name: "header cut off", raw: head + "X", ends: true, status: -1, fails: "unexpected EOF"},
		{name: "no chunk", raw: chunks + "secret\r\n", fails: "malformed"},
		{name: "no answer", raw: "secret!\r\n\r\n", status: -1, fails: "malformed"},
		{name: "two lengths", raw: head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", status: -1, fails: "malformed"},
		{name: "no length", raw: head + "Content-Length: secret\r\n\r\n{}", status: -1, fails: "malformed"},
		{name: "another coding", raw: head + "Transfer-Encoding: gzip\r\n\r\n{}", status: -1, fails: "malformed"},
		{name: "header of 70 KiB", raw: head + "X: " + strings.Repeat("x", 70<<10) + "\r\n\r\n{}", status: -1, fails: "64 KiB"},
		{name: "long body announced", raw: length(200_001), fails: "more than 200000 bytes"},
		{name: "long chunk", raw: chunks + "fffffff\r\n", fails: "more than 200000 bytes"},
		{name: "long without a length", raw: head + "\r\n" + long + long, fails: "more than 200000 bytes"},
		{name: "a long error", raw: "HTTP/1.1 500 Oh\r\nContent-Length: 100000\r\n\r\n", status: 500, fails: "status 500"},
	}
}

// TestAnswersOnTheWire gives each answer on a first connection and a plain one to whatever comes next.
func TestAnswersOnTheWire(t *testing.T) {
	for _, tc := range framedAnswers() {
		t.Run(tc.name, func(t *testing.T) {
			var given atomic.Bool
			s := newRawServer(t, func(c *rawConn) {
				for c.asked() != nil {
					if given.Swap(true) {
						c.say(measured(`"next"`))
						continue
					}
					if c.say(tc.raw); tc.ends {
						return
					}
				}
			})
			c := clientsOf(t, s.url, each(small))
			body, x, err := ask1(t.Context(), c, reading)
			if body != tc.body {
				t.Errorf("body of %d bytes, want %d", len(body), len(tc.body))
			}
			if want := max(cmp.Or(tc.status, 200), 0); x.status != want {
				t.Errorf("status %d, want %d", x.status, want)
			}
			if (err == nil) != (tc.fails == "") || (err != nil && (!strings.Contains(err.Error(), tc.fails) || kind(err) != KindUnavailable)) {
				t.Errorf("error %v, want %q", err, tc.fails)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has what the service sent: %v", err)
			}
			if body, _, err := ask1(t.Context(), c, reading); err != nil || body != `"next"` {
				t.Errorf("the next answer: %s %v", body, err)
			}
			if kept := s.opened.Load() == 1; kept != tc.kept {
				t.Errorf("%d connections", s.opened.Load())
			}
		})
	}
}

// TestCutOff ends the context at every stage of an exchange: it is over at once, with the context's own error, and so is the
// connection.
func TestCutOff(t *testing.T) {
	stages := map[string]struct {
		said string
		deaf bool // nothing is read, so that the request does not go out
	}{
		"writing":   {deaf: true},
		"waiting":   {},
		"in header": {said: head + "X: "},
		"in body":   {said: head + "Content-Length: 100\r\n\r\n{"},
		"in chunk":  {said: head + "Transfer-Encoding: chunked\r\n\r\n9\r\n{"},
		"to end":    {said: head + "\r\n{"},
		"in error":  {said: "HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\n{"},
	}
	for name, stage := range stages {
		for _, r := range []*request{reading, writing} {
			t.Run(name+" "+r.method, func(t *testing.T) {
				if stage.deaf {
					r = &request{method: "POST", endpoint: "/users", target: "/users", key: "k", body: make([]byte, 20<<20)}
				}
				reached, gone := make(chan struct{}), make(chan struct{})
				s := newRawServer(t, func(c *rawConn) {
					if stage.deaf {
						_, _ = c.in.Peek(1)
						close(reached)
						for _, err := c.in.Discard(1 << 20); err == nil; _, err = c.in.Discard(1 << 20) {
						}
					} else if c.asked() != nil {
						c.say(stage.said)
						close(reached)
						c.gone()
					}
					close(gone)
				})
				c := clientsOf(t, s.url)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-reached
					cancel()
				}()
				_, x, err := ask1(ctx, c, r)
				if !errors.Is(err, context.Canceled) || x.sent != (r.key != "") {
					t.Errorf("got %v, sent %v", err, x.sent)
				}
				<-gone
				if n := len(c.Users.svc.conns.idle); n != 0 {
					t.Errorf("%d connections kept", n)
				}
			})
		}
	}
}

// TestDeadlines hold without a timer of the connection's, and in a call are what they always were.
func TestDeadlines(t *testing.T) {
	s := newRawServer(t, func(c *rawConn) {
		for c.asked() != nil {
			c.say(head + "Content-Length: 100\r\n\r\n{")
		}
	})
	c := clientsOf(t, s.url, each(func(s *ServiceConfig) { s.Timeout, s.Retries = 20*time.Millisecond, 0 }))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := ask1(ctx, c, reading); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, x, err := ask1(ctx, c, writing); !errors.Is(err, context.DeadlineExceeded) || x.sent {
		t.Errorf("after the deadline: %v, sent %v", err, x.sent)
	}
	e, _ := errors.AsType[*Error](ask(t.Context(), c))
	if e == nil || e.Kind != KindUnavailable || e.Outage.Reason != Timeout {
		t.Errorf("a call: %v", e)
	}
}

// TestDialing tells that an attempt to connect ends with its context, that an error has no address, and that nothing was sent.
func TestDialing(t *testing.T) {
	for name, to := range map[string]string{
		"refused": refusingURL(t), "unknown": "http://nowhere.invalid:81", "unreachable": "http://255.255.255.255:81",
	} {
		c := clientsOf(t, to)
		_, x, err := ask1(t.Context(), c, writing)
		if kind(err) != KindUnavailable || x.sent {
			t.Errorf("%s: %v, sent %v", name, err, x.sent)
		}
		for _, part := range []string{"127.0.0.1", "nowhere", "255", ":81"} {
			if err != nil && strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error names an address: %v", name, err)
			}
		}
	}
	c := clientsOf(t, "http://127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	c.Users.svc.conns.dialer.net.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if _, x, err := ask1(ctx, c, writing); !errors.Is(err, context.Canceled) || x.sent {
		t.Errorf("left while dialing: %v, sent %v", err, x.sent)
	}
}
