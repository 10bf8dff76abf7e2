package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
)

const (
	testIssuer   = "https://issuer.example/"
	testAudience = "tributary"
)

// issuer is somebody who signs tokens and publishes keys over HTTP.
type issuer struct {
	t       testing.TB
	server  *httptest.Server
	clock   *safeClock
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
}

// safeClock is a time that stands still until it is moved, whoever reads it.
type safeClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *safeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *safeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// signer is a private key of a name.
type signer struct {
	id     string
	method jwt.SigningMethod
	key    crypto.Signer
}

// The private keys of the tests: RSA keys take long to make.
var testKeys = sync.OnceValue(func() map[string]signer {
	first, _ := rsa.GenerateKey(rand.Reader, 2048)
	second, _ := rsa.GenerateKey(rand.Reader, 2048)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	return map[string]signer{
		"rsa": {"rsa", jwt.SigningMethodRS256, first}, "other": {"other", jwt.SigningMethodRS256, second},
		"p256": {"p256", jwt.SigningMethodES256, p256}, "p384": {"p384", jwt.SigningMethodES384, p384},
		"ed": {"ed", jwt.SigningMethodEdDSA, edwards},
	}
})

func newIssuer(t testing.TB, published ...string) *issuer {
	i := &issuer{t: t, clock: &safeClock{t: noon}}
	i.publish(published...)
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetches.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) answers(f http.HandlerFunc) { i.answer.Store(&f) }

// publish has the key set hold these keys alone.
func (i *issuer) publish(names ...string) {
	body := keySetOf(names...)
	i.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func keySetOf(names ...string) []byte {
	keys := []map[string]any{}
	for _, name := range names {
		keys = append(keys, jwkOf(testKeys()[name]))
	}
	body, _ := json.Marshal(map[string]any{"keys": keys})
	return body
}

func jwkOf(s signer) map[string]any {
	encode := base64.RawURLEncoding.EncodeToString
	switch key := s.key.Public().(type) {
	case *rsa.PublicKey:
		return map[string]any{"kid": s.id, "kty": "RSA", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, _ := key.Bytes()
		half := len(point) / 2
		return map[string]any{"kid": s.id, "kty": "EC", "crv": key.Curve.Params().Name, "x": encode(point[1 : 1+half]), "y": encode(point[1+half:])}
	case ed25519.PublicKey:
		return map[string]any{"kid": s.id, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(key)}
	}
	return nil
}

// verifier runs a JWKS of the issuer until the test ends.
func (i *issuer) verifier(change func(*auth.JWKSConfig)) *auth.JWKS {
	i.t.Helper()
	cfg := auth.JWKSConfig{
		URL: i.server.URL + "/keys?secret=hunter2", Issuer: testIssuer, Audience: testAudience,
		Now: i.clock.now, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	j, err := auth.NewJWKS(cfg)
	if err != nil {
		i.t.Fatal(err)
	}
	runUntilTheEnd(i.t, j)
	return j
}

// claims are those of a good token, with changes; a nil leaves one out.
func (i *issuer) claims(change jwt.MapClaims) jwt.MapClaims {
	now := i.clock.now().Unix()
	claims := jwt.MapClaims{"iss": testIssuer, "aud": testAudience, "sub": "42", "iat": now, "exp": now + 3600}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// token signs claims with a key; header overrides what would stand there, and a nil in it leaves that out.
func (i *issuer) token(key string, claims jwt.MapClaims, header map[string]any) string {
	i.t.Helper()
	s := testKeys()[key]
	return signed(i.t, s.method, s.key, s.id, i.claims(claims), header)
}

func signed(t testing.TB, method jwt.SigningMethod, key any, id string, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = id
	maps.Copy(token.Header, header)
	maps.DeleteFunc(token.Header, func(_ string, v any) bool { return v == nil })
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
