package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	subscription = "subscription { postAdded { cursor at post { id title body author { handle name } } } }"
	opening      = 64 // connections that are made at a time
	patience     = 30 * time.Second
	websockets   = "websocket"
	streams      = "SSE"
)

// arrival is one payload at one subscriber: of which post, and when its last byte was there.
type arrival struct {
	post int
	at   time.Time
}

// crowd is many subscribers, each on a connection of its own.
type crowd struct {
	transport string
	conns     []net.Conn
	arrivals  chan arrival
	readers   sync.WaitGroup
	bytes     atomic.Int64 // of the last payload
}

// newCrowd connects n subscribers.
func newCrowd(ctx context.Context, transport string, n int) (*crowd, error) {
	c := &crowd{transport: transport, arrivals: make(chan arrival, 4*n)}
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
	if i := slices.IndexFunc(failures, func(err error) bool { return err != nil }); i >= 0 {
		c.close()
		return nil, fmt.Errorf("%d of %d subscribers connected; the first of the others: %w", len(c.conns), n, failures[i])
	}
	return c, nil
}

func (c *crowd) connect(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", gatewayAddr)
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(conn, 1024)
	_ = conn.SetDeadline(time.Now().Add(patience))
	if c.transport == streams {
		err = beginStream(conn, reader)
	} else {
		err = beginSocket(conn, reader, subscription, 1)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	c.readers.Go(func() {
		if c.transport == streams {
			readStream(reader, c.note)
		} else {
			readSocket(conn, reader, c.note)
		}
	})
	return conn, nil
}

// note writes down a payload. Posts of others have no number.
func (c *crowd) note(payload []byte) {
	at := time.Now()
	_, rest, found := bytes.Cut(payload, []byte(titled))
	if !found {
		return
	}
	post := 0
	for _, digit := range rest {
		if digit < '0' || digit > '9' {
			break
		}
		post = 10*post + int(digit-'0')
	}
	c.bytes.Store(int64(len(payload)))
	c.arrivals <- arrival{post, at}
}

// gather waits until every subscriber has heard of posts first to last, and returns how long each took from its start.
func (c *crowd) gather(ctx context.Context, first int, starts []time.Time) ([]time.Duration, error) {
	want := len(starts) * len(c.conns)
	latencies := make([]time.Duration, 0, want)
	timeout := time.NewTimer(patience + time.Since(starts[0]))
	defer timeout.Stop()
	for len(latencies) < want {
		select {
		case a := <-c.arrivals:
			if a.post < first || a.post >= first+len(starts) {
				return nil, fmt.Errorf("post %d came, which is none of %d to %d", a.post, first, first+len(starts)-1)
			}
			latencies = append(latencies, a.at.Sub(starts[a.post-first]))
		case <-timeout.C:
			return nil, fmt.Errorf("%d of %d payloads came", len(latencies), want)
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
	gone := make(chan struct{})
	go func() {
		c.readers.Wait()
		close(gone)
	}()
	for {
		select {
		case <-c.arrivals: // a reader may wait to note one
		case <-gone:
			return
		}
	}
}
