package clients

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// connection is a keep-alive connection to a service. One exchange at a time has it.
type connection struct {
	net.Conn          // what is written to and read from
	socket   net.Conn // below TLS, or the same
	raw      syscall.RawConn
	look     func(fd uintptr) bool // sets silent; made once, as are cut and what it needs, to allocate nothing in an exchange
	silent   bool
	probe    [1]byte
	cut      func()
	wasCut   chan struct{} // holds one; cut has run
	used     bool          // it has been through an exchange
	idleFrom time.Time
}

// past is a deadline that is over.
func past() time.Time { return time.Unix(1, 0) }

func newConnection(socket net.Conn, secured *tls.Conn) (*connection, error) {
	c := &connection{Conn: socket, socket: socket, wasCut: make(chan struct{}, 1)}
	if secured != nil {
		c.Conn = secured
	}
	if below, ok := socket.(syscall.Conn); ok {
		raw, err := below.SyscallConn()
		if err != nil {
			return nil, err
		}
		c.raw = raw
	}
	c.look = func(fd uintptr) bool {
		c.silent = nothingToRead(fd, c.probe[:])
		return true
	}
	c.cut = func() {
		_ = c.socket.SetDeadline(past())
		c.wasCut <- struct{}{}
	}
	return c, nil
}

// converse has a request sent and its answer read. The end of the context cuts that off at once; nothing touches the
// connection any more when this returns. whole tells that it was not cut.
func (c *connection) converse(ctx context.Context, w *wire) (whole bool, err error) {
	stop := context.AfterFunc(ctx, c.cut)
	err = w.converse(c)
	c.used = true
	if stop() {
		return true, err
	}
	<-c.wasCut
	return false, err
}

// quiet tells whether a connection that was idle can be used: the service has neither closed it nor said anything nobody had
// asked for, which would be taken for the next answer. A ticket that TLS sends late counts as that too, and costs a connection.
// What it is used for has to be over at the deadline.
func (c *connection) quiet(deadline time.Time) bool {
	if c.Conn != c.socket {
		_ = c.socket.SetReadDeadline(past())
		if n, err := c.Conn.Read(c.probe[:]); n > 0 || !isTimeout(err) { // what TLS has read and not handed out
			return false
		}
	}
	if c.socket.SetDeadline(deadline) != nil {
		return false
	}
	if c.raw == nil {
		return true
	}
	c.silent = false
	return c.raw.Read(c.look) == nil && c.silent
}

// close closes the socket without TLS's farewell, for which it might have to wait.
func (c *connection) close() { _ = c.socket.Close() }
