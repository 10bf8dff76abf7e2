package wire_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// bare is a client that speaks RFC 6455 for itself.
type bare struct {
	*net.TCPConn
	t      testing.TB
	reader *bufio.Reader
	reply  *http.Response // to the upgrade
}

// upgrade connects with more fields of the header, one a line.
func (s *streamSite) upgrade(t testing.TB, fields ...string) *bare {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &bare{TCPConn: conn.(*net.TCPConn), t: t, reader: bufio.NewReader(conn)}
	fields = append(fields, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	if _, err := io.WriteString(conn, "GET /graphql HTTP/1.1\r\n"+strings.Join(fields, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if c.reply, err = http.ReadResponse(c.reader, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// connect upgrades with the subprotocol.
func (s *streamSite) connect(t testing.TB, fields ...string) *bare {
	t.Helper()
	c := s.upgrade(t, append(fields, "Sec-WebSocket-Protocol: graphql-transport-ws")...)
	if c.reply.StatusCode != http.StatusSwitchingProtocols || c.reply.Header.Get("Sec-WebSocket-Protocol") != "graphql-transport-ws" {
		t.Fatalf("the upgrade is answered with %s", c.reply.Status)
	}
	return c
}

// ready connects and has the connection acknowledged.
func (s *streamSite) ready(t testing.TB) *bare {
	t.Helper()
	c := s.connect(t)
	c.send(`{"type":"connection_init"}`)
	c.wants(`{"type":"connection_ack"}`)
	return c
}

// maskedFrame is a frame of a client, masked with zeros.
func maskedFrame(head byte, payload string) []byte {
	frame := []byte{head}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}

func (c *bare) frame(head byte, payload string) {
	c.t.Helper()
	if _, err := c.Write(maskedFrame(head, payload)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *bare) send(text string) {
	c.t.Helper()
	c.frame(0x81, text)
}

// subscribe asks for a document under an id.
func (c *bare) subscribe(id, document string) {
	c.t.Helper()
	query, _ := json.Marshal(document)
	c.send(fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%s}}`, id, query))
}

// read reads one frame.
func (c *bare) read() (opcode byte, payload []byte, err error) {
	var head [10]byte
	if _, err := io.ReadFull(c.reader, head[:2]); err != nil {
		return 0, nil, err
	}
	if head[0]&0x80 == 0 || head[1]&0x80 != 0 {
		return 0, nil, errors.New("a frame of the server is masked or not the last of its message")
	}
	size := uint64(head[1])
	more := map[uint64]int{126: 2, 127: 8}[size]
	if more > 0 {
		if _, err := io.ReadFull(c.reader, head[10-more:]); err != nil {
			return 0, nil, err
		}
		clear(head[2 : 10-more])
		size = binary.BigEndian.Uint64(head[2:])
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(c.reader, payload)
	return head[0] & 0x0f, payload, err
}

// text reads one message, other than pings.
func (c *bare) text() string {
	c.t.Helper()
	for {
		opcode, payload, err := c.read()
		if err != nil || opcode != 1 {
			c.t.Fatalf("want a message, got opcode %d, %q, %v", opcode, payload, err)
		}
		if !strings.HasPrefix(string(payload), `{"type":"ping"`) && !strings.Contains(string(payload), `"type":"ping"}`) {
			return string(payload)
		}
	}
}

func (c *bare) wants(want string) {
	c.t.Helper()
	if got := c.text(); got != want {
		c.t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// wantsError reads an error message with a code, and gives the error's extensions.
func (c *bare) wantsError(id, code string) map[string]any {
	c.t.Helper()
	got := c.text()
	var m struct {
		ID, Type string
		Payload  []struct {
			Message    string
			Extensions map[string]any
		}
	}
	if err := json.Unmarshal([]byte(got), &m); err != nil || m.ID != id || m.Type != "error" || len(m.Payload) == 0 || m.Payload[0].Extensions["code"] != code {
		c.t.Fatalf("got %s\nwant an error of %s with %s", got, id, code)
	}
	return m.Payload[0].Extensions
}

// wantsClose reads until the server closes, answers as it is due, and waits for the end of the connection.
func (c *bare) wantsClose(code int, reason string) {
	c.t.Helper()
	for {
		opcode, payload, err := c.read()
		if err != nil {
			c.t.Fatalf("want a close with %d, got %v", code, err)
		}
		if opcode != 8 {
			continue
		}
		if got := int(binary.BigEndian.Uint16(payload)); got != code || !strings.HasPrefix(string(payload[2:]), reason) {
			c.t.Fatalf("closed with %d %q, want %d %q", got, payload[2:], code, reason)
		}
		_, _ = c.Write(maskedFrame(0x88, string(payload[:2])))
		if more, err := io.ReadAll(c.reader); len(more) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
			c.t.Fatalf("behind the close comes %q, %v", more, err)
		}
		return
	}
}

// silent asks for a sign of life, and wants nothing to come before it.
func (c *bare) silent() {
	c.t.Helper()
	c.send(`{"type":"ping","payload":{"silent":true}}`)
	c.wants(`{"type":"pong","payload":{"silent":true}}`)
}
