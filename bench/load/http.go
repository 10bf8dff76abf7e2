package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strconv"
	"strings"
	"time"
)

var checksums = crc32.MakeTable(crc32.Castagnoli)

// Checksum is the CRC-32C by which an answer is recognised.
func Checksum(body []byte) uint32 { return crc32.Checksum(body, checksums) }

// connection is one keep-alive connection. It speaks just enough of HTTP/1.1 to read the answers of net/http's server, at a fraction of
// what net/http's client costs: the generator must not be what is measured.
type connection struct {
	conn   net.Conn
	in     *bufio.Reader
	status string // of the last answer: three digits
	begin  []byte // of its body, at most maxBegin bytes
}

// maxBegin is how much of a wrong answer is shown.
const maxBegin = 300

// encode writes a request down as it goes over the wire.
func encode(host, path string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/graphql-response+json\r\nContent-Length: %d\r\n\r\n",
		path, host, len(body))
	return append([]byte(head), body...)
}

func dial(addr string, deadline time.Time) (*connection, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Until(deadline))
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &connection{conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}, nil
}

func (c *connection) close() { _ = c.conn.Close() } // nothing is under way any more

// ask sends one request and reads its answer, which must be a 200 with the given checksum and length.
func (c *connection) ask(request *wireRequest) error {
	if _, err := c.conn.Write(request.bytes); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	length, sum, err := c.answer()
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if c.status != "200" {
		return fmt.Errorf("answer: want status 200, got %s: %s", c.status, c.begin)
	}
	if length != request.length || sum != request.sum {
		return fmt.Errorf("request %d was answered with other bytes than before the measurement (%d of them, not %d): %s",
			request.index, length, request.length, c.begin)
	}
	return nil
}

// answer reads one answer whole.
func (c *connection) answer() (length int, sum uint32, err error) {
	c.begin = c.begin[:0]
	length, chunked, err := c.head()
	switch {
	case err != nil:
		return 0, 0, err
	case chunked:
		return c.chunks()
	}
	sum, err = c.body(0, length)
	return length, sum, err
}

// head reads the status line and the header.
func (c *connection) head() (length int, chunked bool, err error) {
	line, err := c.line()
	if err != nil {
		return 0, false, err
	}
	const version = "HTTP/1.1 "
	if !bytes.HasPrefix(line, []byte(version)) || len(line) < len(version)+3 {
		return 0, false, fmt.Errorf("want a status line, got %q", line)
	}
	if digits := line[len(version):][:3]; c.status != string(digits) {
		c.status = string(digits)
	}
	length = -1
	for {
		if line, err = c.line(); err != nil {
			return 0, false, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case equalFold(name, "content-length"):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, false, fmt.Errorf("Content-Length: %w", err)
			}
		case equalFold(name, "transfer-encoding"):
			chunked = equalFold(bytes.TrimSpace(value), "chunked")
		case equalFold(name, "connection") && equalFold(bytes.TrimSpace(value), "close"):
			return 0, false, errors.New("the server closes a connection that should stay")
		}
	}
	if length < 0 && !chunked {
		return 0, false, errors.New("the answer has no length")
	}
	return length, chunked, nil
}

func equalFold(b []byte, s string) bool { return len(b) == len(s) && strings.EqualFold(string(b), s) }

// chunks reads a chunked body (RFC 9112, section 7.1).
func (c *connection) chunks() (length int, sum uint32, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return 0, 0, err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return 0, 0, fmt.Errorf("chunk size: %w", err)
		}
		if sum, err = c.body(sum, int(size)); err != nil {
			return 0, 0, err
		}
		length += int(size)
		if line, err = c.line(); err != nil {
			return 0, 0, err
		}
		if len(line) > 0 {
			return 0, 0, fmt.Errorf("want the end of a chunk, got %q", line)
		}
		if size == 0 {
			return length, sum, nil
		}
	}
}

// body takes n bytes into a checksum, out of the reader's own buffer.
func (c *connection) body(sum uint32, n int) (uint32, error) {
	for n > 0 {
		if _, err := c.in.Peek(1); err != nil {
			return 0, err
		}
		part, err := c.in.Peek(min(n, c.in.Buffered()))
		if err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, checksums, part)
		c.begin = append(c.begin, part[:min(len(part), maxBegin-len(c.begin))]...)
		n -= len(part)
		if _, err := c.in.Discard(len(part)); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// line reads one line without its end; it is valid until the next read. A line longer than the buffer is an error.
func (c *connection) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}
