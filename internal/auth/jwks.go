package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	defaultRefresh = 10 * time.Minute
	minRefresh     = time.Minute
	maxSkew        = 5 * time.Minute
)

// algorithms are those whose keys may be public. HS256 and its like are not among them: with a public key taken for a shared
// secret, anybody could sign.
var algorithms = [...]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// JWKSConfig says whose tokens are good.
type JWKSConfig struct {
	URL        string           // where the issuer publishes its keys, http or https
	Issuer     string           // what iss must be
	Audience   string           // what aud must be or hold
	Algorithms []string         // the signatures that are taken, out of RS, PS and ES 256 to 512 and EdDSA; all of them when empty
	Skew       time.Duration    // how far the issuer's clock may differ; 30 s when 0, at most 5 min
	Refresh    time.Duration    // how often the keys are read again; 10 min when 0, at least 1 min
	HTTPClient *http.Client     // reads the keys; when nil, one that follows no redirects
	Now        func() time.Time // time.Now when nil
	Logger     *slog.Logger     // told when the keys change or cannot be read; slog.Default() when nil
}

// JWKS checks the tokens of an issuer that publishes its keys as a JSON Web Key Set (RFC 7517). It is safe for concurrent use.
// Keys that were read stay good while the URL is out of reach.
type JWKS struct {
	config JWKSConfig
	parser *jwt.Parser
	keys   atomic.Pointer[keySet] // nil until they have been read
	demand chan struct{}          // holds a token when Run is to fetch at once

	mu    sync.Mutex
	round chan struct{} // closed at the end of the fetch that is wanted or under way; nil when none is
	asked time.Time     // when a token last caused a fetch
	err   error         // how the last fetch failed
}

// NewJWKS makes a JWKS. It connects to nothing until Run is called.
func NewJWKS(cfg JWKSConfig) (*JWKS, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	return &JWKS{
		config: cfg,
		demand: make(chan struct{}, 1),
		round:  make(chan struct{}), // Run begins with a fetch: a token that is there before it waits for that one, and has not asked for another
		parser: jwt.NewParser(jwt.WithValidMethods(cfg.Algorithms), jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(cfg.Skew), jwt.WithTimeFunc(cfg.Now), jwt.WithStrictDecoding()),
	}, nil
}

// complete fills in the defaults. Its errors do not carry the URL, which may hold a password.
func (cfg *JWKSConfig) complete() error {
	address, err := url.Parse(cfg.URL)
	if err != nil || (address.Scheme != "https" && address.Scheme != "http") || address.Host == "" {
		return errors.New("want an http or https URL")
	}
	if cfg.Issuer == "" || cfg.Audience == "" {
		return errors.New("issuer and audience are needed")
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = algorithms[:]
	}
	cfg.Algorithms = slices.Clone(cfg.Algorithms)
	for _, name := range cfg.Algorithms {
		if !slices.Contains(algorithms[:], name) {
			return fmt.Errorf("algorithm %q is none of %v", name, algorithms)
		}
	}
	if cfg.Skew == 0 {
		cfg.Skew = clockSkew
	}
	if cfg.Refresh == 0 {
		cfg.Refresh = defaultRefresh
	}
	if cfg.Skew < 0 || cfg.Skew > maxSkew || cfg.Refresh < minRefresh {
		return fmt.Errorf("clocks may differ by at most %v, and keys are read again every %v or less often", maxSkew, minRefresh)
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = &http.Client{
			Transport:     http.DefaultTransport.(*http.Transport).Clone(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return nil
}

// Verify tells whose token this is. A token that names a key not seen yet has the key set read again, at most once in 10 s, and
// waits for it, at most 5 s. The error wraps ErrInvalidToken, or ErrUnavailable when the key set that would tell could not be
// read; it does not carry the token.
func (j *JWKS) Verify(ctx context.Context, token string) (Viewer, error) {
	if len(token) > maxToken {
		return Viewer{}, fmt.Errorf("%w: too long", ErrInvalidToken)
	}
	c := jwt.MapClaims{}
	_, err := j.parser.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) {
		if err := noExtensions(t); err != nil {
			return nil, err
		}
		return j.keyOf(ctx, t)
	})
	switch {
	case errors.Is(err, ErrUnavailable):
		return Viewer{}, err
	case errors.Is(err, jwt.ErrTokenExpired):
		return Viewer{}, fmt.Errorf("%w: expired", ErrInvalidToken)
	case err != nil:
		return Viewer{}, fmt.Errorf("%w: not one of the issuer's for this server", ErrInvalidToken)
	}
	return viewerOf(c)
}

// keyOf finds the key that a token says it is signed with. Where that key comes from is never the token's to say: jku, jwk,
// x5u and x5c in its header mean nothing here.
func (j *JWKS) keyOf(ctx context.Context, t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	if _, named := t.Header["kid"]; named && id == "" {
		return nil, errors.New("kid is no name")
	}
	key, known := j.keys.Load().find(id, t.Method)
	for range 2 { // the first time it may join a fetch that began before the key was published
		if known {
			break
		}
		if err := j.renew(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		key, known = j.keys.Load().find(id, t.Method)
	}
	if key == nil {
		return nil, errors.New("no key of that name for that algorithm")
	}
	return key, nil
}
