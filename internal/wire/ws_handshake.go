package wire

import (
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
)

// handshakeGUID is a constant of RFC 6455, section 1.3.
const handshakeGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// checkHandshake refuses a request for a websocket that is not as RFC 6455, section 4.2.1, has it, with the fields of the answer that
// belong to that.
func checkHandshake(header http.Header, r *http.Request) *refusal {
	switch {
	case !r.ProtoAtLeast(1, 1) || !lists(r.Header, "Connection", "upgrade"):
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", "websocket")
		return &refusal{http.StatusUpgradeRequired, CodeBadRequest, "a websocket needs HTTP/1.1 and Connection: Upgrade"}
	case r.Method != http.MethodGet:
		header.Set("Allow", http.MethodGet)
		return &refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "a websocket is asked for by GET"}
	case r.Header.Get("Sec-Websocket-Version") != "13":
		header.Set("Sec-WebSocket-Version", "13")
		return &refusal{http.StatusUpgradeRequired, CodeBadRequest, "Sec-WebSocket-Version must be 13"}
	}
	keys := r.Header.Values("Sec-Websocket-Key")
	if len(keys) != 1 {
		return badRequest("there must be one Sec-WebSocket-Key")
	}
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0])); err != nil || len(raw) != 16 {
		return badRequest("Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return nil
}

// lists says whether a field, a list, has a token in it, in any case.
func lists(header http.Header, field, token string) bool {
	for part := range splitList(strings.Join(header.Values(field), ",")) {
		if strings.EqualFold(strings.TrimSpace(part), token) {
			return true
		}
	}
	return false
}

// shakeHands answers a request that was checked, and takes its connection: RFC 6455, section 4.2.2. spoken says whether the client
// speaks the subprotocol. early is what it sent behind its request.
func shakeHands(w http.ResponseWriter, r *http.Request) (conn net.Conn, early []byte, spoken bool, err error) {
	sum := sha1.Sum([]byte(strings.TrimSpace(r.Header.Get("Sec-Websocket-Key")) + handshakeGUID))
	header := w.Header()
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header.Set("Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(sum[:]))
	if spoken = lists(r.Header, "Sec-Websocket-Protocol", subprotocol); spoken {
		header.Set("Sec-WebSocket-Protocol", subprotocol)
	}
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, early, err = hijack(w)
	return conn, early, spoken, err
}
