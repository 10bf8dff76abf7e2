package wire_test

import (
	"net/http"
	"testing"

	"tributary/internal/wire"
)

// TestHandshakes holds what is refused of a request for a websocket, and that a refused one counts for nobody.
func TestHandshakes(t *testing.T) {
	const whole = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
	s := newStreamSite(t, wire.ConnectionsConfig{MaxPerCaller: 1})
	for name, tt := range map[string]struct {
		line, fields string
		status       int
	}{
		"HTTP/1.0":            {"GET /graphql HTTP/1.0", whole, http.StatusUpgradeRequired},
		"by POST":             {"POST /graphql HTTP/1.1", whole + "\r\nContent-Length: 0", http.StatusMethodNotAllowed},
		"no Connection":       {"GET /graphql HTTP/1.1", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", http.StatusUpgradeRequired},
		"an older version":    {"GET /graphql HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", http.StatusUpgradeRequired},
		"no key":              {"GET /graphql HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13", http.StatusBadRequest},
		"two keys":            {"GET /graphql HTTP/1.1", whole + "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", http.StatusBadRequest},
		"a short key":         {"GET /graphql HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=", http.StatusBadRequest},
		"a key not in base64": {"GET /graphql HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ?", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			c.write(tt.line + "\r\nHost: localhost\r\n" + tt.fields + "\r\n\r\n")
			reply := c.read()
			if reply.status != tt.status {
				t.Fatalf("got %d %s, want %d", reply.status, reply.text, tt.status)
			}
			if tt.status == http.StatusUpgradeRequired && reply.header.Get("Sec-Websocket-Version") == "" && reply.header.Get("Upgrade") == "" {
				t.Error("the answer does not say what is needed")
			}
		})
	}
	c := s.dial(t)
	c.write("GET /graphql HTTP/1.1\r\nHost: localhost\r\n" + whole + "\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n")
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // of the RFC
		t.Fatal(response, err)
	}
}
