package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/auth"
	"tributary/internal/redisclient/redistest"
)

func create(t testing.TB, keys *auth.Keys, n auth.NewKey) (auth.Key, string) {
	t.Helper()
	key, secret, err := keys.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func TestAnAPIKeysLife(t *testing.T) {
	eachStore(t, func(t *testing.T, store limited) {
		clock := &safeClock{t: noon}
		keys := auth.NewKeys(store, clock.now)
		end := noon.Add(time.Hour)
		key, secret := create(t, keys, auth.NewKey{Name: " build ", UserID: "42", Scopes: []string{"b", "a", "b"}, ExpiresAt: &end, CreatedBy: "7"})
		if key.Name != "build" || key.Prefix != secret[:12] || key.CreatedBy != "7" || !key.CreatedAt.Equal(noon) || !slices.Equal(key.Scopes, []string{"a", "b"}) {
			t.Errorf("made %+v", key)
		}
		viewer, err := keys.Verify(t.Context(), secret)
		want := auth.Viewer{UserID: "42", KeyID: key.ID, KeyName: "build", Scopes: []string{"a", "b"}, Expires: end}
		if err != nil || !reflect.DeepEqual(viewer, want) {
			t.Errorf("got %+v, %v, want %+v", viewer, err, want)
		}
		clock.move(time.Hour - time.Nanosecond)
		if _, err := keys.Verify(t.Context(), secret); err != nil {
			t.Error(err)
		}
		clock.move(time.Nanosecond) // within the 5 s for which it counts as good
		if _, err := keys.Verify(t.Context(), secret); !errors.Is(err, auth.ErrInvalidKey) || !strings.HasSuffix(err.Error(), "expired") {
			t.Errorf("an expired key: %v", err)
		}
		_, nobodys := create(t, keys, auth.NewKey{Name: "nobody's"})
		if viewer, err := keys.Verify(t.Context(), nobodys); err != nil || viewer.UserID != "" || viewer.Anonymous() || !viewer.Expires.IsZero() {
			t.Errorf("got %+v, %v", viewer, err)
		}
		listed, err := keys.List(t.Context(), "", 0)
		if err != nil || len(listed) != 1 || listed[0].Name != "nobody's" {
			t.Errorf("listed %v, %v", listed, err)
		}
		if rest, err := keys.List(t.Context(), listed[0].ID, 10); err != nil || len(rest) != 1 || !reflect.DeepEqual(rest[0], key) {
			t.Errorf("then %v, %v", rest, err)
		}
	})
}

func TestRevokedKeys(t *testing.T) {
	eachStore(t, func(t *testing.T, store limited) {
		clock := &safeClock{t: noon}
		here, elsewhere := auth.NewKeys(store, clock.now), auth.NewKeys(store, clock.now)
		key, secret := create(t, here, auth.NewKey{Name: "key"})
		for _, keys := range []*auth.Keys{here, elsewhere} {
			if _, err := keys.Verify(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		revoked, ok, err := here.Revoke(t.Context(), key.ID)
		if err != nil || !ok || revoked.RevokedAt == nil || !revoked.RevokedAt.Equal(noon) {
			t.Errorf("revoked %+v, %t, %v", revoked, ok, err)
		}
		if _, err := here.Verify(t.Context(), secret); !errors.Is(err, auth.ErrInvalidKey) || !strings.HasSuffix(err.Error(), "revoked") {
			t.Errorf("here: %v", err)
		}
		clock.move(5 * time.Second)
		if _, err := elsewhere.Verify(t.Context(), secret); !errors.Is(err, auth.ErrInvalidKey) {
			t.Errorf("elsewhere: %v", err)
		}
		if _, ok, err := here.Revoke(t.Context(), "nothing"); ok || err != nil {
			t.Errorf("revoked what is not there: %t, %v", ok, err)
		}
	})
}

// watchedStore counts lookups, fails them when told to, and calls afterwards when they have read.
type watchedStore struct {
	auth.KeyStore
	lookups    int
	err        error
	afterwards func()
}

func (s *watchedStore) ByHash(ctx context.Context, hash [32]byte) (auth.Key, bool, error) {
	s.lookups++
	if s.err != nil {
		return auth.Key{}, false, s.err
	}
	key, ok, err := s.KeyStore.ByHash(ctx, hash)
	if s.afterwards != nil {
		s.afterwards()
	}
	return key, ok, err
}

// TestARevocationBeatsALookup keeps a lookup that began before a revocation from bringing the key back.
func TestARevocationBeatsALookup(t *testing.T) {
	store := &watchedStore{KeyStore: openSQLite(t)}
	keys := auth.NewKeys(store, (&safeClock{t: noon}).now)
	key, secret := create(t, keys, auth.NewKey{Name: "key"})
	store.afterwards = func() {
		if _, _, err := keys.Revoke(t.Context(), key.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := keys.Verify(t.Context(), secret); err != nil {
		t.Error(err) // it was good when it was read
	}
	if _, err := keys.Verify(t.Context(), secret); !errors.Is(err, auth.ErrInvalidKey) {
		t.Errorf("the revoked key: %v", err)
	}
}

func TestKeysAreLookedUpNowAndThen(t *testing.T) {
	store := &watchedStore{KeyStore: openSQLite(t)}
	clock := &safeClock{t: noon}
	keys := auth.NewKeys(store, clock.now)
	_, secret := create(t, keys, auth.NewKey{Name: "key"})
	verify := func(lookups int, want error) {
		t.Helper()
		if _, err := keys.Verify(t.Context(), secret); !errors.Is(err, want) || store.lookups != lookups {
			t.Errorf("%v after %d lookups, want %v after %d", err, store.lookups, want, lookups)
		}
	}
	verify(1, nil)
	clock.move(5*time.Second - 1)
	verify(1, nil)
	clock.move(1)
	verify(2, nil)
	store.err = errors.New("the store is down")
	verify(2, nil)
	clock.move(5 * time.Second)
	verify(3, auth.ErrUnavailable)
}

func TestMistypedKeysAreNotLookedUp(t *testing.T) {
	store := &watchedStore{KeyStore: openSQLite(t)}
	keys := auth.NewKeys(store, time.Now)
	_, secret := create(t, keys, auth.NewKey{Name: "key"})
	for _, s := range []string{"", "trb_", secret[:52], secret + "x", "ghp_" + secret[4:], strings.ToUpper(secret), "trb_" + strings.Repeat("x", 1<<20), secret[:20] + "\x00" + secret[21:]} {
		if _, err := keys.Verify(t.Context(), s); !errors.Is(err, auth.ErrInvalidKey) || (s != "" && strings.Contains(err.Error(), secret[12:])) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
	for i := 4; i < len(secret); i++ { // every single mistake is found
		for _, c := range []byte("0aZ-") {
			if mistyped := secret[:i] + string(c) + secret[i+1:]; mistyped != secret {
				if _, err := keys.Verify(t.Context(), mistyped); !errors.Is(err, auth.ErrInvalidKey) {
					t.Fatalf("byte %d may be %q", i, c)
				}
			}
		}
	}
	if n := store.lookups; n != 0 {
		t.Errorf("%d lookups", n)
	}
	_, unknown := create(t, auth.NewKeys(openSQLite(t), time.Now), auth.NewKey{Name: "another's"})
	if _, err := keys.Verify(t.Context(), unknown); !errors.Is(err, auth.ErrInvalidKey) || store.lookups != 1 {
		t.Errorf("a key of another server: %v", err)
	}
}

func TestWhatAKeyMayBe(t *testing.T) {
	keys := auth.NewKeys(openSQLite(t), (&safeClock{t: noon}).now)
	past, never := noon, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	many := slices.Repeat([]string{"a"}, 33)
	for _, tt := range []struct {
		field string
		n     auth.NewKey
	}{
		{"name", auth.NewKey{}}, {"name", auth.NewKey{Name: " \t "}}, {"name", auth.NewKey{Name: strings.Repeat("ü", 101)}}, {"name", auth.NewKey{Name: "\xff"}},
		{"userId", auth.NewKey{Name: "x", UserID: strings.Repeat("1", 257)}}, {"scopes", auth.NewKey{Name: "x", Scopes: many}},
		{"scopes", auth.NewKey{Name: "x", Scopes: []string{""}}}, {"scopes", auth.NewKey{Name: "x", Scopes: []string{"a b"}}},
		{"scopes", auth.NewKey{Name: "x", Scopes: []string{`a"`}}}, {"scopes", auth.NewKey{Name: "x", Scopes: []string{"ä"}}},
		{"scopes", auth.NewKey{Name: "x", Scopes: []string{strings.Repeat("a", 65)}}},
		{"expiresAt", auth.NewKey{Name: "x", ExpiresAt: &past}}, {"expiresAt", auth.NewKey{Name: "x", ExpiresAt: &never}},
	} {
		key, secret, err := keys.Create(t.Context(), tt.n)
		refused, ok := errors.AsType[*auth.InputError](err)
		if !ok || refused.Field != tt.field || !errors.Is(err, auth.ErrInvalidInput) || secret != "" || key.ID != "" {
			t.Errorf("%+v: %v", tt.n, err)
		}
	}
	if all, err := keys.List(t.Context(), "", 10); err != nil || len(all) != 0 {
		t.Errorf("stored %v, %v", all, err)
	}
	longest := auth.NewKey{Name: strings.Repeat("ü", 100), Scopes: []string{strings.Repeat("~", 64), "a:b/c.d!#[]"}}
	if _, _, err := keys.Create(t.Context(), longest); err != nil {
		t.Error(err)
	}
}

func TestTooManyKeysAndNoStore(t *testing.T) {
	store := openSQLite(t)
	store.SetLimit(1)
	keys := auth.NewKeys(store, time.Now)
	create(t, keys, auth.NewKey{Name: "key"})
	if _, secret, err := keys.Create(t.Context(), auth.NewKey{Name: "key"}); !errors.Is(err, auth.ErrInvalidInput) || secret != "" {
		t.Errorf("got %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, created := keys.Create(t.Context(), auth.NewKey{Name: "key"})
	_, _, revoked := keys.Revoke(t.Context(), "id")
	_, listed := keys.List(t.Context(), "", 1)
	for _, err := range []error{created, revoked, listed} {
		if !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
}

func TestKeysWhileRedisIsDown(t *testing.T) {
	server := redistest.Start(t)
	clock := &safeClock{t: noon}
	keys := auth.NewKeys(auth.NewRedisKeys(server.Client()), clock.now)
	_, seen := create(t, keys, auth.NewKey{Name: "key"})
	_, unseen := create(t, keys, auth.NewKey{Name: "key"})
	if _, err := keys.Verify(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	_, err := keys.Verify(t.Context(), unseen)
	if !errors.Is(err, auth.ErrUnavailable) || errors.Is(err, auth.ErrInvalidKey) {
		t.Errorf("a key not seen yet: %v", err)
	}
	if _, err := keys.Verify(t.Context(), seen); err != nil {
		t.Errorf("a key seen just now: %v", err)
	}
	server.Restart() // with all that it had said to hold
	clock.move(5 * time.Second)
	for _, secret := range []string{seen, unseen} {
		if _, err := keys.Verify(t.Context(), secret); err != nil {
			t.Error(err)
		}
	}
}

func TestABrokenFileOfKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, filepath.Join(path, "keys.db"), t.TempDir()} {
		if store, err := auth.OpenSQLiteKeys(name); store != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, %v", name, store, err)
		}
	}
	if left, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(left, []byte("not a database")) || len(left) != 15_000 {
		t.Error("the file was written to")
	}
}

// TestNoStoreHoldsASecret searches all that SQLite and Redis wrote.
func TestNoStoreHoldsASecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.db")
	file, err := auth.OpenSQLiteKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var written bytes.Buffer
	_, first := create(t, auth.NewKeys(file, time.Now), auth.NewKey{Name: "find me"})
	for _, name := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		written.Write(content)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	client := redistest.Start(t).Client()
	_, second := create(t, auth.NewKeys(auth.NewRedisKeys(client), time.Now), auth.NewKey{Name: "find me"})
	dumped := dump(t, client)
	for secret, content := range map[string][]byte{first: written.Bytes(), second: dumped} {
		hash := sha256.Sum256([]byte(secret))
		if !bytes.Contains(content, []byte("find me")) || !bytes.Contains(content, hash[:]) && !bytes.Contains(content, []byte(hex.EncodeToString(hash[:]))) {
			t.Error("the search does not find what is stored")
		}
		if bytes.Contains(content, []byte(secret[12:20])) || bytes.Contains(content, []byte(secret[len(secret)-12:])) {
			t.Error("the secret is stored")
		}
	}
}

func dump(t *testing.T, client redis.UniversalClient) []byte {
	var all bytes.Buffer
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || !slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, "{auth}:") }) {
		t.Fatalf("Redis holds %v, %v", names, err)
	}
	for _, name := range names {
		all.WriteString(name)
		switch client.Type(t.Context(), name).Val() {
		case "hash":
			for field, value := range client.HGetAll(t.Context(), name).Val() {
				all.WriteString(field + value)
			}
		case "zset":
			all.WriteString(strings.Join(client.ZRange(t.Context(), name, 0, -1).Val(), " "))
		default:
			t.Errorf("%s is of another type", name)
		}
	}
	return all.Bytes()
}
