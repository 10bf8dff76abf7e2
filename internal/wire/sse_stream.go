package wire

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"tributary/internal/operation"
)

var (
	completeEvent = []byte("event: complete\ndata: \n\n") // with data: browsers drop events that have none
	comment       = []byte(":\n\n")
)

// sseStream is the event stream of one subscription. Its loop waits for the client to leave; whoever has something to say writes
// to the queue.
type sseStream struct {
	connections *Connections
	caller      string                  // who it counts for
	sub         *operation.Subscription // set before the stream opens
	alarm       alarm

	mu     sync.Mutex
	queue  *queueConn // nil until the stream opens
	before []byte     // what has to be said then
	done   bool       // nothing more is sent
	marked string     // the last id that was sent
}

func newSSEStream(connections *Connections, caller string) *sseStream {
	s := &sseStream{connections: connections, caller: caller}
	s.alarm.owner = s
	return s
}

// open sends the header and what there is already, and starts the loop.
func (s *sseStream) open(conn net.Conn, header http.Header) {
	setEventFields(header)
	header.Set("Connection", "close") // the stream ends with it
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(head) // a buffer takes everything
	head.WriteString("\r\n")
	head.Write(comment) // there are proxies that pass on no header before the first byte behind it
	s.mu.Lock()
	s.queue = newQueueConn(conn, s.connections.config.StallTimeout, &s.connections.running)
	_ = s.queue.send(append(head.Bytes(), s.before...), maxQueuedBytes) // it fails for a client that has gone, which the loop sees
	s.before = nil
	if s.done {
		s.hangUpLocked(nil)
	} else {
		s.connections.wheel.set(&s.alarm, s.connections.config.KeepAliveEvery)
	}
	s.mu.Unlock()
	started := s.connections.start(s, func() {
		defer s.leave()
		discard(conn)
	})
	if !started {
		s.leave()
	}
}

// leave ends the subscription after the client has left.
func (s *sseStream) leave() {
	s.mu.Lock()
	s.done = true
	queue := s.queue
	s.connections.wheel.stop(&s.alarm)
	s.mu.Unlock()
	if queue != nil {
		_ = queue.Close()
	}
	s.sub.Close()
	s.connections.give(s.caller)
}

// Deliver sends a payload; see operation.Member.
func (s *sseStream) Deliver(p operation.Payload) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return true
	}
	buf := s.connections.scratches.get()
	defer s.connections.scratches.put(buf)
	*buf = appendEvent(*buf, p.Cursor, p.JSON)
	s.marked = p.Cursor
	return s.sendLocked(*buf, maxQueuedBytes)
}

// sendLocked says whether there was room.
func (s *sseStream) sendLocked(p []byte, most int) bool {
	if s.queue != nil {
		return !errors.Is(s.queue.send(p, most), errNoRoom)
	}
	if len(s.before) > 0 && len(s.before)+len(p) > most {
		return false
	}
	s.before = append(s.before, p...)
	return true
}

// End tells the client why there is no more; see operation.Member. A server that stops says nothing: the client comes back.
func (s *sseStream) End(e operation.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return
	}
	var last []byte
	switch e.Reason {
	case operation.EndDraining:
	case operation.EndComplete:
		last = completeEvent
	default:
		last = append(appendEvent(nil, e.Cursor, marshal(response{Errors: endErrors(e)})), completeEvent...)
	}
	s.hangUpLocked(last)
}

// hangUpLocked sends the last there is and gives the client some time to leave.
func (s *sseStream) hangUpLocked(last []byte) {
	s.done = true
	if s.queue == nil {
		s.before = append(s.before, last...)
		return
	}
	s.queue.finish(last, true)
	s.connections.wheel.set(&s.alarm, s.connections.config.CloseTimeout)
}

func (s *sseStream) drain() { s.End(operation.End{Reason: operation.EndDraining}) }

func (s *sseStream) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		_ = s.queue.Close()
	}
}

// ring drops a client that did not leave in time, and otherwise keeps the connection alive: with a bookmark where the stream went on
// without anything to say.
func (s *sseStream) ring(time.Time) {
	bookmark := s.sub.Bookmark() // not under the lock: who delivers holds both the other way round
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		if s.queue.busy() { // what was said last is still under way
			s.connections.wheel.set(&s.alarm, s.connections.config.CloseTimeout)
			return
		}
		_ = s.queue.Close()
		return
	}
	s.connections.wheel.set(&s.alarm, s.connections.config.KeepAliveEvery)
	if bookmark == "" || bookmark == s.marked {
		_ = s.sendLocked(comment, maxQueuedBytes) // where there is no room the connection is alive without it
		return
	}
	if s.sendLocked([]byte("id: "+bookmark+"\n\n"), maxQueuedBytes) {
		s.marked = bookmark
	}
}

// appendEvent appends a next event. Line ends in JSON are only between its tokens, so that they may as well be spaces.
func appendEvent(to []byte, id string, raw []byte) []byte {
	to = append(to, "event: next\n"...)
	if id != "" {
		to = append(append(append(to, "id: "...), id...), '\n')
	}
	to = append(to, "data: "...)
	start := len(to)
	to = append(to, raw...)
	if bytes.ContainsAny(raw, "\r\n") {
		for i, c := range to[start:] {
			if c == '\r' || c == '\n' {
				to[start+i] = ' '
			}
		}
	}
	return append(to, "\n\n"...)
}
