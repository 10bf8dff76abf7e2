package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
)

const (
	readBufferBytes  = 512
	writeBufferBytes = 136 // of the frames that the websocket library writes by itself: the longest has 127
)

// hijack takes a connection from net/http. early is what the client sent behind its request.
func hijack(w http.ResponseWriter) (conn net.Conn, early []byte, err error) {
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("hijack: %w", err)
	}
	early, _ = buffers.Reader.Peek(buffers.Reader.Buffered()) // what is buffered can be had
	return conn, bytes.Clone(early), nil
}

// hijacker lets the websocket library have a connection with buffers much smaller than those of net/http.
type hijacker struct {
	http.ResponseWriter
	wrap func(net.Conn) *queueConn
	conn *queueConn // set by Hijack
}

// Hijack implements http.Hijacker. The library looks for early bytes in the buffer, so they are put there.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, early, err := hijack(h.ResponseWriter)
	if err != nil {
		return nil, nil, err
	}
	h.conn = h.wrap(conn)
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), h.conn), max(readBufferBytes, len(early)))
	_, _ = reader.Peek(len(early))
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.conn, writeBufferBytes)), nil
}
