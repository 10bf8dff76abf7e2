package auth

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	keyConnections = 4
	keySchema      = `CREATE TABLE IF NOT EXISTS api_key (
	id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, prefix TEXT NOT NULL, user_id TEXT NOT NULL,
	scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, created_by TEXT NOT NULL,
	version INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID`
	keyVersion = "ALTER TABLE api_key ADD COLUMN version INTEGER NOT NULL DEFAULT 0" // for files of before there were versions
	keyColumns = "id, name, prefix, user_id, scopes, created_at, expires_at, revoked_at, created_by, version"
)

// SQLiteKeys is the KeyStore of a single replica, in a file. It is safe for concurrent use.
type SQLiteKeys struct {
	db    *sql.DB
	limit int
}

// OpenSQLiteKeys opens or creates a file of API keys that only its owner can read, in a directory that is there. The caller
// closes it.
func OpenSQLiteKeys(path string) (*SQLiteKeys, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("API keys: %w", err)
	}
	_ = f.Close()
	// synchronous(full): a secret that was shown and a key that was revoked outlive a power cut.
	query := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
	if err == nil {
		db.SetMaxOpenConns(keyConnections)
		db.SetMaxIdleConns(keyConnections)
		if err = upToDate(db); err != nil {
			_ = db.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("API keys: open %s: %w", path, err)
	}
	return &SQLiteKeys{db, maxStoredKeys}, nil
}

// upToDate makes the table, or adds what it had not before.
func upToDate(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(keySchema); err != nil {
		return err
	}
	var versioned bool
	if err := tx.QueryRow("SELECT count(*) > 0 FROM pragma_table_info('api_key') WHERE name = 'version'").Scan(&versioned); err != nil {
		return err
	}
	if !versioned {
		if _, err := tx.Exec(keyVersion); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close closes the file.
func (s *SQLiteKeys) Close() error { return s.db.Close() }

// Put adds a key, as KeyStore says.
func (s *SQLiteKeys) Put(ctx context.Context, key Key, hash [sha256.Size]byte) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var count int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM api_key").Scan(&count); err != nil {
		return err
	}
	if count >= s.limit {
		result, err := tx.ExecContext(ctx, `DELETE FROM api_key WHERE id = (
			SELECT id FROM (SELECT id, min(ifnull(expires_at, ?1), ifnull(revoked_at, ?1)) AS ended FROM api_key)
			WHERE ended <= ?2 ORDER BY ended LIMIT 1)`, int64(1)<<62, key.CreatedAt.UnixMicro())
		if err != nil {
			return err
		}
		if freed, err := result.RowsAffected(); err != nil || freed == 0 {
			return errors.Join(err, ErrTooManyKeys)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO api_key (hash, "+keyColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", hash[:],
		key.ID, key.Name, key.Prefix, key.UserID, strings.Join(key.Scopes, " "), key.CreatedAt.UnixMicro(),
		micros(key.ExpiresAt), micros(key.RevokedAt), key.CreatedBy, key.Version)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// ByHash finds a key, as KeyStore says.
func (s *SQLiteKeys) ByHash(ctx context.Context, hash [sha256.Size]byte) (Key, bool, error) {
	return found(scanKey(s.db.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM api_key WHERE hash = ?", hash[:])))
}

// ByID finds a key, as KeyStore says.
func (s *SQLiteKeys) ByID(ctx context.Context, id string) (Key, bool, error) {
	return found(scanKey(s.db.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM api_key WHERE id = ?", id)))
}

// Revoke ends a key, as KeyStore says.
func (s *SQLiteKeys) Revoke(ctx context.Context, id string, at time.Time) (Key, bool, error) {
	return found(scanKey(s.db.QueryRowContext(ctx,
		"UPDATE api_key SET revoked_at = ifnull(revoked_at, ?) WHERE id = ? RETURNING "+keyColumns, at.UnixMicro(), id)))
}

// List gives a page of keys, as KeyStore says.
func (s *SQLiteKeys) List(ctx context.Context, after string, limit int) ([]Key, error) {
	rows, err := s.db.QueryContext(ctx,
		"SELECT "+keyColumns+" FROM api_key WHERE ?1 = '' OR id < ?1 ORDER BY id DESC LIMIT ?2", after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []Key
	for rows.Next() {
		key, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

func scanKey(row interface{ Scan(...any) error }) (Key, error) {
	var k Key
	var scopes string
	var created int64
	var expires, revoked *int64
	err := row.Scan(&k.ID, &k.Name, &k.Prefix, &k.UserID, &scopes, &created, &expires, &revoked, &k.CreatedBy, &k.Version)
	if scopes != "" {
		k.Scopes = strings.Split(scopes, " ")
	}
	k.CreatedAt, k.ExpiresAt, k.RevokedAt = time.UnixMicro(created).UTC(), moment(expires), moment(revoked)
	return k, err
}

// found makes absence of the error that says so.
func found(k Key, err error) (Key, bool, error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Key{}, false, nil
	case err != nil:
		return Key{}, false, err
	}
	return k, true, nil
}

func micros(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	n := t.UnixMicro()
	return &n
}

func moment(n *int64) *time.Time {
	if n == nil {
		return nil
	}
	t := time.UnixMicro(*n).UTC()
	return &t
}
