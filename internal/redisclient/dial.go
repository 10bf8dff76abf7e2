package redisclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dialer connects, over TLS if there is a configuration for it. A dial that fails gives a connection that fails on first use:
// the pool of go-redis counts failed dials and, after as many as it has places, answers with the last failure for up to a second
// after the server is back. It also logs them with the server's address.
func dialer(secure *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		plain := &net.Dialer{Timeout: dialTimeout, KeepAlive: 5 * time.Minute}
		var conn net.Conn
		var err error
		if secure == nil {
			conn, err = plain.DialContext(ctx, network, address)
		} else {
			conn, err = (&tls.Dialer{NetDialer: plain, Config: secure}).DialContext(ctx, network, address)
		}
		if err != nil {
			return failed{err}, nil
		}
		return conn, nil
	}
}

// failed is a connection that never came about.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error)       { return 0, f.err }
func (f failed) Write([]byte) (int, error)      { return 0, f.err }
func (failed) Close() error                     { return nil }
func (failed) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (failed) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (failed) SetDeadline(time.Time) error      { return nil }
func (failed) SetReadDeadline(time.Time) error  { return nil }
func (failed) SetWriteDeadline(time.Time) error { return nil }
