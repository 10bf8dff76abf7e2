package wire

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"tributary/internal/operation"
)

// subprotocol is the one that is spoken: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
const subprotocol = "graphql-transport-ws"

// The bounds of a WS that names none of its own.
const (
	DefaultMaxMessageBytes = 1 << 20
	DefaultMaxOperations   = 100
)

const (
	maxInitBytes = 8 << 10 // of a message before the connection is acknowledged
	maxIDBytes   = 256     // of an operation's id
)

// WS answers the operations of an HTTP over websockets, and passes what is no websocket on to it. Connections must run for its
// timeouts. It must not be copied or changed once it serves, and is safe for concurrent use.
type WS struct {
	HTTP        *HTTP
	Connections *Connections

	MaxMessageBytes int64 // of a client's message
	MaxOperations   int   // at a time on one connection
}

// ServeHTTP upgrades a request that asks for it.
func (s *WS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !asksForWebsocket(r) {
		s.HTTP.ServeHTTP(w, r)
		return
	}
	if refused := s.HTTP.Origins.admit(w.Header(), r); refused != nil {
		writeRefusal(w, refused.status, refused.code, refused.message)
		return
	}
	if said := versionAsked(r, 0); said != (operation.Asked{}) { // else it is known when the connection is initialised
		view, wrong := s.HTTP.Views.Choose(said)
		if wrong != nil {
			setFields(w.Header(), wrong.Header)
			writeRefusal(w, wrong.Status, wrong.Code, wrong.Message)
			return
		}
		w.Header()["Api-Version"] = view.Label
		setFields(w.Header(), view.Header())
	}
	_, ip, _ := s.HTTP.Identify(r) // who it is counts when the connection is initialised
	caller := callerKey(operation.Call{}.Viewer, ip)
	if refused := s.Connections.take(caller); refused != nil {
		w.Header().Set("Retry-After", "5")
		writeRefusal(w, refused.status, refused.code, refused.message)
		return
	}
	if !s.upgrade(w, r, caller) {
		s.Connections.give(caller)
	}
}

func asksForWebsocket(r *http.Request) bool { return lists(r.Header, "Upgrade", "websocket") }

// upgrade starts a connection. It says whether there is one; if not, the request is answered.
func (s *WS) upgrade(w http.ResponseWriter, r *http.Request, caller string) bool {
	if refused := checkHandshake(w.Header(), r); refused != nil {
		writeRefusal(w, refused.status, refused.code, refused.message)
		return false
	}
	conn, early, spoken, err := shakeHands(w, r)
	if err != nil {
		return false // there is nobody left to tell
	}
	config := &s.Connections.config
	c := &wsConn{ws: s, queue: newQueueConn(conn, config.StallTimeout, &s.Connections.running), caller: caller, limit: maxInitBytes}
	c.messages.conn, c.messages.pending = conn, early
	c.request = r.WithContext(context.WithValue(s.Connections.ctx, requestIDKey{}, RequestID(r.Context())))
	c.alarm.owner = c
	s.Connections.wheel.set(&c.alarm, config.InitTimeout)
	if !s.Connections.start(c, c.run) {
		s.Connections.wheel.stop(&c.alarm)
		c.drop()
		return false
	}
	if !spoken {
		c.close(closeSubprotocol, "Subprotocol not acceptable")
	}
	return true
}

func (s *WS) maxMessageBytes() int64 { return cmp.Or(s.MaxMessageBytes, DefaultMaxMessageBytes) }

func (s *WS) maxOperations() int { return cmp.Or(s.MaxOperations, DefaultMaxOperations) }

// untilNext is when a connection has to be looked at next: for its ping, or because its token expires.
func untilNext(now, pingAt, expires time.Time) time.Duration {
	if !expires.IsZero() && expires.Before(pingAt) {
		return expires.Sub(now)
	}
	return pingAt.Sub(now)
}
