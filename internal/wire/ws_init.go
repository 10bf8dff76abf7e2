package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// initialise says who the client is and acknowledges the connection.
func (c *wsConn) initialise(payload json.RawMessage) {
	c.initialised = true
	request, ok := withCredentials(c.request, payload)
	c.request = nil
	if !ok {
		c.close(closeForbidden, "Forbidden")
		return
	}
	viewer, ip, err := c.ws.HTTP.Identify(request)
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		c.close(closeTryLater, "who calls cannot be checked now")
		return
	case err != nil:
		c.close(closeForbidden, "Forbidden")
		return
	}
	view, wrong := c.ws.HTTP.Views.Choose(versionAsked(request, viewer.Version))
	if wrong != nil {
		c.close(closeInvalid, wrong.Code)
		return
	}
	c.view = view
	if refused := c.moveTo(callerKey(viewer, ip)); refused != nil {
		c.close(closeTryLater, refused.code)
		return
	}
	client, version := Client(request.Header)
	c.call = operation.Call{Viewer: viewer, IP: ip, Client: client, ClientVersion: version, RequestID: RequestID(request.Context())}
	c.limit = c.ws.maxMessageBytes()
	now := time.Now()
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.acked, c.pingAt = true, now.Add(c.ws.Connections.config.PingEvery)
	c.ws.Connections.wheel.set(&c.alarm, untilNext(now, c.pingAt, viewer.Expires))
	c.mu.Unlock()
	c.say(ackMessage)
}

// withCredentials puts the credentials of connection_init into the header of the upgrade, in place of those there, and likewise the client's
// name. Names are those of the header fields, in any case. ok is false if a credential is not a string.
func withCredentials(r *http.Request, payload json.RawMessage) (request *http.Request, ok bool) {
	if isNothing(payload) {
		return r, true
	}
	var params map[string]any
	if decodeJSON(payload, &params) != nil {
		return nil, false
	}
	shown := http.Header{}
	for name, value := range params {
		name = http.CanonicalHeaderKey(name)
		credential := name == "Authorization" || name == "X-Api-Key"
		if !credential && !namesClient(name) || value == nil {
			continue
		}
		text, isText := value.(string)
		if !isText && credential {
			return nil, false
		}
		shown.Add(name, strings.TrimSpace(text))
	}
	if len(shown) == 0 {
		return r, true
	}
	request = r.Clone(r.Context())
	if len(shown["Authorization"])+len(shown["X-Api-Key"]) > 0 {
		request.Header.Del("Authorization")
		request.Header.Del("X-Api-Key")
	}
	for name, values := range shown {
		request.Header[name] = values
	}
	return request, true
}

// moveTo has the connection count for somebody else.
func (c *wsConn) moveTo(caller string) *refusal {
	if caller == c.caller {
		return nil
	}
	if refused := c.ws.Connections.take(caller); refused != nil {
		return refused
	}
	c.ws.Connections.give(c.caller)
	c.caller = caller
	return nil
}
