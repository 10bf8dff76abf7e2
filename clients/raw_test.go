package clients

import (
	"bufio"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// aimAt has a service's calls go elsewhere from now on.
func aimAt(t testing.TB, s *service, to string) {
	t.Helper()
	base, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s.conns.close()
	if err := s.aim(base); err != nil {
		t.Fatal(err)
	}
}

// rawServer is a service made of sockets. Each connection is served by one call of serve, with its number from 1 on.
type rawServer struct {
	url    string
	opened atomic.Int32
}

func newRawServer(t testing.TB, serve func(c *rawConn)) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{url: "http://" + listener.Addr().String()}
	var work sync.WaitGroup
	var conns sync.Map
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			c := &rawConn{Conn: conn, in: bufio.NewReader(conn), number: int(s.opened.Add(1))}
			work.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		for conn := range conns.Range {
			_ = conn.(net.Conn).Close()
		}
		work.Wait()
	})
	return s
}

// rawConn is the service's end of a connection.
type rawConn struct {
	net.Conn
	in     *bufio.Reader
	number int
}

// asked reads a request; nil at the connection's end.
func (c *rawConn) asked() *http.Request {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	var body strings.Builder
	if _, err := bodyInto(&body, r); err != nil {
		return nil
	}
	return r
}

func (c *rawConn) say(text string) { _, _ = c.Write([]byte(text)) }

// gone waits for the other end to close.
func (c *rawConn) gone() { _, _ = c.in.ReadByte() }

// measured is an answer with its length.
func measured(body string) string {
	return head + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}
