package clients

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// origin is where a service is, taken from its base URL.
type origin struct {
	host    string // as the Host field has it
	prefix  string // path before all targets, without a slash at the end
	address string // to dial
	name    string // that a certificate must be for
	secure  bool
}

func originOf(base *url.URL) (origin, error) {
	o := origin{prefix: strings.TrimRight(base.EscapedPath(), "/"), secure: base.Scheme == "https"}
	name, port := base.Hostname(), base.Port()
	for _, r := range base.Host {
		if r <= ' ' || r > '~' {
			return o, errors.New("url: want a host of ASCII characters, international names in punycode")
		}
	}
	if name == "" {
		return o, errors.New("url: want a host")
	}
	o.name, _, _ = strings.Cut(name, "%") // a zone means something on this machine only
	o.host = o.name
	if strings.Contains(name, ":") {
		o.host = "[" + o.name + "]"
	}
	if port != "" {
		o.host += ":" + port
	} else if port = "80"; o.secure {
		port = "443"
	}
	o.address = net.JoinHostPort(name, port)
	return o, nil
}

// dialer makes connections to one origin, with no proxy between.
type dialer struct {
	net       net.Dialer
	address   string
	secure    *tls.Config   // nil: plain
	handshake time.Duration // how long TLS may take to begin
}

func newDialer(cfg ServiceConfig, to origin) *dialer {
	d := &dialer{
		net:     net.Dialer{Timeout: min(cfg.Timeout, 2*time.Second), KeepAlive: 30 * time.Second},
		address: to.address, handshake: cfg.Timeout,
	}
	if to.secure {
		d.secure = &tls.Config{ServerName: to.name, NextProtos: []string{"http/1.1"}}
	}
	return d
}

// dial makes a connection for an exchange that has to be over at the deadline. The end of the context ends the attempt.
func (d *dialer) dial(ctx context.Context, deadline time.Time) (*connection, error) {
	within := d.net
	within.Deadline = deadline
	socket, err := within.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	secured, err := d.secured(ctx, deadline, socket)
	if err == nil {
		err = socket.SetDeadline(deadline)
	}
	if err == nil {
		var c *connection
		if c, err = newConnection(socket, secured); err == nil {
			return c, nil
		}
	}
	_ = socket.Close()
	return nil, err
}

// secured is TLS over a socket; nil where there is to be none.
func (d *dialer) secured(ctx context.Context, deadline time.Time, socket net.Conn) (*tls.Conn, error) {
	if d.secure == nil {
		return nil, nil
	}
	if end := time.Now().Add(d.handshake); end.Before(deadline) {
		deadline = end
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn := tls.Client(socket, d.secure)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return conn, nil
}
