package load

import (
	"fmt"
	"net/url"
	"time"
)

// Conn is one connection for those who choose themselves when to ask, and what to make of the answer. It is not safe for concurrent use.
type Conn struct {
	*connection
	request []byte
}

// Dial connects to the server at a URL, to ask it one request again and again. Everything ends at the deadline. The caller closes it.
func Dial(target string, body []byte, deadline time.Time) (*Conn, error) {
	at, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	conn, err := dial(at.Host, deadline)
	if err != nil {
		return nil, err
	}
	return &Conn{conn, encode(at.Host, at.Path, body)}, nil
}

// Ask sends the request and gives the status of the answer, three digits, and the checksum of its body.
func (c *Conn) Ask() (status string, sum uint32, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return "", 0, fmt.Errorf("send: %w", err)
	}
	if _, sum, err = c.answer(); err != nil {
		return "", 0, fmt.Errorf("answer: %w", err)
	}
	return c.status, sum, nil
}

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }
