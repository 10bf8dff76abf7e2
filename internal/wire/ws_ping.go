package wire

import (
	"encoding/json"
	"slices"
	"time"
)

// maxUnanswered pings in a row mean that nobody is there any more.
const maxUnanswered = 3

// pong answers a ping with its payload.
func (c *wsConn) pong(payload json.RawMessage) {
	if len(payload) == 0 {
		c.say([]byte(`{"type":"pong"}`))
		return
	}
	c.say([]byte(`{"type":"pong","payload":`), payload, []byte(`}`))
}

// ring does what is due: a connection that was not initialised or did not close in time ends, an expired token ends it too, and
// otherwise it is time for a ping.
func (c *wsConn) ring(now time.Time) {
	expires := time.Time{}
	c.mu.Lock()
	acked, closing := c.acked, c.closing
	if acked {
		expires = c.call.Viewer.Expires
	}
	c.mu.Unlock()
	switch {
	case closing && c.queue.busy(): // what was said last is still under way
		c.ws.Connections.wheel.set(&c.alarm, c.ws.Connections.config.CloseTimeout)
	case closing:
		c.drop()
	case !acked:
		c.close(closeInitTimeout, "Connection initialisation timeout")
	case !expires.IsZero() && !now.Before(expires):
		c.close(closeForbidden, "Forbidden: the token has expired")
	default:
		c.ping(now)
	}
}

// ping sends a ping if it is time, with what a client has to know to go on: the cursor of each subscription up to which it has
// everything.
func (c *wsConn) ping(now time.Time) {
	c.mu.Lock()
	due := !now.Before(c.pingAt)
	if due {
		c.pingAt = now.Add(c.ws.Connections.config.PingEvery)
		c.unanswered++
	}
	if !c.closing {
		c.ws.Connections.wheel.set(&c.alarm, untilNext(now, c.pingAt, c.call.Viewer.Expires))
	}
	unanswered := c.unanswered
	var operations []*wsOperation
	if due {
		operations = slices.Clone(c.operations)
	}
	c.mu.Unlock()
	switch {
	case unanswered > maxUnanswered:
		c.drop()
	case due:
		c.say(pingWith(operations))
	}
}

// pingWith is a ping message with the bookmarks of operations.
func pingWith(operations []*wsOperation) []byte {
	cursors := map[string]string{}
	for _, op := range operations {
		if cursor := op.bookmark(); cursor != "" {
			cursors[op.id] = cursor
		}
	}
	if len(cursors) == 0 {
		return pingMessage
	}
	raw, _ := json.Marshal(map[string]any{"type": "ping", "payload": map[string]any{"cursors": cursors}}) // strings
	return raw
}
