package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteSchema: made orders consumers by their making and names their deliveries; ends is when the lease of the holder runs out, in
// milliseconds.
const sqliteSchema = `
CREATE TABLE IF NOT EXISTS consumer (
	made INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, fixed BLOB NOT NULL, progress BLOB NOT NULL,
	revision INTEGER NOT NULL, deliveries INTEGER NOT NULL, holder TEXT NOT NULL DEFAULT '', ends INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
	consumer INTEGER NOT NULL, number INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (consumer, number)
) STRICT, WITHOUT ROWID;`

// SQLite is the Store of a single process, in a file. What it wrote outlives a power cut. Other processes may use the file too, on the
// same machine, whose clock leases are told by. It is safe for concurrent use.
type SQLite struct{ db *sql.DB }

// OpenSQLite opens or creates a store in a file that only its owner can read, in a directory that is there. Close ends it.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("consumers: %w", err)
	}
	_ = f.Close()
	// secure_delete: the excerpts of a removed consumer's deliveries are overwritten, not only unlinked.
	query := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "secure_delete(on)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
	if err == nil {
		db.SetMaxOpenConns(1)
		if _, err = db.ExecContext(ctx, sqliteSchema+foldSQLite); err != nil {
			_ = db.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("consumers: open %s: %w", path, err)
	}
	return &SQLite{db}, nil
}

// Close closes the file.
func (s *SQLite) Close() error { return s.db.Close() }

// Consumers implements Store.
func (s *SQLite) Consumers(ctx context.Context) ([]Consumer, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT fixed, progress, revision, deliveries FROM consumer ORDER BY made")
	if err != nil {
		return nil, fmt.Errorf("consumers: %w", err)
	}
	defer rows.Close() // Err tells
	var consumers []Consumer
	for rows.Next() {
		c, err := scanConsumer(rows)
		if err != nil {
			return nil, err
		}
		consumers = append(consumers, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("consumers: %w", err)
	}
	return consumers, nil
}

func scanConsumer(row interface{ Scan(...any) error }) (Consumer, error) {
	var fixed, moved []byte
	var revision, deliveries int64
	if err := row.Scan(&fixed, &moved, &revision, &deliveries); err != nil {
		return Consumer{}, fmt.Errorf("consumers: %w", err)
	}
	return readConsumer(fixed, moved, revision, deliveries)
}

// Change implements Store.
func (s *SQLite) Change(ctx context.Context, id string, change func(*Consumer) (*Consumer, error)) (kept *Consumer, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		var before *Consumer
		c, err := scanConsumer(tx.QueryRowContext(ctx, "SELECT fixed, progress, revision, deliveries FROM consumer WHERE id = ?", id))
		switch {
		case err == nil:
			before = new(c)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		next, err := change(before)
		switch {
		case err != nil:
			return err
		case next == nil && before == nil:
			return nil
		case next == nil:
			return removeSQLite(ctx, tx, id)
		}
		kept = new(*next)
		kept.ID, kept.Revision, kept.Deliveries = id, c.Revision+1, c.Deliveries
		return keepSQLite(ctx, tx, *kept)
	})
	if err == nil && kept == nil {
		err = s.fold(ctx)
	}
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// fold empties the write-ahead log, which still has what was removed. A crash before it is made good when the file is opened.
func (s *SQLite) fold(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, foldSQLite); err != nil {
		return fmt.Errorf("consumers: fold what was removed: %w", err)
	}
	return nil
}

const foldSQLite = "PRAGMA wal_checkpoint(TRUNCATE)"

func keepSQLite(ctx context.Context, tx *sql.Tx, c Consumer) error {
	fixed, err := writeFixed(c)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.ID, err)
	}
	moved, err := writeProgress(c)
	if err != nil {
		return fmt.Errorf("consumer %s: %w", c.ID, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO consumer (id, fixed, progress, revision, deliveries) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET fixed = excluded.fixed, progress = excluded.progress, revision = excluded.revision`,
		c.ID, fixed, moved, c.Revision, c.Deliveries)
	return err
}

func removeSQLite(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM delivery WHERE consumer = (SELECT made FROM consumer WHERE id = ?)", id)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM consumer WHERE id = ?", id)
	}
	return err
}

// within runs f in a transaction. An error of f is returned as it is.
func (s *SQLite) within(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("consumers: %w", err)
	}
	defer tx.Rollback() // does nothing once it is committed
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("consumers: %w", err)
	}
	return nil
}

// Lease implements Store.
func (s *SQLite) Lease(ctx context.Context, holder string, ids []string, ttl time.Duration) (held []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	asked, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	now := time.Now()
	if ttl <= 0 {
		_, err = s.db.ExecContext(ctx, `UPDATE consumer SET holder = '', ends = 0
			WHERE holder = ? AND id IN (SELECT value FROM json_each(?))`, holder, string(asked))
		if err != nil {
			return nil, fmt.Errorf("leases: %w", err)
		}
		return nil, nil
	}
	err = s.within(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE consumer SET holder = ?1, ends = ?2
			WHERE (holder = ?1 OR ends <= ?3) AND id IN (SELECT value FROM json_each(?4))`,
			holder, now.Add(ttl).UnixMilli(), now.UnixMilli(), string(asked))
		if err != nil {
			return fmt.Errorf("leases: %w", err)
		}
		rows, err := tx.QueryContext(ctx, `SELECT consumer.id FROM json_each(?) AS asked JOIN consumer ON consumer.id = asked.value
			WHERE holder = ? ORDER BY asked.key`, string(asked), holder)
		if err != nil {
			return fmt.Errorf("leases: %w", err)
		}
		defer rows.Close() // Err tells
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return fmt.Errorf("leases: %w", err)
			}
			held = append(held, id)
		}
		return rows.Err()
	})
	return held, err
}
