package auth_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
)

// verifier is an implementation of Tokens with what the suite needs to make tokens for it.
type verifier struct {
	auth.Tokens
	clock *safeClock
	sign  func(change jwt.MapClaims) string
}

// eachTokens runs a test over every implementation.
func eachTokens(t *testing.T, test func(*testing.T, verifier)) {
	t.Run("development", func(t *testing.T) {
		dir, clock := t.TempDir(), &safeClock{t: noon}
		key, err := auth.OpenDevelopmentKey(dir, clock.now)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := os.ReadFile(filepath.Join(dir, "development.key"))
		if err != nil {
			t.Fatal(err)
		}
		i := &issuer{t: t, clock: clock}
		test(t, verifier{key, clock, func(change jwt.MapClaims) string {
			claims := i.claims(change)
			if claims["iss"] == testIssuer {
				claims["iss"] = "tributary-development"
			}
			return signed(t, jwt.SigningMethodHS256, secret, "", claims, nil)
		}})
	})
	t.Run("JWKS", func(t *testing.T) {
		i := newIssuer(t, "p256")
		test(t, verifier{i.verifier(nil), i.clock, func(change jwt.MapClaims) string { return i.token("p256", change, nil) }})
	})
}

// TestTokens is the contract of Tokens.
func TestTokens(t *testing.T) {
	eachTokens(t, func(t *testing.T, v verifier) {
		now := noon.Unix()
		for name, change := range map[string]jwt.MapClaims{
			"whole": nil, "no iat": {"iat": nil}, "fractions": {"exp": float64(now) + 3600.5}, "within the skew": {"exp": now - 29, "nbf": now + 29},
		} {
			viewer, err := v.Verify(t.Context(), v.sign(change))
			if err != nil || viewer.UserID != "42" || viewer.KeyID != "" || viewer.Expires.IsZero() {
				t.Errorf("%s: %+v, %v", name, viewer, err)
			}
		}
		for name, change := range map[string]jwt.MapClaims{
			"other issuer": {"iss": "x"}, "nobody": {"sub": ""}, "no subject": {"sub": nil}, "expired": {"exp": now - 31}, "never ends": {"exp": nil},
			"not yet": {"nbf": now + 31}, "from the future": {"iat": now + 31}, "scope a list": {"scope": []string{"admin"}}, "too long": {"x": strings.Repeat("x", 8<<10)},
		} {
			token := v.sign(change)
			viewer, err := v.Verify(t.Context(), token)
			if !errors.Is(err, auth.ErrInvalidToken) || viewer.UserID != "" || strings.Contains(err.Error(), token[len(token)-20:]) {
				t.Errorf("%s: %+v, %v", name, viewer, err)
			}
		}
		token := v.sign(jwt.MapClaims{"scope": "a b"})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					if viewer, err := v.Verify(t.Context(), token); err != nil || !viewer.HasScopes("a", "b") {
						t.Errorf("%+v, %v", viewer, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// countingTokens counts what it is asked.
type countingTokens struct {
	auth.Tokens
	mu    sync.Mutex
	asked int
}

func (c *countingTokens) Verify(ctx context.Context, token string) (auth.Viewer, error) {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	return c.Tokens.Verify(ctx, token)
}

func (c *countingTokens) wants(t *testing.T, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != n {
		t.Errorf("%d verifications, want %d", c.asked, n)
	}
}

func bearing(token string) auth.Credentials {
	return auth.Credentials{Authorization: []string{"Bearer " + token}}
}

func TestVerifiedTokensAreRemembered(t *testing.T) {
	i := newIssuer(t, "ed", "rsa")
	tokens := &countingTokens{Tokens: i.verifier(nil)}
	a := auth.NewAuthenticator(tokens, nil, 100, i.clock.now)
	authenticate := func(token string, want error) {
		t.Helper()
		if viewer, err := a.Authenticate(t.Context(), bearing(token)); !errors.Is(err, want) || (err == nil) != (viewer.UserID == "42") {
			t.Fatalf("got %+v, %v", viewer, err)
		}
	}
	token := i.token("ed", jwt.MapClaims{"exp": noon.Unix() + 90}, nil)
	for range 100 {
		authenticate(token, nil)
	}
	tokens.wants(t, 1)
	i.clock.move(time.Minute - time.Nanosecond)
	authenticate(token, nil)
	tokens.wants(t, 1)
	i.clock.move(time.Nanosecond)
	authenticate(token, nil) // once a minute it is checked again
	tokens.wants(t, 2)
	i.clock.move(30 * time.Second)
	authenticate(token, nil) // after its end it is good for the skew, but not remembered
	authenticate(token, nil)
	tokens.wants(t, 4)
	i.clock.move(30 * time.Second)
	authenticate(token, auth.ErrInvalidToken)
	authenticate(token, auth.ErrInvalidToken) // nor is a refusal
	tokens.wants(t, 6)

	taken := i.token("rsa", nil, nil)
	authenticate(taken, nil)
	i.publish("ed")
	authenticate(i.token("other", nil, nil), auth.ErrInvalidToken) // has the key set read
	authenticate(taken, nil)
	i.clock.move(time.Minute)
	authenticate(taken, auth.ErrInvalidToken) // a key that was taken back ends its tokens
}

func TestRememberedTokensAreBounded(t *testing.T) {
	i := newIssuer(t, "ed")
	a := auth.NewAuthenticator(i.verifier(nil), nil, 0, i.clock.now)
	var all []string
	for n := range 20 {
		all = append(all, i.token("ed", jwt.MapClaims{"n": n}, nil))
	}
	for _, token := range all {
		if _, err := a.Authenticate(t.Context(), bearing(token)); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.Remembered(); n != 1 {
		t.Errorf("%d of 20 tokens are remembered, want 1", n)
	}
}

func TestCredentials(t *testing.T) {
	clock := &safeClock{t: noon}
	development, err := auth.OpenDevelopmentKey(t.TempDir(), clock.now)
	if err != nil {
		t.Fatal(err)
	}
	token := issue(t, development, "42", "a b", time.Hour)
	keys := auth.NewKeys(openSQLite(t), clock.now)
	early, late := noon.Add(time.Minute), noon.Add(24*time.Hour)
	made, secret := create(t, keys, auth.NewKey{Name: "key", UserID: "7", Scopes: []string{"b", "c"}, ExpiresAt: &early})
	lasting, lastingSecret := create(t, keys, auth.NewKey{Name: "key", ExpiresAt: &late})
	a := auth.NewAuthenticator(development, keys, 10, clock.now)
	end := noon.Truncate(time.Second).Add(time.Hour)
	type list = []string
	for _, tt := range []struct {
		name               string
		authorization, key list
		want               auth.Viewer
		err                error
	}{
		{"none", nil, nil, auth.Viewer{}, nil},
		{"empty", list{""}, list{""}, auth.Viewer{}, nil},
		{"token", list{"Bearer " + token}, nil, auth.Viewer{UserID: "42", Scopes: list{"a", "b"}, Expires: end}, nil},
		{"token in other letters", list{"bEARER   " + token + " "}, nil, auth.Viewer{UserID: "42", Scopes: list{"a", "b"}, Expires: end}, nil},
		{"key", nil, list{secret}, auth.Viewer{UserID: "7", KeyID: made.ID, KeyName: "key", Scopes: list{"b", "c"}, Expires: early}, nil},
		{"both", list{"Bearer " + token}, list{secret}, auth.Viewer{UserID: "42", KeyID: made.ID, KeyName: "key", Scopes: list{"a", "b", "c"}, Expires: early}, nil},
		{"both, the key lasts", list{"Bearer " + token}, list{lastingSecret}, auth.Viewer{UserID: "42", KeyID: lasting.ID, KeyName: "key", Scopes: list{"a", "b"}, Expires: end}, nil},
		{"bad token", list{"Bearer x"}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"bad token, good key", list{"Bearer x"}, list{secret}, auth.Viewer{}, auth.ErrInvalidToken},
		{"good token, bad key", list{"Bearer " + token}, list{"x"}, auth.Viewer{}, auth.ErrInvalidKey},
		{"no token", list{"Bearer"}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"another scheme", list{"Basic " + token}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"no scheme", list{token}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"two tokens", list{"Bearer " + token, "Bearer " + token}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"two keys", nil, list{secret, secret}, auth.Viewer{}, auth.ErrInvalidKey},
		{"two empty", list{"", ""}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"too long", list{"Bearer " + strings.Repeat("x", 8<<10+1)}, nil, auth.Viewer{}, auth.ErrInvalidToken},
		{"the key as a token", list{"Bearer " + secret}, nil, auth.Viewer{}, auth.ErrInvalidToken},
	} {
		for range 2 { // the second time from memory
			got, err := a.Authenticate(t.Context(), auth.Credentials{Authorization: tt.authorization, APIKey: tt.key})
			same := got.UserID == tt.want.UserID && got.KeyID == tt.want.KeyID && slices.Equal(got.Scopes, tt.want.Scopes) && got.Expires.Equal(tt.want.Expires)
			if !errors.Is(err, tt.err) || !same {
				t.Errorf("%s: got %+v, %v, want %+v, %v", tt.name, got, err, tt.want, tt.err)
			}
		}
	}
	none := auth.NewAuthenticator(nil, nil, 10, clock.now)
	if _, err := none.Authenticate(t.Context(), bearing(token)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("a token where none is good: %v", err)
	}
	if _, err := none.Authenticate(t.Context(), auth.Credentials{APIKey: list{secret}}); !errors.Is(err, auth.ErrInvalidKey) {
		t.Errorf("a key where none is good: %v", err)
	}
}

// roomyTokens gives scopes with room behind them, which an append would write to.
type roomyTokens struct{ scopes []string }

func (r roomyTokens) Verify(context.Context, string) (auth.Viewer, error) {
	return auth.Viewer{UserID: "42", Scopes: r.scopes[:1]}, nil
}

func TestRememberedScopesStayAsTheyAre(t *testing.T) {
	keys := auth.NewKeys(openSQLite(t), time.Now)
	_, secret := create(t, keys, auth.NewKey{Name: "key", Scopes: []string{"admin"}})
	tokens := roomyTokens{[]string{"a", "b"}}
	a := auth.NewAuthenticator(tokens, keys, 10, time.Now)
	both := bearing("x")
	both.APIKey = []string{secret}
	for range 2 {
		if viewer, err := a.Authenticate(t.Context(), both); err != nil || !viewer.HasScopes("a", "admin") || tokens.scopes[1] != "b" {
			t.Errorf("got %+v, %v, beside %v", viewer, err, tokens.scopes)
		}
	}
}

func TestManyAuthenticateAtOnce(t *testing.T) {
	i := newIssuer(t, "ed")
	keys := auth.NewKeys(openSQLite(t), i.clock.now)
	a := auth.NewAuthenticator(i.verifier(nil), keys, 4, i.clock.now)
	var shown []auth.Credentials
	for n := range 6 {
		c := bearing(i.token("ed", jwt.MapClaims{"n": n, "scope": "a"}, nil))
		_, secret := create(t, keys, auth.NewKey{Name: "key", Scopes: []string{"b"}})
		c.APIKey = []string{secret}
		shown = append(shown, c)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 60 {
				viewer, err := a.Authenticate(t.Context(), shown[n%len(shown)])
				if err != nil || !viewer.HasScopes("a", "b") || len(viewer.Scopes) != 2 {
					t.Errorf("%+v, %v", viewer, err)
				}
				if n%20 == 19 {
					i.clock.move(2 * time.Second)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAuthenticate(b *testing.B) {
	i := newIssuer(b, "rsa", "ed")
	keys := auth.NewKeys(openSQLite(b), i.clock.now)
	_, secret := create(b, keys, auth.NewKey{Name: "key"})
	a := auth.NewAuthenticator(i.verifier(nil), keys, 100, time.Now)
	i.clock.move(time.Until(noon) * -1)
	claims := jwt.MapClaims{"scope": "openid profile events:read"}
	shown := map[string]auth.Credentials{
		"nothing": {}, "RS256": bearing(i.token("rsa", claims, nil)), "EdDSA": bearing(i.token("ed", claims, nil)), "key": {APIKey: []string{secret}},
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Authenticate(b.Context(), shown[name]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("RS256 not remembered", func(b *testing.B) {
		j, token := i.verifier(nil), i.token("rsa", claims, nil)
		for b.Loop() {
			if _, err := j.Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
