package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
)

// clock is a time that stands still until it is moved.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func openKey(t *testing.T, dir string) (*auth.DevelopmentKey, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	key, err := auth.OpenDevelopmentKey(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return key, c
}

func issue(t *testing.T, key *auth.DevelopmentKey, user, scopes string, ttl time.Duration) string {
	t.Helper()
	token, err := key.Issue(user, scopes, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensTellWhoCalls(t *testing.T) {
	key, _ := openKey(t, t.TempDir())
	for _, tt := range []struct {
		scopes string
		want   []string
	}{{"", nil}, {"admin", []string{"admin"}}, {"  admin  events:write ", []string{"admin", "events:write"}}} {
		viewer, err := key.Verify(t.Context(), issue(t, key, "42", tt.scopes, time.Hour))
		if err != nil || viewer.UserID != "42" || !slices.Equal(viewer.Scopes, tt.want) {
			t.Errorf("scopes %q: %+v, %v", tt.scopes, viewer, err)
		}
	}
}

func TestTokensEnd(t *testing.T) {
	key, clock := openKey(t, t.TempDir())
	token := issue(t, key, "42", "", time.Hour)
	start := clock.t
	for _, tt := range []struct {
		after time.Duration
		ok    bool
	}{
		{0, true},
		{time.Hour, true},
		{time.Hour + 29*time.Second, true}, // clocks may differ by half a minute
		{time.Hour + 31*time.Second, false},
		{-29 * time.Second, true}, // made by a clock that is ahead
		{-31 * time.Second, false},
	} {
		clock.t = start.Add(tt.after)
		viewer, err := key.Verify(t.Context(), token)
		if tt.ok != (err == nil) || (err != nil && (!errors.Is(err, auth.ErrInvalidToken) || viewer.UserID != "")) {
			t.Errorf("after %v: %+v, %v", tt.after, viewer, err)
		}
	}
	clock.t = start.Add(2 * time.Hour)
	if _, err := key.Verify(t.Context(), token); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("the error %v does not say that the token has expired", err)
	}
}

func TestIssueRefusesWhatVerifyWould(t *testing.T) {
	key, _ := openKey(t, t.TempDir())
	for name, make := range map[string]func() (string, error){
		"nobody":   func() (string, error) { return key.Issue("", "", time.Hour) },
		"no time":  func() (string, error) { return key.Issue("42", "", 0) },
		"the past": func() (string, error) { return key.Issue("42", "", -time.Hour) },
		"too long": func() (string, error) { return key.Issue("42", strings.Repeat("s", 8<<10), time.Hour) },
	} {
		if token, err := make(); err == nil || token != "" {
			t.Errorf("%s: got token %q, %v", name, token, err)
		}
	}
}

// forge signs claims as the caller likes, with the key of the data dir unless another is given.
func forge(t *testing.T, dir string, method jwt.SigningMethod, key any, change jwt.MapClaims) string {
	t.Helper()
	if key == nil {
		secret, err := os.ReadFile(filepath.Join(dir, "development.key"))
		if err != nil {
			t.Fatal(err)
		}
		key = secret
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Unix()
	claims := jwt.MapClaims{"iss": "tributary-development", "sub": "42", "iat": now, "exp": now + 3600}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestForgedTokensAreRefused(t *testing.T) {
	dir := t.TempDir()
	key, clock := openKey(t, dir)
	other, _ := openKey(t, t.TempDir())
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.t.Unix()
	good := forge(t, dir, jwt.SigningMethodHS256, nil, nil)
	if viewer, err := key.Verify(t.Context(), good); err != nil || viewer.UserID != "42" {
		t.Fatalf("the token that the others are made of is refused: %v", err)
	}
	parts := strings.Split(good, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	extended := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "tributary-development", "sub": "42", "exp": now + 3600})
	extended.Header["crit"] = []string{"exp"}
	secret, err := os.ReadFile(filepath.Join(dir, "development.key"))
	if err != nil {
		t.Fatal(err)
	}
	critical, err := extended.SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(method jwt.SigningMethod, change jwt.MapClaims) string { return forge(t, dir, method, nil, change) }

	for name, token := range map[string]string{
		"empty":                   "",
		"no token":                "let me in",
		"alg none":                unsigned + "." + parts[1] + ".",
		"alg none, signed":        unsigned + "." + parts[1] + "." + parts[2],
		"alg none by the library": forge(t, dir, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"alg HS384":               claims(jwt.SigningMethodHS384, nil),
		"alg HS512":               claims(jwt.SigningMethodHS512, nil),
		"alg RS256":               forge(t, dir, jwt.SigningMethodRS256, private, nil),
		"crit":                    critical,
		"another server's key":    issue(t, other, "42", "", time.Hour),
		"empty key":               forge(t, dir, jwt.SigningMethodHS256, []byte{}, nil),
		"no signature":            parts[0] + "." + parts[1] + ".",
		"two parts":               parts[0] + "." + parts[1],
		"trailing part":           good + ".x",
		"padded":                  good + "=",
		"other issuer":            claims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "somebody"}),
		"no issuer":               claims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": nil}),
		"no subject":              claims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": nil}),
		"empty subject":           claims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": ""}),
		"subject is a number":     claims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": 42}),
		"no expiry":               claims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": nil}),
		"expired":                 claims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": now - 60}),
		"from the future":         claims(jwt.SigningMethodHS256, jwt.MapClaims{"iat": now + 60}),
		"not yet good":            claims(jwt.SigningMethodHS256, jwt.MapClaims{"nbf": now + 60}),
		"scope is a list":         claims(jwt.SigningMethodHS256, jwt.MapClaims{"scope": []string{"admin"}}),
		"too long":                claims(jwt.SigningMethodHS256, jwt.MapClaims{"pad": strings.Repeat("x", 8<<10)}),
	} {
		t.Run(name, func(t *testing.T) {
			viewer, err := key.Verify(t.Context(), token)
			if !errors.Is(err, auth.ErrInvalidToken) || viewer.UserID != "" || viewer.Scopes != nil {
				t.Fatalf("got %+v, %v", viewer, err)
			}
			for _, part := range strings.Split(token, ".") {
				if len(part) > 8 && strings.Contains(err.Error(), part) {
					t.Errorf("the error carries the token: %v", err)
				}
			}
		})
	}
}

// TestNoByteOfATokenMayChange also covers the spare bits of base64, which a lax decoder ignores.
func TestNoByteOfATokenMayChange(t *testing.T) {
	key, _ := openKey(t, t.TempDir())
	token := issue(t, key, "42", "admin", time.Hour)
	for i := range len(token) {
		for _, other := range "AQgw1_-" {
			changed := token[:i] + string(other) + token[i+1:]
			if _, err := key.Verify(t.Context(), changed); changed != token && err == nil {
				t.Fatalf("byte %d may be %q", i, other)
			}
		}
	}
}
