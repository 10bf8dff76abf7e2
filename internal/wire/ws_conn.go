package wire

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tributary/internal/operation"
)

// wsConn is one websocket. Its loop reads; whoever has something to say writes to the queue.
type wsConn struct {
	ws      *WS
	queue   *queueConn
	socket  *websocket.Conn // only to be read from: it writes control frames by itself
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	working sync.WaitGroup // operations that are prepared or run
	alarm   alarm

	request     *http.Request // the upgrade; nil once the connection is initialised
	initialised bool          // only for the loop, as is request
	caller      string        // who it counts for
	call        operation.Call

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
		kind, raw, err := c.socket.Read(context.Background()) // ended by closing: a context would cost every read a timer
		if errors.Is(err, websocket.ErrMessageTooBig) {
			c.linger()
		}
		if err != nil {
			return
		}
		var step sync.WaitGroup
		step.Go(func() { // its stack grows, that of the loop stays small
			if !c.ws.Connections.guard(func() { c.handle(kind, raw) }) {
				c.close(closeInternal, "Internal server error")
			}
		})
		step.Wait()
	}
}

// linger reads on after the library has sent its last frame, so that the kernel does not take it back because of unread bytes.
func (c *wsConn) linger() {
	c.shut(nil)
	c.queue.finish(nil, true) // nobody would read the answer to that frame
	discard(c.queue)
}

// leave ends what runs for the connection and waits for it.
func (c *wsConn) leave() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.ws.Connections.wheel.stop(&c.alarm)
	c.cancel()
	_ = c.queue.Close() // before waiting: an operation may wait for room
	_ = c.socket.CloseNow()
	c.mu.Lock()
	operations := c.operations
	c.operations = nil
	c.mu.Unlock()
	for _, op := range operations {
		op.stop()
	}
	c.working.Wait()
	c.ws.Connections.give(c.caller)
}

// handle does what one message asks for.
func (c *wsConn) handle(kind websocket.MessageType, raw []byte) {
	c.mu.Lock()
	c.unanswered = 0 // any message is a sign of life
	acked, closing := c.acked, c.closing
	c.mu.Unlock()
	if closing {
		return
	}
	m, reason := parseMessage(raw)
	if kind != websocket.MessageText {
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
	case m.Type == "subscribe" && !acked:
		c.close(closeNotAcked, "Unauthorized")
	case m.Type == "subscribe":
		c.subscribe(m)
	}
}

// say sends a message that must not be left out: a client that does not even take that is dropped.
func (c *wsConn) say(parts ...[]byte) {
	if errors.Is(c.queue.send(appendFrame(nil, opcodeText, parts...), maxQueuedBytes+reservedBytes), errNoRoom) {
		c.drop()
	}
}

// close closes the connection with a code. It does not wait, neither for the client nor for operations, so that these may call it.
func (c *wsConn) close(code uint16, reason string) { c.shut(closeFrame(code, reason)) }

// shut sends the last frame.
func (c *wsConn) shut(last []byte) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.closing = true
	c.ws.Connections.wheel.set(&c.alarm, c.ws.Connections.config.CloseTimeout)
	c.mu.Unlock()
	c.queue.finish(last, false)
	c.cancel()
}

func (c *wsConn) drain() { c.close(closeDraining, "this server stops: connect again") }

// drop closes without a word.
func (c *wsConn) drop() { _ = c.queue.Close() }
