package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// retention is how long kept answers, fences and outbox rows stay.
const retention = 24 * time.Hour

const (
	readConnections = 4
	// busyMilliseconds is how long a connection waits for another process, such as an import, to finish writing.
	busyMilliseconds = 10_000
	schemaVersion    = 3
)

// store is the SQLite file of one service: one connection writes at a time, a few read beside it (WAL).
type store struct {
	definition *definition
	turn       chan struct{} // holds a token while a transaction writes
	write      *pool
	read       *pool
	answers    *answers
	committed  chan struct{} // holds a token when a write of this process was committed
}

// pool is a set of connections that keeps every statement it has run prepared. The texts are constants of this
// package, so there are few.
type pool struct {
	*sql.DB
	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

// fileOf names the SQLite file of a service.
func fileOf(dir, service string) string { return filepath.Join(dir, service+".db") }

// dsn addresses a SQLite file by a URI, so that a path may contain any character.
func dsn(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyMilliseconds)}, pragmas...)}
	query.Set("_txlock", "immediate")
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + query.Encode()
}

// openStore opens or creates the file of a service and sees that its tables stand.
func openStore(ctx context.Context, dir string, d *definition) (_ *store, err error) {
	path := fileOf(dir, d.name)
	s := &store{definition: d, turn: make(chan struct{}, 1), committed: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s service: open %s: %w", d.name, path, err), s.close())
		}
	}()
	// secure_delete: what is purged is overwritten, not only unlinked. The second connection prepares statements
	// while the first is in a transaction.
	if s.write, err = openPool(dsn(path, "journal_mode(wal)", "synchronous(normal)", "secure_delete(on)"), 2); err != nil {
		return nil, err
	}
	if err := s.transact(ctx, func(tx *sql.Tx) error { return d.create(ctx, tx) }); err != nil {
		return nil, err
	}
	if s.read, err = openPool(dsn(path, "query_only(on)", "cache_size(-8000)"), readConnections+1); err != nil {
		return nil, err
	}
	s.answers, err = openAnswers(ctx, s.read)
	return s, err
}

func openPool(dsn string, connections int) (*pool, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{DB: db, prepared: map[string]*sql.Stmt{}}, nil
}

// close ends the readers first, so that the writer is the last to leave and folds the WAL into the file.
func (s *store) close() error {
	var errs []error
	if s.answers != nil {
		errs = append(errs, s.answers.close())
	}
	for _, p := range []*pool{s.read, s.write} {
		if p == nil {
			continue
		}
		for _, stmt := range p.prepared {
			errs = append(errs, stmt.Close())
		}
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// statement returns text prepared, and prepares it the first time.
func (p *pool) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt := p.prepared[text]
	p.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.prepared[text]; stmt != nil {
		return stmt, nil
	}
	// Not the request's context: the statement outlives it.
	stmt, err := p.PrepareContext(context.WithoutCancel(ctx), text)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	p.prepared[text] = stmt
	return stmt, nil
}

// query runs a prepared statement. The caller closes the rows.
func (p *pool) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// empty says whether the service never held anything: no row, and no write that could have left none.
func (s *store) empty(ctx context.Context) (bool, error) {
	rows, err := s.read.query(ctx, emptyQuery(s.definition.table))
	if err != nil {
		return false, err
	}
	return scanOne[bool](rows)
}

func emptyQuery(table string) string {
	return "SELECT NOT EXISTS (SELECT 1 FROM " + table + ") AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox')"
}

// scanOne reads the one value that rows hold and closes them.
func scanOne[T any](rows *sql.Rows) (value T, err error) {
	defer rows.Close() // Err tells
	if !rows.Next() {
		return value, errors.Join(rows.Err(), sql.ErrNoRows)
	}
	return value, errors.Join(rows.Scan(&value), rows.Close())
}

// begin waits for its turn and starts a transaction that writes. done rolls back what was not committed and passes
// the turn on; it has to be called.
func (s *store) begin(ctx context.Context) (tx *sql.Tx, done func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if tx, err = s.write.BeginTx(ctx, nil); err != nil {
		<-s.turn
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	return tx, func() {
		tx.Rollback() // after a commit it does nothing
		<-s.turn
	}, nil
}

// transact runs f in a transaction and commits unless f fails.
func (s *store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// foldWAL moves the WAL into the file and empties it, so that it keeps no copy of what was erased. It takes its turn
// among the writers: beside a transaction it would hold the connection on which that one prepares its statements, and
// each would wait for the other. Readers of another process may prevent it; it is tried again with the next
// maintenance.
func (s *store) foldWAL(ctx context.Context, log *slog.Logger) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.turn }()
	if _, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		log.WarnContext(ctx, "the write-ahead log could not be folded", "service", s.definition.name, "error", err)
	}
}
