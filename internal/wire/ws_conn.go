package wire

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"tributary/internal/operation"
)

// wsConn is one websocket. Its loop reads; whoever has something to say writes to the queue. There are many, most of them quiet: what
// it holds is what a quiet one needs, and a context is had by an operation for as long as it works.
type wsConn struct {
	ws       *WS
	queue    *queueConn
	messages messageReader
	working  sync.WaitGroup // operations that are prepared or run
	alarm    alarm

	limit       int64         // bytes of a message; only for the loop, as are the next five
	request     *http.Request // the upgrade; nil once the connection is initialised
	initialised bool
	caller      string // who it counts for
	call        operation.Call
	view        *operation.View // as is this

	mu         sync.Mutex
	acked      bool
	closing    bool
	unanswered int
	pingAt     time.Time
	operations []*wsOperation
}

// run reads messages until the connection ends.
func (c *wsConn) run() {
	defer c.leave()
	for {
		opcode, payload, err := c.messages.read(c.limit)
		if err != nil {
			if code, reason := closeCode(err); code != 0 {
				c.linger(code, reason)
			}
			return
		}
		var step sync.WaitGroup
		step.Go(func() { // its stack grows, that of the loop stays small
			if !c.ws.Connections.guard(func() { c.handle(opcode, payload) }) {
				c.close(closeInternal, "Internal server error")
			}
		})
		step.Wait()
		if opcode == opcodeClose {
			return
		}
	}
}

// linger closes with a code and reads on, so that the kernel does not take the code back because of unread bytes.
func (c *wsConn) linger(code uint16, reason string) {
	c.close(code, reason)
	c.queue.finish(nil, true) // nobody would read the answer to that frame
	discard(c.messages.conn)
}

// leave ends what runs for the connection and waits for it.
func (c *wsConn) leave() {
	c.mu.Lock()
	c.closing = true
	operations := c.operations
	c.operations = nil
	c.mu.Unlock()
	c.ws.Connections.wheel.stop(&c.alarm)
	_ = c.queue.Close() // before waiting: an operation may wait for room
	for _, op := range operations {
		op.stop()
	}
	c.working.Wait()
	c.ws.Connections.give(c.caller)
}

// handle does what one message or control frame asks for.
func (c *wsConn) handle(opcode byte, payload []byte) {
	c.mu.Lock()
	c.unanswered = 0 // any message is a sign of life
	closing := c.closing
	c.mu.Unlock()
	switch {
	case opcode == opcodeClose:
		c.answerClose(payload)
	case closing || opcode == opcodePong:
	case opcode == opcodePing:
		c.send(appendFrame(nil, opcodePong, payload))
	default:
		c.obey(opcode, payload)
	}
}

// answerClose answers a close frame with its own payload, or says what is wrong with it.
func (c *wsConn) answerClose(payload []byte) {
	if err := checkClose(payload); err != nil {
		c.close(closeCode(err))
		return
	}
	c.shut(appendFrame(nil, opcodeClose, payload))
}

// obey does what one message of the protocol asks for.
func (c *wsConn) obey(opcode byte, raw []byte) {
	m, reason := parseMessage(raw)
	if opcode != opcodeText {
		reason = "Invalid message: it must be text"
	}
	switch {
	case reason != "":
		c.close(closeInvalid, reason)
	case m.Type == "connection_init" && c.initialised:
		c.close(closeSecondInit, "Too many initialisation requests")
	case m.Type == "connection_init":
		c.initialise(m.Payload)
	case m.Type == "ping":
		c.pong(m.Payload)
	case m.Type == "complete":
		c.stop(m.ID)
	case m.Type == "subscribe" && !c.initialised:
		c.close(closeNotAcked, "Unauthorized")
	case m.Type == "subscribe":
		c.subscribe(m)
	}
}

// say sends a message that must not be left out: a client that does not even take that is dropped.
func (c *wsConn) say(parts ...[]byte) { c.send(appendFrame(nil, opcodeText, parts...)) }

func (c *wsConn) send(frame []byte) {
	if errors.Is(c.queue.send(frame, maxQueuedBytes+reservedBytes), errNoRoom) {
		c.drop()
	}
}

// close closes the connection with a code. It does not wait, neither for the client nor for operations, so that these may call it.
func (c *wsConn) close(code uint16, reason string) { c.shut(closeFrame(code, reason)) }

// shut sends the last frame and ends the work of operations. Subscriptions end with the connection: until then they say nothing.
func (c *wsConn) shut(last []byte) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.closing = true
	c.ws.Connections.wheel.set(&c.alarm, c.ws.Connections.config.CloseTimeout)
	operations := slices.Clone(c.operations)
	c.mu.Unlock()
	c.queue.finish(last, false)
	for _, op := range operations {
		op.interrupt()
	}
}

// ends says whether the last frame has been sent.
func (c *wsConn) ends() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

func (c *wsConn) drain() { c.close(closeDraining, "this server stops: connect again") }

// drop closes without a word.
func (c *wsConn) drop() { _ = c.queue.Close() }
