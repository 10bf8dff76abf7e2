package auth_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
)

// runUntilTheEnd runs a JWKS and waits for it after the test.
func runUntilTheEnd(t testing.TB, j *auth.JWKS) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- j.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestEverySignatureWithAPublicKeyIsTaken(t *testing.T) {
	i := newIssuer(t, "rsa", "other", "p256", "p384", "ed")
	j := i.verifier(nil)
	all := testKeys()
	for name, token := range map[string]string{
		"RS256": i.token("rsa", nil, nil), "ES256": i.token("p256", nil, nil), "ES384": i.token("p384", nil, nil), "EdDSA": i.token("ed", nil, nil),
		"RS512":                                signed(t, jwt.SigningMethodRS512, all["rsa"].key, "rsa", i.claims(nil), nil),
		"PS256":                                signed(t, jwt.SigningMethodPS256, all["other"].key, "other", i.claims(nil), nil),
		"one that names no key where one fits": i.token("ed", nil, map[string]any{"kid": nil}),
		"several audiences":                    i.token("rsa", jwt.MapClaims{"aud": []string{"other", testAudience}}, nil),
		// What the header says of where to find a key is not even looked at.
		"jku, x5u": i.token("rsa", nil, map[string]any{"jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}),
	} {
		viewer, err := j.Verify(t.Context(), token)
		if err != nil || viewer.UserID != "42" || !viewer.Expires.Equal(noon.Truncate(time.Second).Add(time.Hour)) {
			t.Errorf("%s: %+v, %v", name, viewer, err)
		}
	}
}

func TestScopesOfTokens(t *testing.T) {
	i := newIssuer(t, "ed")
	j := i.verifier(nil)
	for _, tt := range []struct {
		claims jwt.MapClaims
		want   []string
		ok     bool
	}{
		{nil, nil, true},
		{jwt.MapClaims{"scope": " a  b "}, []string{"a", "b"}, true},
		{jwt.MapClaims{"scp": "a b"}, []string{"a", "b"}, true},
		{jwt.MapClaims{"scp": []string{"a", "not admin"}}, []string{"a", "not admin"}, true},
		{jwt.MapClaims{"scope": "a", "scp": []string{"b"}}, []string{"a", "b"}, true},
		{jwt.MapClaims{"Scope": "admin", "SUB": "1", "Exp": 1}, nil, true},
		{jwt.MapClaims{"scope": []string{"a"}}, nil, false},
		{jwt.MapClaims{"scp": []any{"a", 1}}, nil, false},
		{jwt.MapClaims{"scp": 1}, nil, false},
	} {
		viewer, err := j.Verify(t.Context(), i.token("ed", tt.claims, nil))
		if (err == nil) != tt.ok || !slices.Equal(viewer.Scopes, tt.want) || (tt.ok && viewer.UserID != "42") {
			t.Errorf("%v: %+v, %v", tt.claims, viewer, err)
		}
	}
}

func TestTheClocksMayDiffer(t *testing.T) {
	i := newIssuer(t, "ed")
	j := i.verifier(func(c *auth.JWKSConfig) { c.Skew = 10 * time.Second })
	i.clock.t = noon.Truncate(time.Second)
	now := i.clock.t.Unix()
	for _, tt := range []struct {
		claim string
		at    int64
		ok    bool
	}{
		{"exp", now - 9, true}, {"exp", now - 10, false}, {"nbf", now + 10, true}, {"nbf", now + 11, false}, {"iat", now + 10, true}, {"iat", now + 11, false},
	} {
		_, err := j.Verify(t.Context(), i.token("ed", jwt.MapClaims{tt.claim: tt.at}, nil))
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, auth.ErrInvalidToken)) {
			t.Errorf("%s %+d s: %v", tt.claim, tt.at-now, err)
		}
		if tt.claim == "exp" && err != nil && !strings.HasSuffix(err.Error(), "expired") {
			t.Errorf("%v does not say that it has expired", err)
		}
	}
}

func TestForgedTokensOfAnIssuerAreRefused(t *testing.T) {
	i := newIssuer(t, "rsa", "p256", "p384", "ed")
	called := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		called = true
		_, _ = w.Write(keySetOf("other"))
	}))
	defer elsewhere.Close()
	j := i.verifier(nil)
	all := testKeys()
	public, _ := x509.MarshalPKIXPublicKey(all["rsa"].key.Public())
	pemOf := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	unsigned := func(header string) string {
		good := strings.Split(i.token("rsa", nil, nil), ".")
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + good[1] + "."
	}
	by := func(method jwt.SigningMethod, key any, id string, header map[string]any) string {
		return signed(t, method, key, id, i.claims(nil), header)
	}
	good := i.token("rsa", nil, nil)
	now := i.clock.now().Unix()
	for name, token := range map[string]string{
		"empty": "", "no token": "let me in", "dots": "..", "many dots": strings.Repeat(".", 8000),
		"alg none":            unsigned(`{"alg":"none","kid":"rsa"}`),
		"alg None":            unsigned(`{"alg":"None","kid":"rsa"}`),
		"alg missing":         unsigned(`{"kid":"rsa"}`),
		"alg a number":        unsigned(`{"alg":1,"kid":"rsa"}`),
		"HS256 with the PEM":  by(jwt.SigningMethodHS256, pemOf, "rsa", nil),
		"HS256 with the DER":  by(jwt.SigningMethodHS256, public, "rsa", nil),
		"HS256 with n":        by(jwt.SigningMethodHS256, all["rsa"].key.Public().(*rsa.PublicKey).N.Bytes(), "rsa", nil),
		"HS512, no kid":       by(jwt.SigningMethodHS512, pemOf, "", map[string]any{"kid": nil}),
		"another's key":       by(jwt.SigningMethodRS256, all["other"].key, "rsa", nil),
		"unknown kid":         i.token("other", nil, nil),
		"kid of another kind": by(jwt.SigningMethodES256, all["p256"].key, "rsa", nil),
		"kid of another size": by(jwt.SigningMethodES256, all["p256"].key, "p384", nil),
		"alg of no fit":       by(jwt.SigningMethodRS256, all["rsa"].key, "ed", nil),
		"kid is a path":       by(jwt.SigningMethodRS256, all["other"].key, "../../dev/null", nil),
		"kid is SQL":          by(jwt.SigningMethodRS256, all["other"].key, "x' UNION SELECT 'k' --", nil),
		"kid empty":           by(jwt.SigningMethodRS256, all["rsa"].key, "", nil),
		"kid a number":        by(jwt.SigningMethodRS256, all["rsa"].key, "", map[string]any{"kid": 1}),
		"kid a list":          by(jwt.SigningMethodRS256, all["rsa"].key, "", map[string]any{"kid": []string{"rsa"}}),
		"no kid, another's":   by(jwt.SigningMethodRS256, all["other"].key, "", map[string]any{"kid": nil}),
		"jku":                 i.token("other", nil, map[string]any{"jku": elsewhere.URL}),
		"x5u":                 i.token("other", nil, map[string]any{"x5u": elsewhere.URL}),
		"jwk":                 i.token("other", nil, map[string]any{"jwk": jwkOf(all["other"])}),
		"jwk of a known kid":  by(jwt.SigningMethodRS256, all["other"].key, "rsa", map[string]any{"jwk": jwkOf(all["other"])}),
		"crit":                i.token("rsa", nil, map[string]any{"crit": []string{"exp"}}),
		"crit null":           unsigned(`{"alg":"RS256","kid":"rsa","crit":null}`),
		"no signature":        good[:strings.LastIndex(good, ".")+1],
		"padded":              good + "=",
		"trailing part":       good + ".x",
		"changed":             good[:len(good)/2] + "AAAA" + good[len(good)/2+4:],
		"other issuer":        i.token("rsa", jwt.MapClaims{"iss": "https://issuer.example"}, nil),
		"no issuer":           i.token("rsa", jwt.MapClaims{"iss": nil}, nil),
		"other audience":      i.token("rsa", jwt.MapClaims{"aud": "tributary2"}, nil),
		"no audience":         i.token("rsa", jwt.MapClaims{"aud": nil}, nil),
		"empty audience":      i.token("rsa", jwt.MapClaims{"aud": []string{}}, nil),
		"no subject":          i.token("rsa", jwt.MapClaims{"sub": nil}, nil),
		"subject a number":    i.token("rsa", jwt.MapClaims{"sub": 42}, nil),
		"never ends":          i.token("rsa", jwt.MapClaims{"exp": nil}, nil),
		"exp a string":        i.token("rsa", jwt.MapClaims{"exp": "tomorrow"}, nil),
		"expired":             i.token("rsa", jwt.MapClaims{"exp": now - 60}, nil),
		"not yet valid":       i.token("rsa", jwt.MapClaims{"nbf": now + 60}, nil),
		"from the future":     i.token("rsa", jwt.MapClaims{"iat": now + 60}, nil),
		"too long":            i.token("rsa", jwt.MapClaims{"pad": strings.Repeat("x", 8<<10)}, nil),
	} {
		viewer, err := j.Verify(t.Context(), token)
		if !errors.Is(err, auth.ErrInvalidToken) || errors.Is(err, auth.ErrUnavailable) || viewer.UserID != "" {
			t.Errorf("%s: got %+v, %v", name, viewer, err)
			continue
		}
		for part := range strings.SplitSeq(token, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error carries the token: %v", name, err)
			}
		}
	}
	if called {
		t.Error("a token had a URL of its own fetched")
	}
	if n := i.fetches.Load(); n > 2 {
		t.Errorf("unknown keys caused %d fetches", n)
	}
}

func TestAlgorithmsCanBeFewer(t *testing.T) {
	i := newIssuer(t, "rsa", "ed")
	j := i.verifier(func(c *auth.JWKSConfig) { c.Algorithms = []string{"EdDSA"} })
	if _, err := j.Verify(t.Context(), i.token("ed", nil, nil)); err != nil {
		t.Error(err)
	}
	if _, err := j.Verify(t.Context(), i.token("rsa", nil, nil)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Error(err)
	}
}

func TestJWKSConfigIsChecked(t *testing.T) {
	good := auth.JWKSConfig{URL: "https://user:hunter2@issuer.example/keys", Issuer: "i", Audience: "a"}
	if _, err := auth.NewJWKS(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*auth.JWKSConfig){
		"no URL":      func(c *auth.JWKSConfig) { c.URL = "" },
		"file":        func(c *auth.JWKSConfig) { c.URL = "file:///hunter2" },
		"broken":      func(c *auth.JWKSConfig) { c.URL = "http://hunter2\x7f" },
		"no issuer":   func(c *auth.JWKSConfig) { c.Issuer = "" },
		"no audience": func(c *auth.JWKSConfig) { c.Audience = "" },
		"none":        func(c *auth.JWKSConfig) { c.Algorithms = []string{"none"} },
		"HS256":       func(c *auth.JWKSConfig) { c.Algorithms = []string{"RS256", "HS256"} },
		"skew":        func(c *auth.JWKSConfig) { c.Skew = -1 },
		"much skew":   func(c *auth.JWKSConfig) { c.Skew = time.Hour },
		"refresh":     func(c *auth.JWKSConfig) { c.Refresh = time.Second },
	} {
		cfg := good
		change(&cfg)
		if j, err := auth.NewJWKS(cfg); j != nil || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v", name, j, err)
		}
	}
}
