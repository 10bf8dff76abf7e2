package event

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	sqliteReaders = 4
	// sqliteBusy is how long a connection waits for another process, or a checkpoint for readers, in milliseconds.
	sqliteBusy = 5000
	// foldAgain is how long a checkpoint is left alone that another process was in the way of.
	foldAgain = 10 * time.Millisecond
	// sqliteSchema: recorded is when the log took an event in, in microseconds, and never falls with growing positions.
	// Of table log there is one row.
	sqliteSchema = `
CREATE TABLE IF NOT EXISTS log (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, first INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS source (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, heard INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
	position INTEGER PRIMARY KEY, recorded INTEGER NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL,
	type TEXT NOT NULL, subject TEXT NOT NULL, version INTEGER NOT NULL, time TEXT NOT NULL, actor TEXT NOT NULL, data BLOB,
	UNIQUE (source, id), UNIQUE (subject, version)
) STRICT;`
)

// SQLite is the Log, Keeper and SubjectLister of a single replica, in a file. What Append wrote outlives a power cut. Readers
// go on beside the writer. Other processes may read and write the file too; only their heartbeats are not seen here. It is safe
// for concurrent use.
type SQLite struct {
	now         func() time.Time
	write, read *sql.DB
	insert      insertion
	folding     sync.Mutex

	mu       sync.Mutex
	appended chan struct{}        // closed and replaced with every batch that this process appends
	heard    map[string]time.Time // heartbeats; those that carried events are in the file
}

// OpenSQLite opens or creates a log in a file that only its owner can read, in a directory that is there. The clock tells when
// sources were heard of and when events were recorded. Close ends it.
func OpenSQLite(ctx context.Context, path string, now func() time.Time) (_ *SQLite, err error) {
	s := &SQLite{now: now, appended: make(chan struct{}), heard: map[string]time.Time{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("event log: open %s: %w", path, err), s.Close())
		}
	}()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = f.Close(); err != nil {
		return nil, err
	}
	// secure_delete: what is redacted is overwritten, not only unlinked.
	if s.write, err = openSQLiteFile(path, 1, "immediate", "journal_mode(wal)", "synchronous(full)", "secure_delete(on)"); err != nil {
		return nil, err
	}
	// The write-ahead log of a process that was killed may have what was redacted.
	if _, err = s.write.ExecContext(ctx, sqliteSchema+"PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, err
	}
	if _, err = s.write.ExecContext(ctx, "INSERT INTO log VALUES (1, ?, 1) ON CONFLICT DO NOTHING", rand.Text()); err != nil {
		return nil, err
	}
	if s.insert, err = prepareInsertion(ctx, s.write); err != nil {
		return nil, err
	}
	s.read, err = openSQLiteFile(path, sqliteReaders, "deferred", "query_only(on)")
	return s, err
}

// openSQLiteFile addresses the file by a URI, so that a path may contain any character.
func openSQLiteFile(path string, connections int, lock string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", sqliteBusy)}, pragmas...), "_txlock": {lock}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the file: the readers first, so that the writer is the last to leave and folds the write-ahead log in.
func (s *SQLite) Close() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	errs = append(errs, s.insert.close())
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	return errors.Join(errs...)
}

// Live implements Keeper, on the log's own clock.
func (s *SQLite) Live(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT name, heard FROM source")
	if err != nil {
		return nil, fmt.Errorf("event log: sources: %w", err)
	}
	defer rows.Close() // Err tells
	live := map[string]time.Time{}
	for rows.Next() {
		var name string
		var heard int64
		if err := rows.Scan(&name, &heard); err != nil {
			return nil, fmt.Errorf("event log: sources: %w", err)
		}
		live[name] = time.UnixMicro(heard).UTC()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, heard := range s.heard {
		if heard.After(live[name]) {
			live[name] = heard
		}
	}
	return live, rows.Err()
}

// Redact implements Keeper. When it returns, neither the file nor its write-ahead log has the data any more. After an error it
// may be called again.
func (s *SQLite) Redact(ctx context.Context, subject string) error {
	if _, err := s.write.ExecContext(ctx, "UPDATE event SET data = NULL, actor = '' WHERE subject = ?", subject); err != nil {
		return fmt.Errorf("event log: redact: %w", err)
	}
	if err := s.fold(ctx); err != nil {
		return fmt.Errorf("event log: redacted, but the write-ahead log still has it: %w", err)
	}
	return nil
}

// fold empties the write-ahead log. A stream of readers can keep SQLite from it for as long as it lasts: this process's own
// step aside, as all their connections are borrowed meanwhile.
func (s *SQLite) fold(ctx context.Context) error {
	s.folding.Lock() // two that borrow would wait for each other
	defer s.folding.Unlock()
	for range sqliteReaders {
		reader, err := s.read.Conn(ctx)
		if err != nil {
			return err
		}
		defer reader.Close() // nothing of it is used
	}
	for end := time.Now().Add(sqliteBusy * time.Millisecond); ; {
		var busy, pages, moved int
		err := s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
		switch {
		case err != nil || busy == 0:
			return err
		case time.Now().After(end):
			return errors.New("another process uses it")
		}
		// SQLite waits for readers, but not for another process that folds.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(foldAgain):
		}
	}
}

// Trim implements Keeper: what was recorded up to a time, on the log's own clock, is for ReadSubject alone.
func (s *SQLite) Trim(ctx context.Context, before time.Time) error {
	// It looks at no more events than it takes out, each once.
	_, err := s.write.ExecContext(ctx, `UPDATE log SET first = coalesce(
		(SELECT position FROM event WHERE position >= log.first AND recorded > ? ORDER BY position LIMIT 1),
		(SELECT max(position) + 1 FROM event), 1)`, before.UnixMicro())
	if err != nil {
		return fmt.Errorf("event log: trim: %w", err)
	}
	return nil
}
