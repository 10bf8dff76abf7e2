package wire_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tributary/internal/operation"
	"tributary/internal/wire"
)

// socket is a client that speaks for itself.
type socket struct {
	*net.TCPConn
	t      *testing.T
	reader *bufio.Reader
}

func (s *site) dial(t *testing.T) *socket {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &socket{conn.(*net.TCPConn), t, bufio.NewReader(conn)}
}

func (c *socket) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// post sends a request of a body whose rest may be missing.
func (c *socket) post(body, missing string) {
	c.t.Helper()
	c.write(fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body)+len(missing), body))
}

// read reads one answer.
func (c *socket) read() reply {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(raw)}
}

// closed waits for the server's end of the connection.
func (c *socket) closed() {
	c.t.Helper()
	if n, err := c.reader.Read(make([]byte, 1)); n > 0 || err == nil {
		c.t.Error("more comes than was asked for")
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		c.t.Error("the connection stays open")
	}
}

func await(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not happen")
	}
}

func TestSlowBodiesAreCut(t *testing.T) {
	s := newSite(t)
	s.http.BodyTimeout = 100 * time.Millisecond
	t.Run("nothing comes", func(t *testing.T) {
		conn := s.dial(t)
		conn.post(query[:5], query[5:])
		conn.read().wants(t, http.StatusRequestTimeout, wire.CodeRequestTimeout)
		conn.closed()
	})
	t.Run("byte by byte", func(t *testing.T) {
		conn := s.dial(t)
		conn.post("", strings.Repeat(" ", 1000))
		drip := time.NewTicker(10 * time.Millisecond)
		defer drip.Stop()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 1000 {
				<-drip.C
				if _, err := io.WriteString(conn, " "); err != nil {
					return
				}
			}
		}()
		start := time.Now()
		conn.read().wants(t, http.StatusRequestTimeout, wire.CodeRequestTimeout)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		conn.Close()
		await(t, done)
	})
	t.Run("in chunks", func(t *testing.T) {
		conn := s.dial(t)
		conn.write("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"que\r\n")
		conn.read().wants(t, http.StatusRequestTimeout, wire.CodeRequestTimeout)
		conn.closed()
	})
	// What is refused before it is read does not wait for longer.
	for name, head := range map[string]string{
		"of a wrong type": "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n",
		"of a GET":        "GET /graphql?query=%7Becho%7D HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
		"of a page":       "POST /graphql HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 9\r\n\r\n",
		"of a preflight":  "OPTIONS /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := s.dial(t)
			conn.write(head)
			conn.read()
			conn.closed()
		})
	}
}

func TestSlowHeadersAreCut(t *testing.T) {
	s := &site{Server: httptest.NewUnstartedServer(newSite(t).Config.Handler)}
	s.Config.ReadHeaderTimeout = 100 * time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	conn := s.dial(t)
	conn.write("POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	conn.closed()
}

// TestTheDeadlineOfABodyEndsWithIt holds that neither the operation nor the next request on the connection inherits it.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	s := newSite(t)
	s.http.BodyTimeout = 50 * time.Millisecond
	s.executor = executorFunc(func(ctx context.Context, op *operation.Prepared) *operation.Result {
		select {
		case <-ctx.Done():
		case <-time.After(150 * time.Millisecond): // long enough for the deadline of the body
		}
		if ctx.Err() != nil {
			return &operation.Result{Data: []byte("null")}
		}
		return echo{}.Execute(ctx, op, nil)
	})
	conn := s.dial(t)
	for range 2 {
		conn.post(query, "")
		conn.read().wants(t, http.StatusOK, "")
	}
}

func TestPipelinedRequests(t *testing.T) {
	s := newSite(t)
	conn := s.dial(t)
	const get = "GET /graphql?query=query+B+%7Becho%7D HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(query), query)
	conn.write(post + get + strings.Replace(post, "application/json", "text/plain", 1) + post)
	conn.read().wants(t, http.StatusOK, "")
	second := conn.read()
	second.wants(t, http.StatusOK, "")
	if got := second.echoed(t).Operation; got != "B" {
		t.Errorf("the second answer is that of %q", got)
	}
	conn.read().wants(t, http.StatusUnsupportedMediaType, wire.CodeUnsupportedMediaType)
	conn.read().wants(t, http.StatusOK, "")
}

func TestTheWorkEndsWhenTheClientHangsUp(t *testing.T) {
	for name, request := range map[string]string{
		"POST":   fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(query), query),
		"chunks": fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(query), query),
		"GET":    "GET /graphql?query=%7Becho%7D HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			started, ended := make(chan struct{}), make(chan struct{})
			s.executor = executorFunc(func(ctx context.Context, _ *operation.Prepared) *operation.Result {
				close(started)
				<-ctx.Done()
				close(ended)
				return &operation.Result{Data: []byte("null")}
			})
			conn := s.dial(t)
			conn.write(request)
			await(t, started)
			conn.Close()
			await(t, ended)
		})
	}
}

func TestAGETHasNoBody(t *testing.T) {
	s := newSite(t)
	conn := s.dial(t)
	conn.write("GET /graphql?query=%7Becho%7D HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nSECRET")
	conn.read().wants(t, http.StatusBadRequest, wire.CodeBadRequest)
}
