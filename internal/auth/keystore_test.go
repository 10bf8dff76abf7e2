package auth_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/redisclient/redistest"
)

type limited interface {
	auth.KeyStore
	SetLimit(int)
}

func openSQLite(t testing.TB) *auth.SQLiteKeys {
	t.Helper()
	store, err := auth.OpenSQLiteKeys(filepath.Join(t.TempDir(), "keys?#% .db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// eachStore runs a test over every implementation, each time with an empty store.
func eachStore(t *testing.T, test func(t *testing.T, store limited)) {
	server := sync.OnceValue(func() *redistest.Server { return redistest.Start(t) })
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
	t.Run("redis", func(t *testing.T) { test(t, auth.NewRedisKeys(server().Client())) })
}

// TestKeyStores is the contract of KeyStore.
func TestKeyStores(t *testing.T) {
	cluster := redistest.StartCluster(t)
	for name, test := range map[string]func(*testing.T, limited){
		"round trip": storeRoundTrip, "revoke": storeRevokes, "list": storeLists, "bound": storeIsBounded,
	} {
		t.Run(name, func(t *testing.T) {
			eachStore(t, test)
			t.Run("cluster", func(t *testing.T) {
				client := redistest.Client(t, cluster)
				if err := client.Del(t.Context(), "{auth}:keys", "{auth}:order", "{auth}:ends", "{auth}:revoked").Err(); err != nil {
					t.Fatal(err)
				}
				test(t, auth.NewRedisKeys(client))
			})
		})
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// numbered makes keys of which a higher number is newer.
func numbered(n int) (auth.Key, [32]byte) {
	at := noon.Add(time.Duration(n) * time.Second)
	return auth.Key{ID: fmt.Sprintf("%04d", n), Name: "key", Prefix: "trb_12345678", CreatedAt: at}, sha256.Sum256(fmt.Append(nil, n))
}

func put(t *testing.T, store auth.KeyStore, n int, change func(*auth.Key)) auth.Key {
	t.Helper()
	key, hash := numbered(n)
	if change != nil {
		change(&key)
	}
	if err := store.Put(t.Context(), key, hash); err != nil {
		t.Fatal(err)
	}
	return key
}

func storeRoundTrip(t *testing.T, store limited) {
	expires := noon.Add(time.Hour)
	plain := put(t, store, 1, nil)
	full := put(t, store, 2, func(k *auth.Key) {
		k.Name, k.UserID, k.CreatedBy = "Grüße, \"Welt\"\x00", "user:1 x", "7"
		k.Scopes, k.ExpiresAt, k.Version = []string{"admin", "events:read"}, &expires, 2
	})
	for n, want := range map[int]auth.Key{1: plain, 2: full} {
		_, hash := numbered(n)
		got, ok, err := store.ByHash(t.Context(), hash)
		if err != nil || !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %t, %v, want %+v", got, ok, err, want)
		}
	}
	if got, ok, err := store.ByHash(t.Context(), [32]byte{}); ok || err != nil || got.ID != "" {
		t.Errorf("an unknown hash: %+v, %t, %v", got, ok, err)
	}
}

func storeRevokes(t *testing.T, store limited) {
	put(t, store, 1, nil)
	expires := noon.Add(time.Hour)
	put(t, store, 2, func(k *auth.Key) { k.ExpiresAt = &expires })
	for _, id := range []string{"", "0003", "000", "0001:", "0001\x00", "[", "+", "' OR 1=1 --"} {
		if key, ok, err := store.Revoke(t.Context(), id, noon); ok || err != nil || key.ID != "" {
			t.Errorf("revoke %q: %+v, %t, %v", id, key, ok, err)
		}
		if key, ok, err := store.ByID(t.Context(), id); ok || err != nil || key.ID != "" {
			t.Errorf("by id %q: %+v, %t, %v", id, key, ok, err)
		}
	}
	for n := 1; n <= 2; n++ {
		want, hash := numbered(n)
		for later := range 2 { // the second time changes nothing
			key, ok, err := store.Revoke(t.Context(), want.ID, noon.Add(time.Duration(later)*time.Minute))
			if err != nil || !ok || key.ID != want.ID || key.RevokedAt == nil || !key.RevokedAt.Equal(noon) {
				t.Fatalf("got %+v, %t, %v", key, ok, err)
			}
			stored, _, err := store.ByHash(t.Context(), hash)
			if err != nil || !reflect.DeepEqual(stored, key) {
				t.Fatalf("stored is %+v, %v, want %+v", stored, err, key)
			}
			if same, ok, err := store.ByID(t.Context(), want.ID); err != nil || !ok || !reflect.DeepEqual(same, key) {
				t.Fatalf("by id it is %+v, %t, %v, want %+v", same, ok, err, key)
			}
		}
	}
}

func storeLists(t *testing.T, store limited) {
	if keys, err := store.List(t.Context(), "", 10); err != nil || len(keys) != 0 {
		t.Errorf("an empty store lists %v, %v", keys, err)
	}
	for _, n := range []int{3, 1, 5, 2, 4} {
		put(t, store, n, nil)
	}
	if _, _, err := store.Revoke(t.Context(), "0003", noon); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"0005", "0004", "0003", "0002", "0001"}},
		{"", 2, []string{"0005", "0004"}},
		{"0004", 2, []string{"0003", "0002"}},
		{"0001", 2, nil},
		{"0003x", 1, []string{"0003"}}, // one that is not there any more
		{"9", 1, []string{"0005"}},
		{"0", 1, nil},
	} {
		keys, err := store.List(t.Context(), tt.after, tt.limit)
		var ids []string
		for _, key := range keys {
			ids = append(ids, key.ID)
			if (key.RevokedAt != nil) != (key.ID == "0003") {
				t.Errorf("%s is revoked at %v", key.ID, key.RevokedAt)
			}
		}
		if err != nil || !slices.Equal(ids, tt.want) {
			t.Errorf("after %q: %v, %v, want %v", tt.after, ids, err, tt.want)
		}
	}
}

func storeIsBounded(t *testing.T, store limited) {
	store.SetLimit(3)
	expires := noon.Add(10 * time.Second)
	put(t, store, 1, nil)
	put(t, store, 2, func(k *auth.Key) { k.ExpiresAt = &expires })
	put(t, store, 3, nil)
	key, hash := numbered(4)
	if err := store.Put(t.Context(), key, hash); !errors.Is(err, auth.ErrTooManyKeys) {
		t.Fatalf("a full store: %v", err)
	}
	if _, ok, err := store.ByHash(t.Context(), hash); ok || err != nil {
		t.Fatalf("what was refused is there: %t, %v", ok, err)
	}
	if _, _, err := store.Revoke(t.Context(), "0003", noon.Add(3*time.Second)); err != nil {
		t.Fatal(err)
	}
	put(t, store, 10, nil) // in place of 3, which ended first
	wantIDs(t, store, []string{"0010", "0002", "0001"})
	put(t, store, 11, nil) // in place of 2, which has expired
	wantIDs(t, store, []string{"0011", "0010", "0001"})
	_, hash = numbered(3)
	if _, ok, err := store.ByHash(t.Context(), hash); ok || err != nil {
		t.Errorf("a key that was forgotten is there: %t, %v", ok, err)
	}
	key, hash = numbered(12)
	if err := store.Put(t.Context(), key, hash); !errors.Is(err, auth.ErrTooManyKeys) {
		t.Errorf("a full store: %v", err)
	}
}

func wantIDs(t *testing.T, store auth.KeyStore, want []string) {
	t.Helper()
	keys, err := store.List(t.Context(), "", 10)
	var ids []string
	for _, key := range keys {
		ids = append(ids, key.ID)
	}
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("got %v, %v, want %v", ids, err, want)
	}
}
