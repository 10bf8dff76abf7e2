package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

const (
	maxKeys    = 100 // of a key set
	minRSABits = 2048
	maxRSABits = 8192 // a larger one is slow to check with, as it may be meant to be
)

// keySet holds the public keys of an issuer. A nil one is that of an issuer not heard of yet.
type keySet struct {
	keys     []publicKey
	unusable int // how many more there were: symmetric, weak, for encryption, or not readable
}

type publicKey struct {
	id, algorithm string // of which each may be empty: the algorithm then is any that fits the key
	key           any
}

// parseKeySet reads a JSON Web Key Set (RFC 7517 section 5) and passes over keys that nobody could check a signature with. An
// empty list is an issuer that takes back everything; a list with nothing usable in it is taken for a mistake.
func parseKeySet(body []byte) (*keySet, error) {
	var document struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &document); err != nil || document.Keys == nil {
		return nil, errors.New("answered no key set")
	}
	if len(document.Keys) > maxKeys {
		return nil, fmt.Errorf("answered %d keys, more than %d", len(document.Keys), maxKeys)
	}
	set := &keySet{}
	for _, raw := range document.Keys {
		if key, ok := parseKey(raw); ok {
			set.keys = append(set.keys, key)
		}
	}
	set.unusable = len(document.Keys) - len(set.keys)
	if len(set.keys) == 0 && set.unusable > 0 {
		return nil, errors.New("answered no key that can be used")
	}
	return set, nil
}

func parseKey(raw json.RawMessage) (publicKey, bool) {
	var m jwkset.JWKMarshal
	if err := json.Unmarshal(raw, &m); err != nil {
		return publicKey{}, false
	}
	if m.USE != "" && m.USE != jwkset.UseSig || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return publicKey{}, false
	}
	m.X5C, m.X5U, m.X5T, m.X5TS256 = nil, "", "", "" // the URL vouches for the keys; certificates would add nothing
	parsed, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{SkipAll: true})
	if err != nil {
		return publicKey{}, false
	}
	switch key := parsed.Key().(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return publicKey{m.KID, m.ALG.String(), key}, bits >= minRSABits && bits <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return publicKey{m.KID, m.ALG.String(), key}, true
	}
	return publicKey{}, false
}

// find gives the key of this id if a signature of this method can be checked with it, else nil; known says whether there is one
// of this id at all. Without an id there must be exactly one key that fits.
func (s *keySet) find(id string, method jwt.SigningMethod) (key any, known bool) {
	if s == nil {
		return nil, false
	}
	if id == "" {
		for _, k := range s.keys {
			switch {
			case !k.fits(method):
			case key != nil:
				return nil, true
			default:
				key = k.key
			}
		}
		return key, true
	}
	for _, k := range s.keys {
		if k.id != id {
			continue
		}
		if k.fits(method) {
			return k.key, true
		}
		known = true
	}
	return nil, known
}

// fits says whether signatures of a method can be checked with the key.
func (k publicKey) fits(method jwt.SigningMethod) bool {
	if k.algorithm != "" && k.algorithm != method.Alg() {
		return false
	}
	switch m := method.(type) {
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		_, ok := k.key.(*rsa.PublicKey)
		return ok
	case *jwt.SigningMethodECDSA:
		key, ok := k.key.(*ecdsa.PublicKey)
		return ok && key.Curve.Params().BitSize == m.CurveBits
	case *jwt.SigningMethodEd25519:
		_, ok := k.key.(ed25519.PublicKey)
		return ok
	}
	return false
}

func (s *keySet) size() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// same says whether two sets hold keys of the same names.
func (s *keySet) same(other *keySet) bool {
	return s != nil && slices.EqualFunc(s.keys, other.keys, func(a, b publicKey) bool { return a.id == b.id })
}
