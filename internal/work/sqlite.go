package work

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	sqliteConnections = 4
	sqliteSchema      = `
CREATE TABLE IF NOT EXISTS work (
	id TEXT PRIMARY KEY, place TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL,
	state TEXT NOT NULL, data BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS work_key ON work (name, key) WHERE key <> '';
CREATE INDEX IF NOT EXISTS work_owner ON work (owner, place);
CREATE INDEX IF NOT EXISTS work_state ON work (state, place);
CREATE INDEX IF NOT EXISTS work_name ON work (name, state, place);
CREATE INDEX IF NOT EXISTS work_ended ON work (owner, kind, place) WHERE ` + sqliteEnded + `;
CREATE INDEX IF NOT EXISTS work_due ON work (place) WHERE ` + sqliteDue + ";"
	// What State.Ended and due say. A query has to have the same words for SQLite to use their indexes, and to name
	// them, since it takes work_state else.
	sqliteEnded = "state IN ('COMPLETED', 'COMPENSATED', 'CANCELLED', 'FAILED')"
	sqliteDue   = "(state = 'PENDING' OR state = 'WAITING' AND json_extract(CAST(data AS TEXT), '$.decision') = 'TAKE_BACK')"
)

// SQLite is the Store of a single replica, in a file. What it has kept outlives a power cut. It is safe for concurrent use.
type SQLite struct {
	db      *sql.DB
	folding sync.Mutex
}

// OpenSQLite opens or creates a store in a file that only its owner can read, in a directory that is there. The caller closes it.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	// secure_delete: what is taken away is overwritten, not only unlinked.
	db, err := openSQLiteFile(path, sqliteConnections, "journal_mode(wal)", "synchronous(full)", "secure_delete(on)")
	if err == nil {
		// The write-ahead log of a process that was killed may have what was taken away.
		if _, err = db.ExecContext(ctx, sqliteSchema+"PRAGMA wal_checkpoint(TRUNCATE)"); err == nil {
			return &SQLite{db: db}, nil
		}
		err = errors.Join(err, db.Close())
	}
	return nil, fmt.Errorf("work: open %s: %w", path, err)
}

// openSQLiteFile addresses the file by a URI, so that a path may contain any character. Times are written in UTC, so that they
// order as their texts do.
func openSQLiteFile(path string, connections int, pragmas ...string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	query := url.Values{
		"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...), "_txlock": {"immediate"},
		"_time_format": {"sqlite"}, "_timezone": {"UTC"},
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the file.
func (s *SQLite) Close() error { return s.db.Close() }

// Create implements Store.
func (s *SQLite) Create(ctx context.Context, r Record) (Record, bool, error) {
	r.Revision = 1
	data, err := encode(r)
	if err != nil {
		return Record{}, false, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return Record{}, false, fmt.Errorf("work: create: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if r.Key != "" {
		var kept []byte
		err := tx.QueryRowContext(ctx, "SELECT data FROM work WHERE name = ? AND key = ?", r.Name, r.Key).Scan(&kept)
		if err == nil {
			r, err = decode(kept)
			return r, false, err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return Record{}, false, fmt.Errorf("work: create: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO work (id, place, kind, name, key, owner, state, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		r.ID, place(r.CreatedAt, r.ID), r.Kind, r.Name, r.Key, r.OwnerID, r.State, data)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("work: create: %w", err)
	}
	r, err = decode(data)
	return r, true, err
}

// Get implements Store.
func (s *SQLite) Get(ctx context.Context, id string) (Record, error) {
	var data []byte
	err := s.db.QueryRowContext(ctx, "SELECT data FROM work WHERE id = ?", id).Scan(&data)
	return found(data, err)
}

// found makes a record of what a query for one gave.
func found(data []byte, err error) (Record, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, ErrUnknown
	}
	if err != nil {
		return Record{}, fmt.Errorf("work: read: %w", err)
	}
	return decode(data)
}

// Update implements Store. Nobody else writes while change runs.
func (s *SQLite) Update(ctx context.Context, id string, change func(*Record) error) (Record, error) {
	before, after, err := s.update(ctx, id, change)
	if err == nil && (len(before.Input) > 0 && len(after.Input) == 0 || len(before.Output) > 0 && len(after.Output) == 0) {
		err = s.fold(ctx)
	}
	return after, err
}

func (s *SQLite) update(ctx context.Context, id string, change func(*Record) error) (before, after Record, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return Record{}, Record{}, fmt.Errorf("work: update: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	var kept []byte
	if err := tx.QueryRowContext(ctx, "SELECT data FROM work WHERE id = ?", id).Scan(&kept); err != nil {
		_, err = found(nil, err)
		return Record{}, Record{}, err
	}
	before, after, next, err := changed(kept, change)
	if err != nil || next == nil {
		return before, after, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE work SET kind = ?, state = ?, data = ? WHERE id = ?", after.Kind, after.State, next, id)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return Record{}, Record{}, fmt.Errorf("work: update: %w", err)
	}
	return before, after, nil
}

// List implements Store. It finds the places first, by indexes alone where it can: to sort the records themselves would be to read all.
func (s *SQLite) List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error) {
	query, args := "SELECT place FROM work WHERE 1", []any{}
	if filter.Due {
		query = "SELECT place FROM work INDEXED BY work_due WHERE " + sqliteDue
	}
	for _, equal := range []struct{ column, value string }{{"kind", string(filter.Kind)}, {"owner", filter.OwnerID}, {"name", filter.Name}} {
		if equal.value != "" {
			query += " AND " + equal.column + " = ?"
			args = append(args, equal.value)
		}
	}
	if n := len(filter.States); n > 0 {
		query += " AND state IN (?" + strings.Repeat(", ?", n-1) + ")"
		for _, state := range filter.States {
			args = append(args, state)
		}
	}
	if after != "" {
		query += " AND place < (SELECT place FROM work WHERE id = ?)"
		args = append(args, after)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT data FROM work WHERE place IN ("+query+" ORDER BY place DESC LIMIT ?) ORDER BY place DESC", append(args, max(limit, 0))...)
	if err != nil {
		return nil, fmt.Errorf("work: list: %w", err)
	}
	defer rows.Close() // Err tells
	var records []Record
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("work: list: %w", err)
		}
		r, err := decode(data)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}
