package clients

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"
)

// Config is everything that can be set about the clients. Start from DefaultConfig; New refuses values that make no sense.
type Config struct {
	User, Post, Comment, Follower ServiceConfig
	Cache                         CacheConfig
	CoalesceOff                   bool // every read calls by itself, also when an identical one is under way
	Observer                      Observer
	Log                           *slog.Logger // nil: nothing is logged

	// OnWrite is told of every write that has succeeded, once its effect on the cache is done and before it answers, under
	// the write's context. nil: nobody is told. Safe for concurrent use; the write waits for it.
	OnWrite func(ctx context.Context, change Change)

	Now func() time.Time // ages cache entries; nil: time.Now. Safe for concurrent use.
}

// ServiceConfig is how one service is called.
type ServiceConfig struct {
	URL   string // base of the service, http or https
	Token string // sent as bearer; empty: no Authorization header

	Timeout time.Duration // one attempt, body included
	Budget  time.Duration // a whole call with its retries and the waits between them
	Bulk    time.Duration // a write to everything of a user, in place of Timeout and Budget
	Retries int           // further attempts after a failed one; 0: none
	Backoff time.Duration // wait before the first retry, doubled for each further one, jittered by half either way

	Breaker     BreakerConfig
	Concurrency int           // calls at a time
	QueueWait   time.Duration // how long a call may wait for its turn
	Hedge       HedgeConfig

	MaxBodyBytes int64 // a longer answer is a failure
	MaxKeys      int   // keys of one batch read; more are split
	MaxURLBytes  int   // path and query of one batch read; longer ones are split
	Parallel     int   // parts of one split read at a time
}

// BreakerConfig is when calls to a failing service are given up without trying.
type BreakerConfig struct {
	FailureRate float64       // opens at this share of failures, 0 to 1
	MinCalls    int           // but not below this many calls in the window
	Window      time.Duration // over which calls are counted
	Delay       time.Duration // from opening to the one trial that decides
}

// HedgeConfig is when a slow read is sent a second time.
type HedgeConfig struct {
	Off   bool
	Floor time.Duration // the wait is the 95th percentile seen, but never less than this
}

// CacheConfig is the entity cache that all services share.
type CacheConfig struct {
	Off   bool
	Bytes int64         // bound on keys and values together
	Fresh time.Duration // how long a value is used without asking again, also for ids that do not exist
	Keep  time.Duration // how long a value may stand in for an answer that fails

	// FreshLive takes the place of Fresh while the service's events arrive, see SetLive. It is never less than Fresh and
	// never more than Keep, whatever is set.
	FreshLive time.Duration
}

// DefaultConfig is the recommended setting; only the URLs are missing.
func DefaultConfig() Config {
	service := ServiceConfig{
		Timeout: 3 * time.Second,
		Budget:  5 * time.Second,
		Bulk:    time.Minute,
		Retries: 2,
		Backoff: 50 * time.Millisecond,
		Breaker: BreakerConfig{
			FailureRate: 0.5, MinCalls: 20, Window: 10 * time.Second, Delay: 30 * time.Second,
		},
		Concurrency:  256,
		QueueWait:    100 * time.Millisecond,
		Hedge:        HedgeConfig{Floor: 20 * time.Millisecond},
		MaxBodyBytes: 16 << 20,
		MaxKeys:      500,
		MaxURLBytes:  6000,
		Parallel:     8,
	}
	return Config{
		User: service, Post: service, Comment: service, Follower: service,
		Cache: CacheConfig{Bytes: 128 << 20, Fresh: time.Second, FreshLive: time.Minute, Keep: time.Hour},
	}
}

func (c *ServiceConfig) validate() (*url.URL, error) {
	base, err := url.Parse(c.URL)
	switch {
	case err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "":
		return nil, fmt.Errorf("url: want http(s)://host[:port][/path]")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("url: must not have a user, a query or a fragment")
	case c.Timeout <= 0 || c.Budget <= 0 || c.Bulk <= 0:
		return nil, fmt.Errorf("timeout, budget and bulk: want more than 0")
	case c.Retries < 0 || c.Backoff < 0 || c.QueueWait < 0:
		return nil, fmt.Errorf("retries, backoff and queue wait: want 0 or more")
	case c.Breaker.FailureRate <= 0 || c.Breaker.FailureRate > 1 || c.Breaker.MinCalls < 1:
		return nil, fmt.Errorf("breaker: want a failure rate above 0 and up to 1, and at least 1 call")
	case c.Breaker.Window <= 0 || c.Breaker.Delay <= 0:
		return nil, fmt.Errorf("breaker: want a window and a delay of more than 0")
	case c.Concurrency < 1 || c.Parallel < 1 || c.MaxBodyBytes < 1:
		return nil, fmt.Errorf("concurrency, parallel and max body bytes: want 1 or more")
	case c.MaxKeys < 1 || c.MaxKeys > 500 || c.MaxURLBytes < 1000:
		return nil, fmt.Errorf("max keys: want 1 to 500; max URL bytes: want 1000 or more")
	}
	return base, nil
}

func (c *CacheConfig) validate() error {
	if !c.Off && (c.Bytes < 1 || c.Fresh < 0 || c.FreshLive < 0 || c.Keep < c.Fresh) {
		return fmt.Errorf("cache: want 1 byte or more, no age below 0, and keep not below fresh")
	}
	return nil
}
