package wire

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"unicode/utf8"
)

const (
	readBufferBytes = 64  // of a connection that waits: most messages of a quiet client fit in
	maxControlBytes = 125 // of a control frame
	growBytes       = 512 // a message's memory follows what has come, not what was announced
)

// frameError is what is wrong with a frame, and the code of RFC 6455, section 7.4.1, to close with.
type frameError struct {
	code   uint16
	reason string
}

func (e *frameError) Error() string { return e.reason }

// The frames that end a connection.
var (
	errBadFrame      = &frameError{closeProtocol, "a frame is not of RFC 6455"}
	errUnmaskedFrame = &frameError{closeProtocol, "a frame of the client is not masked"}
	errTooBig        = &frameError{closeTooBig, "the message is longer than this server takes"}
)

// messageReader reads what a client sends: RFC 6455, section 5. It keeps next to nothing while it waits, and its frames on the stack
// are small, so that the goroutine of a quiet connection stays on the stack that it began with. It is used by one goroutine.
type messageReader struct {
	conn    net.Conn
	pending []byte // read and not used: of the buffer, or what came behind the handshake
	buffer  [readBufferBytes]byte

	fragmented byte // opcode of the message whose frames come; 0 for none
	message    []byte
}

// frameHead is the beginning of a frame.
type frameHead struct {
	final  bool
	opcode byte
	length uint64
	mask   [4]byte
}

// read returns the next message of at most so many bytes, or the next control frame, also from within a message. The error is a
// *frameError or that of the connection, and there is nothing more to read after it.
func (r *messageReader) read(limit int64) (opcode byte, payload []byte, err error) {
	for {
		head, err := r.head()
		if err != nil {
			return 0, nil, err
		}
		if head.opcode >= opcodeClose {
			payload, err := r.appendPayload(nil, &head)
			return head.opcode, payload, err
		}
		if starts := head.opcode != opcodeContinuation; starts == (r.fragmented != 0) {
			return 0, nil, errBadFrame
		} else if starts {
			r.fragmented = head.opcode
		}
		if head.length > uint64(limit) || int64(len(r.message)) > limit-int64(head.length) {
			return 0, nil, errTooBig
		}
		if r.message, err = r.appendPayload(r.message, &head); err != nil {
			return 0, nil, err
		}
		if head.final {
			opcode, payload = r.fragmented, r.message
			r.fragmented, r.message = 0, nil
			return opcode, payload, nil
		}
	}
}

// head reads the beginning of a frame and refuses what no client may send.
func (r *messageReader) head() (head frameHead, err error) {
	if err = r.want(2); err != nil {
		return head, err
	}
	first, second := r.pending[0], r.pending[1]
	head.final, head.opcode, head.length = first&0x80 != 0, first&0x0f, uint64(second&0x7f)
	control := head.opcode >= opcodeClose
	switch {
	case first&0x70 != 0, // no extension was agreed on
		head.opcode > opcodeBinary && !control, head.opcode > opcodePong,
		control && (!head.final || head.length > maxControlBytes):
		return head, errBadFrame
	case second&0x80 == 0:
		return head, errUnmaskedFrame
	}
	size := 2
	switch head.length {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if err = r.want(size + 4); err != nil {
		return head, err
	}
	switch size {
	case 4:
		if head.length = uint64(binary.BigEndian.Uint16(r.pending[2:])); head.length < 126 { // it has to be written as short as it can be
			return head, errBadFrame
		}
	case 10:
		if head.length = binary.BigEndian.Uint64(r.pending[2:]); head.length < 1<<16 || head.length >= 1<<63 {
			return head, errBadFrame
		}
	}
	copy(head.mask[:], r.pending[size:])
	r.pending = r.pending[size+4:]
	return head, nil
}

// want waits until so many bytes, of which the buffer can hold as many, are pending.
func (r *messageReader) want(n int) error {
	for len(r.pending) < n {
		have := copy(r.buffer[:], r.pending)
		more, err := r.conn.Read(r.buffer[have:])
		r.pending = r.buffer[:have+more]
		if err != nil && len(r.pending) < n {
			return err
		}
	}
	return nil
}

// appendPayload appends the payload of a frame, unmasked.
func (r *messageReader) appendPayload(to []byte, head *frameHead) ([]byte, error) {
	for left := head.length; left > 0; {
		start := len(to)
		size := int(min(left, uint64(max(growBytes, start))))
		to = append(to, make([]byte, size)...)
		piece := to[start:]
		n := copy(piece, r.pending)
		r.pending = r.pending[n:]
		if _, err := io.ReadFull(r.conn, piece[n:]); err != nil {
			return nil, err
		}
		at := int((head.length - left) % 4)
		for i := range piece {
			piece[i] ^= head.mask[(at+i)%4]
		}
		left -= uint64(size)
	}
	return to, nil
}

// checkClose says what is wrong with the payload of a client's close frame: RFC 6455, sections 5.5.1 and 7.4.
func checkClose(payload []byte) error {
	if len(payload) == 0 {
		return nil
	}
	if len(payload) == 1 {
		return errBadFrame
	}
	switch code := binary.BigEndian.Uint16(payload); {
	case code >= 3000 && code < 5000, code >= 1000 && code < 1004, code >= 1007 && code < 1015:
	default:
		return errBadFrame
	}
	if !utf8.Valid(payload[2:]) {
		return &frameError{closeNotText, "the reason of the close is not in UTF-8"}
	}
	return nil
}

// closeCode is the code to close a connection with whose client cannot be read from any more; 0 when it is gone.
func closeCode(err error) (code uint16, reason string) {
	if bad, ok := errors.AsType[*frameError](err); ok {
		return bad.code, bad.reason
	}
	return 0, ""
}
