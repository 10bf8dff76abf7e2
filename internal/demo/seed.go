package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// seedMarker is the name of the file that stands in a data directory while it is being seeded.
const seedMarker = ".seeding"

// Seed fills an empty data directory with a made-up social network, the same bytes on every machine, and says
// whether it did: a directory whose files hold anything, or ever did, is left alone. The user u1 has the most posts,
// comments and followers. It writes no outbox rows. Every file is filled in one transaction; if Seed is broken off,
// the next Seed, Import or Open of the directory does what is missing. The directory may be in use.
func Seed(ctx context.Context, dir string) (seeded bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("data directory: %w", err)
	}
	marker := filepath.Join(dir, seedMarker)
	if _, err := os.Stat(marker); errors.Is(err, fs.ErrNotExist) {
		if empty, err := emptyDir(ctx, dir); err != nil || !empty {
			return false, err
		}
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			return false, fmt.Errorf("seed: %w", err)
		}
	}
	people := newPopulation()
	errs := make([]error, len(definitions()))
	var running sync.WaitGroup
	for i, d := range definitions() {
		running.Go(func() {
			if err := seedFile(ctx, dir, d, people); err != nil {
				errs[i] = fmt.Errorf("seed the %s service: %w", d.name, err)
			}
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return false, err
	}
	if err := os.Remove(marker); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("seed: %w", err)
	}
	return true, nil
}

// finishSeed does what a Seed that was broken off left undone.
func finishSeed(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, seedMarker)); err != nil {
		return nil // there is none
	}
	_, err := Seed(ctx, dir)
	return err
}

// emptyDir says whether no file in dir ever held anything. Files that are missing stay so.
func emptyDir(ctx context.Context, dir string) (bool, error) {
	for _, d := range definitions() {
		path := fileOf(dir, d.name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		db, err := sql.Open("sqlite", dsn(path))
		if err != nil {
			return false, err
		}
		empty, err := emptyFile(ctx, db, d)
		if err := errors.Join(err, db.Close()); err != nil {
			return false, fmt.Errorf("look into %s: %w", path, err)
		}
		if !empty {
			return false, nil
		}
	}
	return true, nil
}

// querier is what *sql.DB and *sql.Tx have in common here.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func emptyFile(ctx context.Context, db querier, d *definition) (empty bool, err error) {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == 0 {
		return version == 0, err
	}
	err = db.QueryRowContext(ctx, emptyQuery(d.table)).Scan(&empty)
	return empty, err
}

// seedFile fills one file unless it holds something. A new file gets its indexes after its rows, which is faster.
func seedFile(ctx context.Context, dir string, d *definition, people *population) error {
	// One writer, no reader: the rollback journal of a new file is empty, and every page is written once.
	db, err := sql.Open("sqlite", dsn(fileOf(dir, d.name), "cache_size(-32000)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer db.Close() // everything was committed, or is not wanted
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if empty, err := emptyFile(ctx, tx, d); err != nil || !empty {
		return err
	}
	before, err := d.begin(ctx, tx)
	if err != nil {
		return err
	}
	if err := d.seed(ctx, tx, people); err != nil {
		return err
	}
	if err := d.complete(ctx, tx, before); err != nil {
		return err
	}
	return tx.Commit()
}

// loader writes many rows with few statements.
type loader struct {
	tx      *sql.Tx
	into    string // table (columns)
	columns int
	full    *sql.Stmt
	args    []any
}

// loadRows is how many rows go into one statement.
const loadRows = 50

func (l *loader) add(ctx context.Context, values ...any) (err error) {
	if l.full == nil {
		l.columns = len(values)
		if l.full, err = l.tx.PrepareContext(ctx, l.text(loadRows)); err != nil {
			return err
		}
	}
	l.args = append(l.args, values...)
	if len(l.args) < loadRows*l.columns {
		return nil
	}
	_, err = l.full.ExecContext(ctx, l.args...)
	l.args = l.args[:0]
	return err
}

// flush writes what is left.
func (l *loader) flush(ctx context.Context) error {
	if len(l.args) == 0 {
		return nil
	}
	_, err := l.tx.ExecContext(ctx, l.text(len(l.args)/l.columns), l.args...)
	l.args = nil
	return err
}

func (l *loader) text(rows int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", l.columns), ",") + "),"
	return "INSERT INTO " + l.into + " VALUES " + strings.TrimSuffix(strings.Repeat(row, rows), ",")
}
