package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	handshake = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
	connectionInit = `{"type":"connection_init"}`
	subscribe      = `{"id":"1","type":"subscribe","payload":{"query":"subscription { postAdded { cursor at post { id title body author { handle name } } } }"}}`
	opening        = 64 // connections that are made at a time
	patience       = 30 * time.Second
)

// crowd is many subscribers, each on a websocket of its own.
type crowd struct {
	conns    []net.Conn
	arrivals chan time.Time // when a payload was there
	readers  sync.WaitGroup
	bytes    int // of the last payload
	first    sync.Mutex
}

// newCrowd connects n subscribers.
func newCrowd(ctx context.Context, n int) (*crowd, error) {
	c := &crowd{arrivals: make(chan time.Time, n)}
	made := make([]net.Conn, n)
	failures := make([]error, n)
	slots := make(chan struct{}, opening)
	var making sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		making.Go(func() {
			made[i], failures[i] = c.connect(ctx)
			<-slots
		})
	}
	making.Wait()
	for _, conn := range made {
		if conn != nil {
			c.conns = append(c.conns, conn)
		}
	}
	if err := errors.Join(failures...); err != nil {
		c.close()
		return nil, fmt.Errorf("%d of %d subscribers connected: %w", len(c.conns), n, err)
	}
	return c, nil
}

func (c *crowd) connect(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", gatewayAddr)
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(conn, 1024)
	if err := begin(conn, reader); err != nil {
		conn.Close()
		return nil, err
	}
	c.readers.Go(func() { c.read(conn, reader) })
	return conn, nil
}

// begin upgrades, and subscribes once the connection is acknowledged.
func begin(conn net.Conn, reader *bufio.Reader) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	defer conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(conn, handshake); err != nil {
		return err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the gateway answers %s", response.Status)
	}
	if err := send(conn, connectionInit); err != nil {
		return err
	}
	if message, err := receive(reader); err != nil || !bytes.Contains(message, []byte("connection_ack")) {
		return fmt.Errorf("no acknowledgement but %.100q, %w", message, err)
	}
	return send(conn, subscribe)
}

// read notes payloads and answers pings.
func (c *crowd) read(conn net.Conn, reader *bufio.Reader) {
	for {
		message, err := receive(reader)
		if err != nil {
			return
		}
		switch {
		case bytes.Contains(message, []byte(`"type":"next"`)):
			c.arrivals <- time.Now()
			c.first.Lock()
			c.bytes = len(message)
			c.first.Unlock()
		case bytes.Contains(message, []byte(`"type":"ping"`)):
			if send(conn, `{"type":"pong"}`) != nil {
				return
			}
		}
	}
}

// send writes a masked text frame (RFC 6455, 5.2) of less than 64 KB.
func send(conn net.Conn, text string) error {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	frame := []byte{0x81, 0x80 | 126, 0, 0}
	binary.BigEndian.PutUint16(frame[2:], uint16(len(text)))
	frame = append(frame, mask[:]...)
	for i := range len(text) {
		frame = append(frame, text[i]^mask[i%4])
	}
	_, err := conn.Write(frame)
	return err
}

// receive reads the payload of one frame.
func receive(reader *bufio.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(reader, head[:]); err != nil {
		return nil, err
	}
	length := int(head[1] & 0x7f)
	if length >= 126 {
		var more [8]byte
		size := more[6:]
		if length == 127 {
			size = more[:]
		}
		if _, err := io.ReadFull(reader, size); err != nil {
			return nil, err
		}
		length = int(binary.BigEndian.Uint64(more[:]))
	}
	if length > 1<<20 {
		return nil, errors.New("a frame of more than 1 MB")
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(reader, payload)
	return payload, err
}

// event has a post published and returns how long it took to each subscriber.
func (c *crowd) event(ctx context.Context) ([]time.Duration, error) {
	body := fmt.Sprintf(`{"authorId":"u1","title":"measured","body":%q,"status":"published"}`, strings.Repeat("x", 250))
	start := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/posts", demoPort+1), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("the post service answers %s", response.Status)
	}
	latencies := make([]time.Duration, 0, len(c.conns))
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for len(latencies) < len(c.conns) {
		select {
		case at := <-c.arrivals:
			latencies = append(latencies, at.Sub(start))
		case <-timeout.C:
			return nil, fmt.Errorf("%d of %d subscribers heard of the event", len(latencies), len(c.conns))
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return latencies, nil
}

// close hangs up and waits for the readers.
func (c *crowd) close() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.readers.Wait()
}

// resident is the memory of a process that stands in RAM, in bytes.
func resident(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kilobytes << 10, err
}
