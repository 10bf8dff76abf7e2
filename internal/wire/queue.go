package wire

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// errNoRoom says that a peer takes less than there is to send.
var errNoRoom = errors.New("the peer does not take what there is")

// flushBytes are written at a time while a peer is slow: each piece has to be taken within the stall timeout.
const flushBytes = 4 << 10

// queueConn is a connection whose writes do not wait for the peer. Each write is tried once; what the kernel does not take lies in a
// queue that a goroutine empties, which lives only as long as there is something in it. Reads are those of the connection. It is
// safe for concurrent use.
type queueConn struct {
	net.Conn
	raw     syscall.RawConn // nil: everything goes through the queue
	stall   time.Duration   // how long a peer may take nothing before the connection is closed
	running *sync.WaitGroup // what waits for the goroutine

	mu       sync.Mutex
	queue    []byte
	unsent   int // bytes of the queue and those that are being written
	flushing bool
	finished bool // nothing more is to be written
	hangUp   bool // close the sending side once everything is out
	closed   bool
	room     chan struct{} // closed once the queue is empty or takes nothing more; nil while nobody waits for that

	once struct { // of one attempt: here and not in a closure, which would be allocated anew each time
		call func(uintptr) bool
		p    []byte
		n    int
		err  error
	}
}

// newQueueConn takes over a connection.
func newQueueConn(conn net.Conn, stall time.Duration, running *sync.WaitGroup) *queueConn {
	q := &queueConn{Conn: conn, stall: stall, running: running}
	if plain, ok := conn.(syscall.Conn); ok {
		q.raw, _ = plain.SyscallConn() // without it everything goes through the queue
	}
	q.once.call = func(fd uintptr) bool {
		q.once.n, q.once.err = writeOnce(fd, q.once.p)
		return true
	}
	return q
}

// send writes all of p, now or as soon as the peer takes it, or nothing: errNoRoom says that more than so many bytes would wait. A p
// that is longer than that by itself finds room as long as no more wait before it: it must not fail for a few bytes that are just on
// their way. p is not kept.
func (q *queueConn) send(p []byte, most int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sendLocked(p, most)
}

func (q *queueConn) sendLocked(p []byte, most int) error {
	switch {
	case q.closed || q.finished:
		return net.ErrClosed
	case q.flushing && (q.unsent > most || q.unsent+len(p) > most && len(p) <= most):
		return errNoRoom
	case q.flushing:
		q.queue = append(q.queue, p...)
		q.unsent += len(p)
		return nil
	}
	n, err := q.attempt(p)
	if err != nil {
		q.closeLocked()
		return err
	}
	if n < len(p) {
		q.queue = append(q.queue, p[n:]...)
		q.unsent = len(p) - n
		q.flushing = true
		q.running.Go(q.flush)
	}
	return nil
}

// sendWaiting is send for those who may wait for an empty queue. It waits no longer than until the connection is finished or closed.
func (q *queueConn) sendWaiting(p []byte, most int) error {
	for {
		q.mu.Lock()
		err := q.sendLocked(p, most)
		if !errors.Is(err, errNoRoom) {
			q.mu.Unlock()
			return err
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		<-room
	}
}

// finish sends p as the last there is, however much waits before it, and ends the sending side then if told to hang up. What is
// written afterwards is dropped.
func (q *queueConn) finish(p []byte, hangUp bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(p) > 0 {
		_ = q.sendLocked(p, q.unsent+len(p)) // on a closed connection nobody is left to tell
	}
	q.finished, q.hangUp = true, hangUp
	q.wakeLocked()
	if hangUp && !q.flushing {
		q.hangUpLocked()
	}
}

// busy says whether something waits for the peer, which it does for as long as the peer goes on taking it.
func (q *queueConn) busy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.flushing && !q.closed
}

// attempt writes what the kernel takes at once.
func (q *queueConn) attempt(p []byte) (int, error) {
	if q.raw == nil {
		return 0, nil
	}
	q.once.p, q.once.n, q.once.err = p, 0, nil
	err := q.raw.Write(q.once.call)
	q.once.p = nil
	if err == nil {
		err = q.once.err
	}
	return q.once.n, err
}

// flush writes the queue until it is empty.
func (q *queueConn) flush() {
	for {
		q.mu.Lock()
		batch := q.queue
		q.queue = nil
		if len(batch) == 0 || q.closed {
			q.restLocked()
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for chunk := range slices.Chunk(batch, flushBytes) {
			_ = q.SetWriteDeadline(time.Now().Add(q.stall)) // fails for a closed connection only, and so does the write
			if _, err := q.Conn.Write(chunk); err != nil {
				_ = q.Close()
				break
			}
			q.mu.Lock()
			q.unsent -= len(chunk)
			q.mu.Unlock()
		}
	}
}

// restLocked goes back to writing directly.
func (q *queueConn) restLocked() {
	q.flushing, q.unsent = false, 0
	_ = q.SetWriteDeadline(time.Time{}) // or it would fail a later attempt
	q.wakeLocked()
	if q.hangUp && !q.closed {
		q.hangUpLocked()
	}
}

func (q *queueConn) hangUpLocked() {
	if half, ok := q.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	q.closeLocked()
}

// Close closes the connection and drops what has not been sent. A second call does nothing.
func (q *queueConn) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closeLocked()
}

func (q *queueConn) closeLocked() error {
	if q.closed {
		return nil
	}
	q.closed = true
	q.wakeLocked()
	return q.Conn.Close()
}

func (q *queueConn) wakeLocked() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// discard reads what nobody wants until the connection ends.
func discard(conn io.Reader) {
	bin := make([]byte, 64)
	for {
		if _, err := conn.Read(bin); err != nil {
			return
		}
	}
}
