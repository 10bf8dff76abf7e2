package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	keyFor     = 5 * time.Second // how long a key counts as good without a look into the store
	maxKeyPage = 1000
)

// Keys makes API keys and tells whose they are. It is safe for concurrent use.
type Keys struct {
	store       KeyStore
	now         func() time.Time
	good        *otter.Cache[[sha256.Size]byte, *goodKey]
	revocations atomic.Uint64 // by this Keys; what was read before one of them may be outdated
}

type goodKey struct {
	key         Key
	until       time.Time
	revocations uint64
}

// NewKeys makes a Keys over a store, which the caller closes.
func NewKeys(store KeyStore, now func() time.Time) *Keys {
	return &Keys{
		store: store, now: now,
		good: otter.Must(&otter.Options[[sha256.Size]byte, *goodKey]{MaximumSize: maxStoredKeys}),
	}
}

// Create makes an API key and its secret, which is stored nowhere and cannot be told again. What is wrong with the request is
// an *InputError; other errors wrap ErrUnavailable.
func (k *Keys) Create(ctx context.Context, n NewKey) (Key, string, error) {
	now := k.now().UTC().Truncate(time.Microsecond)
	n.Name = strings.TrimSpace(n.Name)
	if err := n.validate(now); err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	key := Key{
		ID: newKeyID(now), Name: n.Name, Prefix: secret[:shownLength], UserID: n.UserID,
		Scopes: slices.Compact(slices.Sorted(slices.Values(n.Scopes))), Version: n.Version, CreatedAt: now, CreatedBy: n.CreatedBy,
	}
	if n.ExpiresAt != nil {
		expires := n.ExpiresAt.UTC().Truncate(time.Microsecond)
		key.ExpiresAt = &expires
	}
	err := k.store.Put(ctx, key, hashSecret(secret))
	switch {
	case errors.Is(err, ErrTooManyKeys):
		return Key{}, "", &InputError{"", fmt.Sprintf("%d API keys are in force: revoke one first", maxStoredKeys)}
	case err != nil:
		return Key{}, "", fmt.Errorf("%w: put API key: %w", ErrUnavailable, err)
	}
	return key, secret, nil
}

// Verify tells whose API key this is. The error wraps ErrInvalidKey, or ErrUnavailable when the store cannot tell; it does not
// carry the key. A revocation by this Keys counts at once, one by another within 5 s. The Viewer's scopes must not be changed.
func (k *Keys) Verify(ctx context.Context, secret string) (Viewer, error) {
	if len(secret) != secretLength { // hashing is not free
		return Viewer{}, checkSecret(secret)
	}
	hash, now, revocations := hashSecret(secret), k.now(), k.revocations.Load()
	found, ok := k.good.GetIfPresent(hash)
	if !ok || !now.Before(found.until) || found.revocations != revocations {
		if err := checkSecret(secret); err != nil {
			return Viewer{}, err
		}
		key, ok, err := k.store.ByHash(ctx, hash)
		if err != nil {
			return Viewer{}, fmt.Errorf("%w: look up API key: %w", ErrUnavailable, err)
		}
		if !ok {
			return Viewer{}, fmt.Errorf("%w: unknown", ErrInvalidKey)
		}
		found = &goodKey{key, now.Add(keyFor), revocations}
		if key.ended(now) == nil {
			k.good.Set(hash, found)
		}
	}
	if err := found.key.ended(now); err != nil {
		return Viewer{}, err
	}
	return found.key.viewer(), nil
}

// Ended tells whether the key of an id is good no longer: expired, revoked, or forgotten since. Errors wrap ErrUnavailable.
func (k *Keys) Ended(ctx context.Context, id string) (bool, error) {
	key, ok, err := k.store.ByID(ctx, id)
	if err != nil {
		return false, fmt.Errorf("%w: look up API key: %w", ErrUnavailable, err)
	}
	return !ok || key.ended(k.now()) != nil, nil
}

// Revoke ends a key and returns it; false when there is none of this id. A second revocation changes nothing. Errors wrap
// ErrUnavailable.
func (k *Keys) Revoke(ctx context.Context, id string) (Key, bool, error) {
	key, ok, err := k.store.Revoke(ctx, id, k.now().UTC().Truncate(time.Microsecond))
	k.revocations.Add(1) // also after an error: it may have been written all the same
	if err != nil {
		return Key{}, false, fmt.Errorf("%w: revoke API key: %w", ErrUnavailable, err)
	}
	return key, ok, nil
}

// List gives up to limit keys, 1 to 1,000, newest first and with those that have ended, which are older than the one of the id
// after unless that is empty. Errors wrap ErrUnavailable.
func (k *Keys) List(ctx context.Context, after string, limit int) ([]Key, error) {
	keys, err := k.store.List(ctx, after, min(max(limit, 1), maxKeyPage))
	if err != nil {
		return nil, fmt.Errorf("%w: list API keys: %w", ErrUnavailable, err)
	}
	return keys, nil
}

// newKeyID makes an id that sorts by time, so that a store needs no other order.
func newKeyID(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:])
	return fmt.Sprintf("%014x%s", now.UnixMicro(), hex.EncodeToString(random[:]))
}
