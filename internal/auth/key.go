package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	maxStoredKeys = 10_000
	maxKeyName    = 100 // characters
	maxScopes     = 32
	maxScope      = 64  // bytes
	maxUserID     = 256 // bytes
)

// Key is what is known of an API key: all but its secret. Times are UTC with microseconds.
type Key struct {
	ID        string // sorts by CreatedAt
	Name      string // what people call it
	Prefix    string // the first characters of the secret
	UserID    string // whom its bearer acts as; empty for nobody
	Scopes    []string
	Version   int `json:",omitempty"` // of the schema, for its bearer's requests that name none; 0: the server's default
	CreatedAt time.Time
	ExpiresAt *time.Time // nil for never
	RevokedAt *time.Time // nil while it is not
	CreatedBy string     // the id of the user who made it; empty when unknown
}

// ended says whether the key has expired or was revoked.
func (k *Key) ended(now time.Time) error {
	switch {
	case k.RevokedAt != nil:
		return fmt.Errorf("%w: revoked", ErrInvalidKey)
	case k.ExpiresAt != nil && !now.Before(*k.ExpiresAt):
		return fmt.Errorf("%w: expired", ErrInvalidKey)
	}
	return nil
}

func (k *Key) viewer() Viewer {
	v := Viewer{UserID: k.UserID, KeyID: k.ID, KeyName: k.Name, Scopes: k.Scopes, Version: k.Version}
	if k.ExpiresAt != nil {
		v.Expires = *k.ExpiresAt
	}
	return v
}

// KeyStore keeps API keys by the hashes of their secrets. Implementations are safe for concurrent use. Every error is one of
// the store, but for ErrTooManyKeys.
type KeyStore interface {
	// Put adds a key. When 10,000 are stored it forgets the one that ended first, by Key.CreatedAt, and if none has ended it
	// adds nothing and returns ErrTooManyKeys.
	Put(ctx context.Context, key Key, hash [sha256.Size]byte) error
	// ByHash finds a key by the hash of its secret, ended or not; false when there is none.
	ByHash(ctx context.Context, hash [sha256.Size]byte) (Key, bool, error)
	// ByID finds a key by its id, ended or not; false when there is none.
	ByID(ctx context.Context, id string) (Key, bool, error)
	// Revoke sets when a key was revoked, unless it is set, and returns the key; false when there is none of this id.
	Revoke(ctx context.Context, id string, at time.Time) (Key, bool, error)
	// List gives up to limit keys, at least 1, newest first, which are older than the one of the id after unless that is empty.
	List(ctx context.Context, after string, limit int) ([]Key, error)
}

// ErrTooManyKeys is returned by a KeyStore that is full of keys in force.
var ErrTooManyKeys = errors.New("too many API keys are in force")

// ErrInvalidInput is wrapped by every InputError.
var ErrInvalidInput = errors.New("invalid input")

// InputError says what is wrong with a NewKey, for whom asked for it.
type InputError struct {
	Field   string // of NewKey, in camel case; empty when it is none's
	Message string
}

// Error tells field and message.
func (e *InputError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrInvalidInput, e.Field, e.Message)
}

// Unwrap returns ErrInvalidInput.
func (e *InputError) Unwrap() error { return ErrInvalidInput }

// NewKey is what somebody wants an API key to be.
type NewKey struct {
	Name      string     // 1 to 100 characters
	UserID    string     // whom its bearer acts as; empty for nobody
	Scopes    []string   // at most 32 scope-tokens of RFC 6749 section 3.3, each at most 64 bytes
	Version   int        // see Key; whether there is such a version the caller finds out
	ExpiresAt *time.Time // nil for never
	CreatedBy string     // the id of the user who makes it; may be empty
}

// validate finds the first thing that is wrong.
func (n *NewKey) validate(now time.Time) error {
	characters := utf8.RuneCountInString(n.Name)
	switch {
	case !utf8.ValidString(n.Name) || characters < 1 || characters > maxKeyName:
		return &InputError{"name", fmt.Sprintf("1 to %d characters", maxKeyName)}
	case len(n.UserID) > maxUserID || !utf8.ValidString(n.UserID):
		return &InputError{"userId", "no id of a user"}
	case len(n.Scopes) > maxScopes:
		return &InputError{"scopes", fmt.Sprintf("at most %d", maxScopes)}
	case n.ExpiresAt != nil && !n.ExpiresAt.After(now):
		return &InputError{"expiresAt", "in the past"}
	case n.ExpiresAt != nil && n.ExpiresAt.UTC().Year() > 9999: // which RFC 3339 cannot write
		return &InputError{"expiresAt", "too far in the future"}
	}
	for _, scope := range n.Scopes {
		if !isScope(scope) {
			return &InputError{"scopes", fmt.Sprintf("a scope is 1 to %d printable ASCII characters without space, quote and backslash", maxScope)}
		}
	}
	return nil
}

// isScope tells a scope-token of RFC 6749 section 3.3.
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= maxScope
}
