package wire

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
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
