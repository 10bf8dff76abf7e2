package demo

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

const (
	maxLineBytes   = 1 << 20
	stageBatch     = 500 // lines a transaction on the temporary table
	progressEvery  = 1000
	actionNone     = 0
	actionAdd      = 1
	actionChange   = 2
	maxReasonBytes = 300
)

// staging is one file on its way into the store.
type staging struct {
	conn       *sql.Conn
	table      string // of the entities
	rules      importRules
	definition *definition
	now        stamp
	progress   func(Progress)
	report     FileReport
	bytes      int64
	total      int64

	find, double, insert *sql.Stmt
}

// refuse is the error for a line.
func (s *staging) refuse(line int64, format string, args ...any) error {
	reason := limitString(fmt.Sprintf(format, args...), maxReasonBytes)
	return &LineError{File: s.rules.file, Line: line, Reason: reason}
}

func (s *staging) tell(done bool) {
	s.progress(Progress{File: s.report.File, Lines: s.report.Lines, Bytes: s.bytes, TotalBytes: s.total, Done: done})
}

// columnLists are the importer's columns for use in SQL: bare, and as columns of s.
func (s *staging) columnLists() (bare, staged string) {
	names := s.rules.columns
	return strings.Join(names, ", "), "s." + strings.Join(names, ", s.")
}

// prepare makes the temporary table. It lives in a file of SQLite's own if it grows.
func (s *staging) prepare(ctx context.Context) error {
	bare, _ := s.columnLists()
	// The columns take their types from the entity's table: else indexes would not serve comparisons between the two.
	_, err := s.conn.ExecContext(ctx, `DROP TABLE IF EXISTS temp.staged;
		CREATE TEMP TABLE staged AS SELECT 0 AS line, '' AS raw, 0 AS base, 0 AS action, id, `+bare+` FROM main.`+s.table+` WHERE FALSE;
		CREATE UNIQUE INDEX temp.staged_ids ON staged (id)`)
	if err != nil {
		return err
	}
	marks := strings.Repeat(", ?", len(s.rules.columns))
	for _, p := range []struct {
		target **sql.Stmt
		text   string
	}{
		{&s.find, "SELECT CASE WHEN " + s.rules.live + " THEN doc ELSE '' END, version, NOT (" + s.rules.live + ") FROM main." + s.table + " WHERE id = ?"},
		{&s.double, "SELECT line, raw FROM temp.staged WHERE id = ?"},
		{&s.insert, "INSERT INTO temp.staged (line, raw, base, action, id, " + bare + ") VALUES (?, ?, ?, ?, ?" + marks + ")"},
	} {
		if *p.target, err = s.conn.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

// readAll stages every line.
func (s *staging) readAll(ctx context.Context, file io.Reader) (err error) {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	defer func() {
		for _, stmt := range []*sql.Stmt{s.find, s.double, s.insert} {
			err = errors.Join(err, stmt.Close())
		}
	}()
	// Not BeginTx: that would take the write lock of the store.
	if _, err := s.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := s.readLines(ctx, file); err != nil {
		_, rollback := s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, rollback)
	}
	_, err = s.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (s *staging) readLines(ctx context.Context, file io.Reader) error {
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), maxLineBytes+2)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		advance, token, err := bufio.ScanLines(data, atEOF)
		s.bytes += int64(advance)
		return advance, token, err
	})
	for lines.Scan() {
		s.report.Lines++
		if err := s.stage(ctx, lines.Bytes()); err != nil {
			return err
		}
		if s.report.Lines%stageBatch == 0 { // reads see what others wrote meanwhile
			if _, err := s.conn.ExecContext(ctx, "COMMIT; BEGIN"); err != nil {
				return err
			}
		}
		if s.report.Lines%progressEvery == 0 {
			s.tell(false)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return s.refuse(s.report.Lines+1, "the line has more than %d bytes", maxLineBytes)
	}
	return lines.Err()
}

// stage understands one line and puts it into the temporary table.
func (s *staging) stage(ctx context.Context, raw []byte) error {
	line := s.report.Lines
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if len(raw) > maxLineBytes {
		return s.refuse(line, "the line has more than %d bytes", maxLineBytes)
	}
	o, err := decodeObject(raw)
	if p, ok := errors.AsType[*problem](err); ok {
		return s.refuse(line, "%s", strings.Replace(p.detail, "the body", "the line", 1))
	}
	c := &checker{object: o}
	id := s.rules.id(c)
	if len(c.errs) > 0 {
		return s.refuse(line, "%s %s", c.errs[0].field, c.errs[0].message)
	}
	if double, err := s.repeated(ctx, line, id, raw); err != nil || double {
		return err
	}
	var stands standing
	err = s.find.QueryRowContext(ctx, id).Scan(&stands.doc, &stands.version, &stands.dead)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	row := s.rules.read(c, stands, s.now)
	if len(c.errs) > 0 {
		return s.refuse(line, "%s %s", c.errs[0].field, c.errs[0].message)
	}
	action := s.count(stands, row)
	_, err = s.insert.ExecContext(ctx, append([]any{line, string(raw), stands.version, action, id}, row.values...)...)
	return err
}

// count decides what becomes of a row, and notes it in the report.
func (s *staging) count(stands standing, row stagedRow) (action int) {
	switch {
	case stands.version == 0:
		s.report.Added++
		return actionAdd
	case row.changed && !stands.dead:
		s.report.Changed++
		return actionChange
	}
	s.report.Unchanged++
	return actionNone
}

// repeated says whether the id stood in an earlier line with the same content; with another it is refused.
func (s *staging) repeated(ctx context.Context, line int64, id string, raw []byte) (bool, error) {
	var first int64
	var before string
	err := s.double.QueryRowContext(ctx, id).Scan(&first, &before)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal([]byte(before), &a), json.Unmarshal(raw, &b)); err != nil {
		return false, err
	}
	if !reflect.DeepEqual(a, b) {
		return false, s.refuse(line, "%s stands in line %d with other content", id, first)
	}
	s.report.Unchanged++
	return true, nil
}
