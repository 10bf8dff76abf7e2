package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// door is the listener of a service. It can be shut, so that connections are refused, and opened again at the same
// address. Its methods may be called from many goroutines.
type door struct {
	address string // as bound, with the port that was chosen
	url     string

	mu       sync.Mutex
	listener net.Listener // nil while shut
	server   *http.Server // serves the listener, if it is served
	opened   chan struct{}
	closed   bool // for good
}

// reopenPatience is how long open waits for a port that something else has taken meanwhile.
const reopenPatience = 2 * time.Second

func openDoor(ctx context.Context, address string) (*door, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	bound, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("%s is not a TCP address", address)
	}
	host := bound.IP.String()
	if bound.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "http://" + net.JoinHostPort(host, fmt.Sprint(bound.Port))
	return &door{address: bound.String(), url: url, listener: listener, opened: make(chan struct{}, 1)}, nil
}

// wait returns the listener once the door is open, with server tied to it; false when ctx ended.
func (d *door) wait(ctx context.Context, server *http.Server) (net.Listener, bool) {
	for {
		d.mu.Lock()
		listener := d.listener
		if listener != nil {
			d.server = server
		}
		d.mu.Unlock()
		if ctx.Err() != nil {
			return nil, false
		}
		if listener != nil {
			return listener, true
		}
		select {
		case <-ctx.Done():
		case <-d.opened:
		}
	}
}

// serves says whether the door is open with this server behind it.
func (d *door) serves(server *http.Server) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listener != nil && d.server == server
}

// shut refuses connections from now on and breaks those that stand.
func (d *door) shut() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return nil
	}
	err := d.listener.Close()
	if d.server != nil {
		d.server.Close() // it closes the listener again
	}
	d.listener, d.server = nil, nil
	if errors.Is(err, net.ErrClosed) { // by the end of Run
		return nil
	}
	return err
}

// open listens again. When it returns, connections are taken.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil || d.closed {
		return nil
	}
	for end := time.Now().Add(reopenPatience); ; time.Sleep(10 * time.Millisecond) {
		listener, err := net.Listen("tcp", d.address)
		if err == nil {
			d.listener = listener
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("the port is taken: %w", err)
		}
	}
	select {
	case d.opened <- struct{}{}:
	default:
	}
	return nil
}

// close shuts the door for good.
func (d *door) close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	return d.shut()
}
