package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The stalled client asks for much, on one connection, so that the buffers of the kernel are full soon; the others' payloads are as ever.
const (
	stalledSubscriptions = 20
	stalledSubscription  = "subscription { postAdded { cursor post { title b0: body b1: body b2: body b3: body b4: body b5: body b6: body b7: body } } }"
)

// stalled is a client with a small buffer that reads nothing until the gateway has given up on it.
type stalled struct {
	conn   *net.TCPConn
	reader *bufio.Reader
}

func newStalled(ctx context.Context) (*stalled, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", gatewayAddr)
	if err != nil {
		return nil, err
	}
	s := &stalled{conn.(*net.TCPConn), bufio.NewReaderSize(conn, 1024)}
	_ = s.conn.SetReadBuffer(4 << 10)
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := beginSocket(conn, s.reader, stalledSubscription, stalledSubscriptions); err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return s, nil
}

// watch waits until the gateway has ended a subscription because it was slow, then reads, and says what became of the client.
func (s *stalled) watch(ctx context.Context) string {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "was not ended"
		}
		var err error
		if ended, err = endedSlow(ctx); err != nil {
			return err.Error()
		}
	}
	took := time.Since(start)
	ends, cursors, payloads := 0, 0, 0
	_ = s.conn.SetReadBuffer(1 << 20) // or reading all that lies there would take minutes
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	for ends < stalledSubscriptions {
		message, err := receive(s.reader, nil)
		if err != nil {
			break
		}
		switch {
		case bytes.Contains(message, []byte(`"SUBSCRIPTION_TOO_SLOW"`)):
			ends++
			if bytes.Contains(message, []byte(`"cursor":"`)) {
				cursors++
			}
		case bytes.Contains(message, []byte(`"type":"next"`)):
			payloads++
		}
	}
	return fmt.Sprintf("after %.1f s and %d payloads %d of its %d subscriptions ended, %d with a cursor", took.Seconds(), payloads, ends, stalledSubscriptions, cursors)
}

// endedSlow asks the gateway's metrics.
func endedSlow(ctx context.Context) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+gatewayAddr+"/metrics", nil)
	if err != nil {
		return false, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<22))
	return bytes.Contains(raw, []byte(`subscriptions_ended_total{reason="slow"}`)), err
}
