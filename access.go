package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/limit"
	"tributary/internal/redisclient"
	"tributary/internal/telemetry"
	"tributary/internal/usage"
)

// verifiedTokens is how many tokens are remembered as good.
const verifiedTokens = 100_000

// access is who may call and how much they may spend. What replicas have to agree on stands in Redis, if there is one.
type access struct {
	redis         redis.UniversalClient // nil for a single replica
	keys          *auth.Keys
	keyFile       *auth.SQLiteKeys // nil with Redis
	keySet        *auth.JWKS       // nil without --jwks-url
	authenticator *auth.Authenticator
	proxies       *auth.Proxies
	shared        *limit.Redis           // nil for a single replica
	limiter       *limit.Limiter         // nil when nothing is limited and nothing shared
	introspect    func(auth.Viewer) bool // nil: everybody may
	uses          *usage.Table           // of deprecated elements; nil: nobody counts them
}

// openAccess puts access together. The caller closes it.
func openAccess(cfg *config.Config, metrics *telemetry.Metrics, log *slog.Logger) (_ *access, err error) {
	a, s := &access{}, &cfg.Serve
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.proxies, err = auth.NewProxies(s.TrustedProxies); err != nil {
		return nil, fmt.Errorf("--trusted-proxies: %w", err)
	}
	if s.RedisURL != "" {
		if a.redis, err = redisclient.Open(s.RedisURL); err != nil {
			return nil, fmt.Errorf("--redis-url: %w", err)
		}
		a.shared = limit.NewRedis(a.redis)
	}
	a.uses = newUses(a.redis)
	if err := a.openKeys(cfg.DataDir); err != nil {
		return nil, err
	}
	tokens, err := a.tokens(cfg, log)
	if err != nil {
		return nil, err
	}
	a.authenticator = auth.NewAuthenticator(tokens, a.keys, verifiedTokens, time.Now)
	switch s.Introspection {
	case "known":
		a.introspect = func(v auth.Viewer) bool { return !v.Anonymous() }
	case "none":
		a.introspect = func(auth.Viewer) bool { return false }
	}
	if s.Limits.Enabled || a.shared != nil { // without limits it still tells what callers have written
		a.limiter = newLimiter(s, a.shared, metrics)
	}
	return a, nil
}

// newUses makes the table of the use of deprecated elements, which is all replicas' if there is a Redis.
func newUses(client redis.UniversalClient) *usage.Table {
	if client == nil {
		return usage.New(nil, time.Now)
	}
	return usage.New(usage.NewRedis(client), time.Now)
}

// openKeys opens the API keys: those that all replicas share, or those of the data dir.
func (a *access) openKeys(dataDir string) (err error) {
	if a.redis != nil {
		a.keys = auth.NewKeys(auth.NewRedisKeys(a.redis), time.Now)
		return nil
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if a.keyFile, err = auth.OpenSQLiteKeys(filepath.Join(dataDir, "keys.db")); err != nil {
		return err
	}
	a.keys = auth.NewKeys(a.keyFile, time.Now)
	return nil
}

// tokens says whose tokens are good: those of the key set or, in demo mode, those of the data dir's key; nil for nobody's.
func (a *access) tokens(cfg *config.Config, log *slog.Logger) (auth.Tokens, error) {
	s := &cfg.Serve
	switch {
	case s.JWKSURL != "":
		var err error
		a.keySet, err = auth.NewJWKS(auth.JWKSConfig{
			URL: s.JWKSURL, Issuer: s.Issuer, Audience: s.Audience, Algorithms: s.Algorithms, Skew: s.Skew, Refresh: s.Refresh,
			Now: time.Now, Logger: log,
		})
		return a.keySet, err
	case s.DemoMode():
		return auth.OpenDevelopmentKey(cfg.DataDir, time.Now)
	}
	return nil, nil
}

func newLimiter(s *config.Serve, shared *limit.Redis, metrics *telemetry.Metrics) *limit.Limiter {
	c := limit.Config{
		Replicas: s.Replicas, Budget: s.Limits.RedisWait,
		Observer: limit.Observer{Throttled: metrics.Throttled, Local: metrics.Local, RefundsDropped: metrics.RefundsDropped},
	}
	if s.Limits.Enabled {
		limits := func(l config.Limit, requests int64) limit.Limits {
			return limit.Limits{Points: limit.Rate{Size: l.Points, Restore: l.Restore}, RequestsPerHour: requests}
		}
		user, key, ip := s.HourlyRequests()
		c.User, c.Key, c.IP = limits(s.Limits.User, user), limits(s.Limits.Key, key), limits(s.Limits.IP, ip)
	}
	if shared == nil {
		return limit.New(c, nil)
	}
	return limit.New(c, shared)
}

// identify tells who asks and from where.
func (a *access) identify(r *http.Request) (auth.Viewer, netip.Addr, error) {
	viewer, err := a.authenticator.Authenticate(r.Context(), auth.Credentials{
		Authorization: r.Header["Authorization"], APIKey: r.Header["X-Api-Key"], // net/http has made the names canonical
	})
	return viewer, a.proxies.ClientIP(r.RemoteAddr, r.Header["X-Forwarded-For"]), err
}

// charge takes the price of a request that is no operation of the graph from its caller's buckets.
func (a *access) charge(ctx context.Context, viewer auth.Viewer, ip netip.Addr, points int64) (fields http.Header, wait time.Duration, ok bool) {
	if a.limiter == nil {
		return nil, 0, true
	}
	decision := a.limiter.Admit(ctx, limit.Caller{UserID: viewer.UserID, KeyID: viewer.KeyID, IP: ip}, points)
	fields = http.Header{}
	for _, field := range decision.Header() {
		fields.Set(field.Name, field.Value)
	}
	return fields, decision.RetryAfter, decision.Allowed
}

// keyEnded tells whether an API key is good no longer. While the store cannot tell, it counts as good, as it does to requests that came
// before.
func (a *access) keyEnded(ctx context.Context, id string) bool {
	ended, err := a.keys.Ended(ctx, id)
	return ended && err == nil
}

// Run does what goes on beside requests, until ctx ends.
func (a *access) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.uses.Run(ctx) })
	if a.limiter != nil {
		group.Go(func() error { return a.limiter.Run(ctx) })
	}
	if a.keySet != nil {
		group.Go(func() error { return a.keySet.Run(ctx) })
	}
	return group.Wait()
}

// Close gives up what was opened.
func (a *access) Close() error {
	var errs []error
	if a.keyFile != nil {
		errs = append(errs, a.keyFile.Close())
	}
	if a.redis != nil {
		errs = append(errs, a.redis.Close())
	}
	return errors.Join(errs...)
}
