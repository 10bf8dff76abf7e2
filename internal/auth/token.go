package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	keyFile    = "development.key"
	keyBytes   = 32
	issuer     = "tributary-development"
	maxToken   = 8 << 10
	clockSkew  = 30 * time.Second
	signMethod = "HS256"
)

// DevelopmentKey signs and checks the tokens of demo mode. It is safe for concurrent use.
type DevelopmentKey struct {
	secret []byte
	now    func() time.Time
}

// OpenDevelopmentKey reads the key of a data dir, or makes one there that only its owner can read.
// Two processes that start at once agree on one key.
func OpenDevelopmentKey(dir string, now func() time.Time) (*DevelopmentKey, error) {
	path := filepath.Join(dir, keyFile)
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(dir, path); err == nil {
			secret, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	if len(secret) != keyBytes {
		return nil, fmt.Errorf("development key: %s holds %d bytes instead of %d; remove it to get a new one", path, len(secret), keyBytes)
	}
	return &DevelopmentKey{secret: secret, now: now}, nil
}

// makeKey writes the whole key under another name first, so that no reader meets half of it; the link fails for all but one writer.
func makeKey(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, keyFile+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	_, err = f.Write(secret)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope,omitempty"`
}

// Issue makes a token for a user of the user service with the given scopes, separated by spaces, for so long. It refuses to
// make one that Verify would not take.
func (k *DevelopmentKey) Issue(userID, scopes string, ttl time.Duration) (string, error) {
	now := k.now()
	if userID == "" || ttl <= 0 {
		return "", errors.New("a token needs a user and a time to live of more than 0")
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: userID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Scope: scopes,
	})
	signed, err := token.SignedString(k.secret)
	if err == nil && len(signed) > maxToken {
		err = fmt.Errorf("a token of %d bytes is too long: at most %d", len(signed), maxToken)
	}
	if err != nil {
		return "", err
	}
	return signed, nil
}

// Verify tells whose token this is. The error wraps ErrInvalidToken and does not carry the token.
func (k *DevelopmentKey) Verify(_ context.Context, token string) (Viewer, error) {
	if len(token) > maxToken {
		return Viewer{}, fmt.Errorf("%w: too long", ErrInvalidToken)
	}
	c := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, c, func(t *jwt.Token) (any, error) { return k.secret, noExtensions(t) },
		jwt.WithValidMethods([]string{signMethod}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(k.now), jwt.WithStrictDecoding())
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Viewer{}, fmt.Errorf("%w: expired", ErrInvalidToken)
	case err != nil:
		return Viewer{}, fmt.Errorf("%w: not one of this server", ErrInvalidToken)
	}
	return viewerOf(c)
}
