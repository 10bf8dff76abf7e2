// Package redisclient opens the connection to Redis that replicas share their state over.
package redisclient

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// dialTimeout and the single attempts make a Redis that is down known within milliseconds: every user of this client
	// has something better to do than to wait.
	dialTimeout = 100 * time.Millisecond
	ioTimeout   = time.Second
)

// ErrURL is wrapped by the refusal of an address. Its text does not carry the URL, which may hold a password.
var ErrURL = errors.New("not a Redis URL")

// Open makes a client for redis://user:password@host:port/db, rediss:// for TLS. With further nodes, ?addr=host:port&addr=…,
// it is a client of a Redis Cluster. It connects when it is first used, does not retry by itself, and has calls end with
// their context. The caller closes it. It is safe for concurrent use.
func Open(address string) (redis.UniversalClient, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, ErrURL // the error of url.Parse quotes the URL
	}
	if !parsed.Query().Has("addr") {
		options, err := redis.ParseURL(address)
		if err != nil {
			return nil, fmt.Errorf("%w: want redis://host:port/db", ErrURL)
		}
		options.MaxRetries, options.DialerRetries, options.DialTimeout = -1, 1, dialTimeout
		options.ReadTimeout, options.WriteTimeout = ioTimeout, ioTimeout
		options.ContextTimeoutEnabled, options.Dialer = true, dialer(options.TLSConfig)
		return redis.NewClient(options), nil
	}
	options, err := redis.ParseClusterURL(address)
	if err != nil {
		return nil, fmt.Errorf("%w: want redis://host:port?addr=host:port", ErrURL)
	}
	options.DialerRetries, options.DialTimeout = 1, dialTimeout
	options.MaxRedirects = 3 // a slot that moves is no failure
	options.ReadTimeout, options.WriteTimeout = ioTimeout, ioTimeout
	options.ContextTimeoutEnabled, options.Dialer = true, dialer(options.TLSConfig)
	return redis.NewClusterClient(options), nil
}
