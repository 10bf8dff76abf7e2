package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"
)

// verifiedFor bounds how long a token counts as verified, so that a key that its issuer took back ends its tokens soon. To check
// a signature once a minute costs nothing that could be measured.
const verifiedFor = time.Minute

// Authenticator tells who calls. It is safe for concurrent use.
type Authenticator struct {
	tokens   Tokens
	keys     *Keys
	verified *otter.Cache[[sha256.Size]byte, *verifiedToken] // by the token's hash: no token lies in memory for long
	now      func() time.Time
}

type verifiedToken struct {
	viewer Viewer
	until  time.Time
}

// NewAuthenticator makes an Authenticator that remembers about so many verified tokens, at least 1. Without tokens no token is
// good, without keys no API key is.
func NewAuthenticator(tokens Tokens, keys *Keys, cacheEntries int, now func() time.Time) *Authenticator {
	return &Authenticator{
		tokens: tokens, keys: keys, now: now,
		verified: otter.Must(&otter.Options[[sha256.Size]byte, *verifiedToken]{MaximumSize: max(cacheEntries, 1)}),
	}
}

// Authenticate tells who shows these credentials: nobody, the zero Viewer, when there are none. Everything shown must be good:
// the error wraps ErrInvalidToken, ErrInvalidKey or ErrUnavailable. Who shows a token and an API key is the token's user with
// the scopes of both and the key's version, and Viewer.Expires is the earlier of their ends. The Viewer's scopes are shared and must not be changed.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (Viewer, error) {
	token, hasToken, err := bearer(c.Authorization)
	if err != nil {
		return Viewer{}, err
	}
	key, hasKey, err := apiKey(c.APIKey)
	if err != nil {
		return Viewer{}, err
	}
	var ofToken, ofKey Viewer
	if hasToken {
		if ofToken, err = a.verifyToken(ctx, token); err != nil {
			return Viewer{}, err
		}
	}
	if hasKey {
		if a.keys == nil {
			return Viewer{}, fmt.Errorf("%w: there are none here", ErrInvalidKey)
		}
		if ofKey, err = a.keys.Verify(ctx, key); err != nil {
			return Viewer{}, err
		}
	}
	switch {
	case !hasKey:
		return ofToken, nil
	case !hasToken:
		return ofKey, nil
	}
	return unite(ofToken, ofKey), nil
}

func (a *Authenticator) verifyToken(ctx context.Context, token string) (Viewer, error) {
	if a.tokens == nil {
		return Viewer{}, fmt.Errorf("%w: none is good here", ErrInvalidToken)
	}
	if len(token) > maxToken { // hashing is not free either
		return Viewer{}, fmt.Errorf("%w: too long", ErrInvalidToken)
	}
	hash := hashToken(token)
	now := a.now()
	if found, ok := a.verified.GetIfPresent(hash); ok && now.Before(found.until) {
		return found.viewer, nil
	}
	viewer, err := a.tokens.Verify(ctx, token)
	if err != nil {
		return Viewer{}, err
	}
	until := now.Add(verifiedFor)
	if !viewer.Expires.IsZero() && viewer.Expires.Before(until) {
		until = viewer.Expires // after it the verifier decides, who knows how far clocks may differ
	}
	if now.Before(until) {
		a.verified.Set(hash, &verifiedToken{viewer, until})
	}
	return viewer, nil
}

// hashToken takes most tokens over the stack, which is cheaper than a copy in the heap.
func hashToken(token string) [sha256.Size]byte {
	var short [1024]byte
	if len(token) > len(short) {
		return sha256.Sum256([]byte(token))
	}
	return sha256.Sum256(short[:copy(short[:], token)])
}

// unite makes one caller of a token's user and the API key shown beside it.
func unite(token, key Viewer) Viewer {
	token.KeyID, token.KeyName, token.Version = key.KeyID, key.KeyName, key.Version
	if token.Expires.IsZero() || (!key.Expires.IsZero() && key.Expires.Before(token.Expires)) {
		token.Expires = key.Expires
	}
	scopes := slices.Clip(token.Scopes) // so that append leaves the remembered ones alone
	for _, scope := range key.Scopes {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	token.Scopes = scopes
	return token
}
