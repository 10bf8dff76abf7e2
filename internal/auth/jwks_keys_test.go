package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/internal/auth"
)

// changed is the published key of a name with other members; a nil takes one out.
func changed(name string, change map[string]any) map[string]any {
	key := jwkOf(testKeys()[name])
	maps.Copy(key, change)
	maps.DeleteFunc(key, func(_ string, v any) bool { return v == nil })
	return key
}

func TestWhichKeysAreUsed(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		key  any
		used int
	}{
		"RSA":                   {changed("rsa", nil), 1},
		"no use, no kid":        {changed("rsa", map[string]any{"use": nil, "kid": nil}), 1},
		"key_ops":               {changed("ed", map[string]any{"key_ops": []string{"sign", "verify"}}), 1},
		"broken certificate":    {changed("ed", map[string]any{"x5c": []string{"AA=="}, "x5u": "http://127.0.0.1:1/"}), 1},
		"unknown members":       {changed("ed", map[string]any{"issuer": "x"}), 1},
		"for encryption":        {changed("rsa", map[string]any{"use": "enc"}), 0},
		"for signing alone":     {changed("ed", map[string]any{"key_ops": []string{"sign"}}), 0},
		"weak":                  {jwkOf(signer{"weak", jwt.SigningMethodRS256, weak}), 0},
		"off the curve":         {changed("p256", map[string]any{"y": changed("p256", nil)["x"]}), 0},
		"of an unknown curve":   {changed("p256", map[string]any{"crv": "secp256k1"}), 0},
		"short":                 {changed("ed", map[string]any{"x": "AAAA"}), 0},
		"symmetric":             {map[string]any{"kty": "oct", "kid": "x", "k": "c2VjcmV0"}, 0},
		"unknown kind":          {map[string]any{"kty": "x", "kid": "x"}, 0},
		"kid of the wrong type": {changed("ed", map[string]any{"kid": 1}), 0},
		"no object":             {"x", 0},
	} {
		body, err := json.Marshal(map[string]any{"keys": []any{tt.key, changed("other", nil)}})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := auth.ParseKeySet(body); err != nil || n != tt.used+1 {
			t.Errorf("%s: %d of 2 keys are used, %v", name, n, err)
		}
	}
}

func TestAKeyIsForItsAlgorithm(t *testing.T) {
	i := newIssuer(t)
	body, err := json.Marshal(map[string]any{"keys": []any{
		changed("rsa", map[string]any{"alg": "PS256"}), changed("p256", map[string]any{"kid": "twice"}), changed("ed", map[string]any{"kid": "twice"}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	i.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	j, all := i.verifier(nil), testKeys()
	wants(t, j, signed(t, jwt.SigningMethodPS256, all["rsa"].key, "rsa", i.claims(nil), nil), nil)
	wants(t, j, signed(t, jwt.SigningMethodRS256, all["rsa"].key, "rsa", i.claims(nil), nil), auth.ErrInvalidToken)
	wants(t, j, i.token("p256", nil, map[string]any{"kid": "twice"}), nil) // one name, two kinds (RFC 7517 section 4.5)
	wants(t, j, i.token("ed", nil, map[string]any{"kid": "twice"}), nil)

	i.publish("rsa", "other") // both fit a token that names none
	i.clock.move(10 * time.Second)
	wants(t, j, i.token("p384", nil, nil), auth.ErrInvalidToken)
	wants(t, j, i.token("rsa", nil, map[string]any{"kid": nil}), auth.ErrInvalidToken)
}
