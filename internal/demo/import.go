package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Progress tells how far Import has come with a file.
type Progress struct {
	File       string // its name, such as posts.ndjson
	Lines      int64  // read so far
	Bytes      int64  // read so far
	TotalBytes int64  // of the file, when it was opened
	Done       bool   // the file stands in the store
}

// FileReport counts what became of the lines of a file. Blank lines are in Lines only.
type FileReport struct {
	File                      string
	Lines                     int64
	Added, Changed, Unchanged int64
}

// Report has one entry for each file that was taken in whole.
type Report struct{ Files []FileReport }

// LineError says why a line of an import was refused.
type LineError struct {
	File   string
	Line   int64 // from 1
	Reason string
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// errMoved: what stood in the store when lines were compared with it has changed since.
var errMoved = errors.New("the store changed during the import")

// importTries is how often a file is read anew because of errMoved.
const importTries = 3

// Import takes users.ndjson, posts.ndjson, comments.ndjson and follows.ndjson from the directory from into the data
// directory dir, which may be missing, or in use by running services. Any of the files may be missing, not all.
//
// A line is a JSON object with members of the contract. A line whose id is new adds an entity: published, active,
// version 1, last changed when it was created, unless the line says otherwise. A line whose id is known sets the
// members that it names: if all have that value already nothing changes, else the version grows by one; version
// itself is not taken over then. What was deleted stays deleted. No outbox rows are written for what
// is new, which is told as snapshots; what changed is told as updated, an edge as added, with all of its members.
//
// A file is taken in whole or not at all, in the order above: a bad line is refused with a *LineError, and the
// report names the files that were taken in before. Memory is bounded whatever the length of the files; progress,
// which may be nil, is called from the calling goroutine.
func Import(ctx context.Context, dir, from string, progress func(Progress)) (Report, error) {
	var report Report
	if progress == nil {
		progress = func(Progress) {}
	}
	found, err := importFiles(from)
	if err != nil {
		return report, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return report, fmt.Errorf("data directory: %w", err)
	}
	if err := finishSeed(ctx, dir); err != nil {
		return report, err
	}
	for _, d := range found {
		var file FileReport
		for try := 1; ; try++ {
			file, err = importFile(ctx, dir, d, filepath.Join(from, d.imports.file), progress)
			if err == nil || !errors.Is(err, errMoved) || try == importTries {
				break
			}
		}
		if err != nil {
			if _, ok := errors.AsType[*LineError](err); ok {
				return report, err
			}
			return report, fmt.Errorf("import %s: %w", d.imports.file, err)
		}
		report.Files = append(report.Files, file)
	}
	return report, nil
}

// importFiles returns the definitions whose files are in a directory.
func importFiles(from string) (found []*definition, err error) {
	for _, d := range definitions() {
		switch _, err := os.Stat(filepath.Join(from, d.imports.file)); {
		case err == nil:
			found = append(found, d)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("import: there is no users.ndjson, posts.ndjson, comments.ndjson or follows.ndjson in %s", from)
	}
	return found, nil
}

// importFile stages a file in a temporary table, which keeps nobody from writing, and then moves it over in one
// transaction.
func importFile(ctx context.Context, dir string, d *definition, path string, progress func(Progress)) (report FileReport, err error) {
	file, err := os.Open(path)
	if err != nil {
		return report, err
	}
	defer file.Close() // it was only read
	info, err := file.Stat()
	if err != nil {
		return report, err
	}
	store, err := openStore(ctx, dir, d) // sees that the tables stand
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	conn, err := store.write.Conn(ctx)
	if err != nil {
		return report, err
	}
	defer conn.Close() // it goes back to the pool, which is closed next
	s := &staging{
		conn: conn, table: d.table, rules: d.imports, definition: d, now: stampOf(time.Now()), progress: progress,
		report: FileReport{File: d.imports.file}, total: info.Size(),
	}
	if err := s.readAll(ctx, file); err != nil {
		return report, err
	}
	if err := s.commit(ctx); err != nil {
		return report, err
	}
	s.tell(true)
	return s.report, nil
}

// commit moves what was staged into the tables of the service.
func (s *staging) commit(ctx context.Context) error {
	tx, err := s.conn.BeginTx(ctx, nil) // takes the write lock at once
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	var moved bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM temp.staged s LEFT JOIN `+s.table+` m ON m.id = s.id
		WHERE coalesce(m.version, 0) <> s.base)`).Scan(&moved)
	if err == nil && moved {
		err = errMoved
	}
	if err == nil && s.rules.check != nil {
		err = s.rules.check(ctx, tx, s)
	}
	if err != nil {
		return err
	}
	if err := s.move(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// move writes the staged rows, new ones first.
func (s *staging) move(ctx context.Context, tx *sql.Tx) error {
	columns, staged := s.columnLists()
	if err := s.note(ctx, tx); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+s.table+" (id, "+columns+") SELECT id, "+columns+
		" FROM temp.staged WHERE action = ? ORDER BY line", actionAdd)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+s.table+" SET ("+columns+") = ("+staged+") FROM temp.staged s WHERE s.id = "+s.table+
		".id AND s.action = ?", actionChange)
	if err != nil {
		return err
	}
	if s.rules.settle == nil {
		return nil
	}
	return s.rules.settle(ctx, tx)
}
