package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
	"tributary/internal/demo"
)

// apiKey makes a key of a data dir that is good for nothing but being known.
func apiKey(t *testing.T, dir string) (secret string) {
	t.Helper()
	store, err := auth.OpenSQLiteKeys(filepath.Join(dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, secret, err = auth.NewKeys(store, time.Now).Create(t.Context(), auth.NewKey{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestAnAPIKeyFromItsMakingToItsEnd(t *testing.T) {
	p, dir := serveDemoOf(t)
	admin := "Bearer " + tokenFor(t, dir, "u1", "admin")
	made := p.send(t, `mutation { createApiKey(input: {name: "reports", scopes: ["reports:read"], userId: "user_u2"}) { secret apiKey { id name prefix scopes user { handle } createdAt expiresAt revokedAt } userErrors { code } } }`, "Authorization", admin)
	if len(made.Errors) > 0 {
		t.Fatal(made.raw)
	}
	secret := at(t, made.Data, "createApiKey", "secret").(string)
	id := at(t, made.Data, "createApiKey", "apiKey", "id").(string)
	if prefix := at(t, made.Data, "createApiKey", "apiKey", "prefix").(string); !strings.HasPrefix(secret, prefix) || len(prefix) > len(secret)/2 {
		t.Errorf("prefix %q of a secret of %d characters", prefix, len(secret))
	}
	if r := p.send(t, `{ viewer { id } }`, "X-API-Key", secret); at(t, r.Data, "viewer", "id") != "user_u2" {
		t.Errorf("the key does not act as its user: %s", r.raw)
	}
	if r := p.send(t, `{ rateLimit { buckets { name } } }`, "X-API-Key", secret); !strings.Contains(r.raw, `{"name":"key"}`) {
		t.Errorf("the key has no bucket: %s", r.raw)
	}
	if r := p.send(t, `{ apiKeys(first: 1) { nodes { id } } }`, "X-API-Key", secret); r.codes()[`"apiKeys"`] != "FORBIDDEN" {
		t.Errorf("the key is an admin's: %s", r.raw)
	}
	listed := p.send(t, `{ apiKeys(first: 5) { edges { cursor node { id prefix } } pageInfo { hasNextPage } } }`, "Authorization", admin)
	if at(t, listed.Data, "apiKeys", "edges", 0, "node", "id") != id || strings.Contains(listed.raw, secret) {
		t.Error(listed.raw)
	}
	if r := p.send(t, `mutation { revokeApiKey(input: {id: "`+id+`"}) { apiKey { revokedAt } userErrors { code } } }`, "Authorization", admin); at(t, r.Data, "revokeApiKey", "apiKey", "revokedAt") == nil {
		t.Error(r.raw)
	}
	if r := p.send(t, `{ viewer { id } }`, "X-API-Key", secret); r.status != http.StatusUnauthorized || r.Errors[0].code() != "UNAUTHENTICATED" {
		t.Errorf("revoked: %d %s", r.status, r.raw)
	}
	for query, code := range map[string]string{
		`mutation { x: createApiKey(input: {name: ""}) { userErrors { code field } } }`:                                     "INVALID",
		`mutation { x: createApiKey(input: {name: "n", scopes: ["a b"]}) { userErrors { code field } } }`:                   "INVALID",
		`mutation { x: createApiKey(input: {name: "n", expiresAt: "2001-01-01T00:00:00Z"}) { userErrors { code field } } }`: "INVALID",
		`mutation { x: createApiKey(input: {name: "n", userId: "user_nobody"}) { userErrors { code field } } }`:             "NOT_FOUND",
		`mutation { x: revokeApiKey(input: {id: "nothing"}) { userErrors { code field } } }`:                                "NOT_FOUND",
	} {
		if r := p.send(t, query, "Authorization", admin); len(r.Errors) > 0 || at(t, r.Data, "x", "userErrors", 0, "code") != code {
			t.Errorf("%s: %s", query, r.raw)
		}
	}
	if log := p.stderr.String(); strings.Contains(log, secret) {
		t.Error("the log has the secret")
	}
}

// TestProtectedFieldsAreNullAndTheRestStands asks for what a caller may have together with what not.
func TestProtectedFieldsAreNullAndTheRestStands(t *testing.T) {
	p, dir := serveDemoOf(t)
	const query = `{ posts(first: 1) { nodes { id } } mine: feed(first: 1) { nodes { id } } ... on Query { apiKeys { nodes { id } } } }`
	for name, c := range map[string]struct{ token, feed, keys string }{
		"nobody":   {"", "UNAUTHENTICATED", "UNAUTHENTICATED"},
		"somebody": {tokenFor(t, dir, "u1", ""), "", "FORBIDDEN"},
		"admin":    {tokenFor(t, dir, "u1", "admin"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var header []string
			if c.token != "" {
				header = []string{"Authorization", "Bearer " + c.token}
			}
			r := p.send(t, query, header...)
			codes := r.codes()
			if r.status != http.StatusOK || codes[`"mine"`] != c.feed || codes[`"apiKeys"`] != c.keys || (r.Data["mine"] == nil) != (c.feed != "") || (r.Data["apiKeys"] == nil) != (c.keys != "") {
				t.Errorf("%d %s", r.status, r.raw)
			}
			if len(at(t, r.Data, "posts", "nodes").([]any)) != 1 {
				t.Errorf("the neighbour is gone: %s", r.raw)
			}
		})
	}
}

// issuer signs tokens and publishes its key.
type issuer struct {
	url  string
	key  *ecdsa.PrivateKey
	down atomic.Bool
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	public, err := key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	point := public.Bytes() // 4, x, y
	coordinate := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if i.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"k1","x":%q,"y":%q}]}`, coordinate(point[1:33]), coordinate(point[33:]))
	}))
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func (i *issuer) token(t *testing.T, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "https://id.example", "aud": "graph", "sub": "u1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range change {
		claims[name] = value
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestTokensOfAnIssuer(t *testing.T) {
	d := startDemo(t, seededDir(t))
	i := startIssuer(t)
	dir := t.TempDir()
	args := []string{"--addr", "127.0.0.1:0", "--data-dir", dir, "--jwks-url", i.url, "--jwt-issuer", "https://id.example", "--jwt-audience", "graph"}
	for _, service := range demo.Services() {
		args = append(args, "--"+service+"-url", d.URL(service))
	}
	p := start(t, args...)
	ask := func(token string) reply { return p.send(t, `{ viewer { id } }`, "Authorization", "Bearer "+token) }
	if r := ask(i.token(t, nil)); r.status != http.StatusOK || at(t, r.Data, "viewer", "id") != "user_u1" {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	for name, token := range map[string]string{
		"another audience": i.token(t, jwt.MapClaims{"aud": "other"}),
		"another issuer":   i.token(t, jwt.MapClaims{"iss": "https://evil.example"}),
		"expired":          i.token(t, jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}),
		"development":      tokenFor(t, dir, "u1", "admin"),
	} {
		if r := ask(token); r.status != http.StatusUnauthorized || r.Errors[0].code() != "UNAUTHENTICATED" || strings.Contains(r.raw, "data") {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	i.down.Store(true)
	if r := ask(i.token(t, jwt.MapClaims{"sub": "u2"})); r.status != http.StatusOK { // the key is known
		t.Errorf("while the issuer is down: %d %s", r.status, r.raw)
	}
	if r := p.send(t, `{ __typename }`); r.header.Get("RateLimit-Policy") == "" || !strings.Contains(r.header.Get("RateLimit-Policy"), `"ip-requests";q=5000`) {
		t.Errorf("no quota of requests outside of the demo: %v", r.header)
	}
}

func TestIntrospectionForThoseWhoMay(t *testing.T) {
	for who, want := range map[string]struct{ nobody, known int }{"all": {200, 200}, "known": {400, 200}, "none": {400, 400}} {
		t.Run(who, func(t *testing.T) {
			p, dir := serveDemoOf(t, "--introspection", who)
			const query, accept = `{ __schema { queryType { name } } }`, "application/graphql-response+json"
			if r := p.send(t, query, "Accept", accept); r.status != want.nobody || (want.nobody == 400 && r.Errors[0].code() != "INTROSPECTION_DISABLED") {
				t.Errorf("nobody: %d %s", r.status, r.raw)
			}
			if r := p.send(t, query, "Accept", accept, "Authorization", "Bearer "+tokenFor(t, dir, "u1", "")); r.status != want.known {
				t.Errorf("somebody: %d %s", r.status, r.raw)
			}
			if r := p.send(t, `{ __typename }`, "Accept", accept); r.status != 200 {
				t.Errorf("__typename: %d %s", r.status, r.raw)
			}
		})
	}
}
