package wire

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"
	"unicode/utf8"
)

// The codes that the server closes with: those of the protocol, and some of RFC 6455.
const (
	closeProtocol    = 1002
	closeNotText     = 1007
	closeTooBig      = 1009
	closeDraining    = 1012 // clients come back, elsewhere if they can
	closeTryLater    = 1013 // clients come back
	closeInvalid     = 4400
	closeNotAcked    = 4401
	closeForbidden   = 4403
	closeSubprotocol = 4406
	closeInitTimeout = 4408
	closeDuplicate   = 4409
	closeSecondInit  = 4429
	closeInternal    = 4500
)

const (
	opcodeContinuation = 0
	opcodeText         = 1
	opcodeBinary       = 2
	opcodeClose        = 8 // the first of the control frames
	opcodePing         = 9
	opcodePong         = 10

	maxReason = 123 // bytes of a reason for closing
)

// message is one of the client's.
type message struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Payload json.RawMessage `json:"payload"`
}

// The messages of the server that are always the same.
var (
	ackMessage  = []byte(`{"type":"connection_ack"}`)
	pingMessage = []byte(`{"type":"ping"}`)
)

// parseMessage reads a client's message. The reason says what is wrong with it, and quotes nothing of it.
func parseMessage(raw []byte) (m message, reason string) {
	if !utf8.Valid(raw) {
		return m, "Invalid message: it is not in UTF-8"
	}
	if depth, values := measureJSON(raw, DefaultMaxJSONDepth, DefaultMaxJSONValues); depth > DefaultMaxJSONDepth || values > DefaultMaxJSONValues {
		return m, "Invalid message: its JSON is too deep or has too many values"
	}
	var given members
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return m, "Invalid message: it must be a JSON object"
	}
	if json.Unmarshal(given["type"], &m.Type) != nil {
		return m, "Invalid message: type must be a string"
	}
	m.Payload = given["payload"]
	switch m.Type {
	case "connection_init", "ping", "pong":
		if !isObject(m.Payload) && !isNothing(m.Payload) {
			return m, "Invalid message: payload must be an object or left out"
		}
	case "subscribe", "complete":
		if json.Unmarshal(given["id"], &m.ID) != nil || m.ID == "" || len(m.ID) > maxIDBytes {
			return m, "Invalid message: id must be a string of 1 to 256 bytes"
		}
		if m.Type == "subscribe" && !isObject(m.Payload) {
			return m, "Invalid message: payload must be an object"
		}
	default:
		return m, "Invalid message: its type is none that a client sends"
	}
	return m, ""
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

func isNothing(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// typed is a message about an operation, without its payload.
func typed(id []byte, kind string) []byte {
	return append(append(append([]byte(`{"id":`), id...), `,"type":"`...), kind+`"}`...)
}

// beforePayload is the beginning of a message about an operation whose payload follows, and then a bracket.
func beforePayload(id []byte, kind string) []byte {
	return append(append(append([]byte(`{"id":`), id...), `,"type":"`...), kind+`","payload":`...)
}

// appendFrame appends one whole frame of RFC 6455, section 5.2, whose payload is the parts.
func appendFrame(to []byte, opcode byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	to = append(to, 0x80|opcode) // the only frame of its message
	switch {
	case size < 126:
		to = append(to, byte(size))
	case size < 1<<16:
		to = binary.BigEndian.AppendUint16(append(to, 126), uint16(size))
	default:
		to = binary.BigEndian.AppendUint64(append(to, 127), uint64(size))
	}
	for _, part := range parts {
		to = append(to, part...)
	}
	return to
}

// closeFrame is the last frame of a connection.
func closeFrame(code uint16, reason string) []byte {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return appendFrame(nil, opcodeClose, binary.BigEndian.AppendUint16(nil, code), []byte(reason))
}

// scratches are buffers that frames are put together in. What is larger than most frames is not kept.
type scratches struct{ pool sync.Pool }

func (s *scratches) get() *[]byte {
	if buf, ok := s.pool.Get().(*[]byte); ok {
		return buf
	}
	return new([]byte)
}

func (s *scratches) put(buf *[]byte) {
	if cap(*buf) <= maxQueuedBytes {
		*buf = (*buf)[:0]
		s.pool.Put(buf)
	}
}
