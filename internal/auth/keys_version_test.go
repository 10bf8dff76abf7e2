package auth_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/redisclient/redistest"
)

// formerTable is how the file was made before keys could be pinned to a version.
const formerTable = `CREATE TABLE api_key (
	id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, prefix TEXT NOT NULL, user_id TEXT NOT NULL,
	scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID`

// TestAFormerFileOfKeys: its keys stay good and are pinned to nothing, and new ones can be.
func TestAFormerFileOfKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	key, hash := numbered(1)
	if _, err := db.Exec(formerTable); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO api_key VALUES (?, ?, ?, ?, '', '', ?, NULL, NULL, '')", key.ID, hash[:], key.Name, key.Prefix, key.CreatedAt.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for n := 2; n <= 3; n++ { // the second time there is nothing to add
		store, err := auth.OpenSQLiteKeys(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok, err := store.ByHash(t.Context(), hash); err != nil || !ok || !reflect.DeepEqual(got, key) {
			t.Errorf("got %+v, %t, %v, want %+v", got, ok, err, key)
		}
		pinned := put(t, store, n, func(k *auth.Key) { k.Version = 2 })
		if got, _, err := store.ByID(t.Context(), pinned.ID); err != nil || got.Version != 2 {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFormerKeyInRedis was written without a version.
func TestAFormerKeyInRedis(t *testing.T) {
	client := redistest.Start(t).Client()
	store := auth.NewRedisKeys(client)
	key, hash := numbered(1)
	record := `{"ID":"0001","Name":"key","Prefix":"trb_12345678","UserID":"","Scopes":null,"CreatedAt":"2026-03-01T12:00:01.123456Z","ExpiresAt":null,"RevokedAt":null,"CreatedBy":""}`
	if err := client.HSet(t.Context(), "{auth}:keys", hex.EncodeToString(hash[:]), record).Err(); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := store.ByHash(t.Context(), hash); err != nil || !ok || !reflect.DeepEqual(got, key) {
		t.Errorf("got %+v, %t, %v, want %+v", got, ok, err, key)
	}
}

// TestTheVersionOfAKey is that of whoever shows the key, with a token beside it or not.
func TestTheVersionOfAKey(t *testing.T) {
	keys := auth.NewKeys(openSQLite(t), time.Now)
	_, secret, err := keys.Create(t.Context(), auth.NewKey{Name: "reports", Version: 2})
	if err != nil {
		t.Fatal(err)
	}
	v, err := keys.Verify(t.Context(), secret)
	if err != nil || v.Version != 2 || v.KeyName != "reports" {
		t.Errorf("%+v, %v", v, err)
	}
	a := auth.NewAuthenticator(wordTokens{}, keys, 1, time.Now)
	v, err = a.Authenticate(t.Context(), auth.Credentials{Authorization: []string{"Bearer word"}, APIKey: []string{secret}})
	if err != nil || v.UserID != "u1" || v.Version != 2 || v.KeyName != "reports" {
		t.Errorf("%+v, %v", v, err)
	}
}

// wordTokens takes any token for that of u1.
type wordTokens struct{}

func (wordTokens) Verify(context.Context, string) (auth.Viewer, error) {
	return auth.Viewer{UserID: "u1"}, nil
}
