// Package clients reads and writes the four services behind the graph. Every method is safe for concurrent use. Reads
// answer per key and never fail as a whole; what they return may be shared with other readers and must not be changed.
package clients

import (
	"context"
	"errors"
	"time"
)

// Clients are the clients of all services. Close ends them.
type Clients struct {
	Users     *Users
	Posts     *Posts
	Comments  *Comments
	Followers *Followers
	services  []*service
	cache     *cache // nil: off
	applied   applied
	onWrite   func(context.Context, Change) // may be nil
}

// State is how a service's client stands.
type State struct {
	Service    string
	Breaker    string        // closed, open or half-open
	Since      time.Time     // when the breaker came into this state
	RetryAfter time.Duration // open: until a trial is allowed; else 0
	Calls      int           // counted by the breaker in its window; open: in the window that opened it
	Failures   int           // those of Calls that failed
	InFlight   int           // upstream attempts under way
	P95        time.Duration // of recent reads; 0 while there are too few
}

// New makes the clients. It starts nothing. The error names the setting that is wrong.
func New(cfg Config) (*Clients, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := cfg.Cache.validate(); err != nil {
		return nil, err
	}
	shared, err := newCache(cfg.Cache, cfg.Now)
	if err != nil {
		return nil, err
	}
	user, err1 := newService("user", cfg.User, &cfg, shared)
	post, err2 := newService("post", cfg.Post, &cfg, shared)
	comment, err3 := newService("comment", cfg.Comment, &cfg, shared)
	follower, err4 := newService("follower", cfg.Follower, &cfg, shared)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	c := &Clients{
		Users: newUsers(user), Posts: newPosts(post), Comments: newComments(comment), Followers: &Followers{follower},
		services: []*service{user, post, comment, follower},
		cache:    shared, onWrite: cfg.OnWrite,
	}
	for _, s := range c.services {
		s.wrote = c.wrote
	}
	return c, nil
}

// wrote is told of every write that has succeeded and whose effect on the cache is done.
func (c *Clients) wrote(ctx context.Context, change Change) {
	c.applied.add(change)
	if c.onWrite != nil {
		c.onWrite(ctx, change)
	}
}

// Close lets no new call begin, waits for those under way, at most one budget long, and closes the connections.
func (c *Clients) Close() {
	for _, s := range c.services {
		s.close()
	}
}

// CacheBytes is about how much memory the entity cache uses, and its bound; both 0 when it is off.
func (c *Clients) CacheBytes() (used, bound uint64) {
	if c.cache == nil {
		return 0, 0
	}
	return c.cache.store.WeightedSize(), c.cache.store.GetMaximum()
}

// States tells how each service's client stands, in the order user, post, comment, follower.
func (c *Clients) States() []State {
	states := make([]State, len(c.services))
	for i, s := range c.services {
		states[i] = s.state()
	}
	return states
}
