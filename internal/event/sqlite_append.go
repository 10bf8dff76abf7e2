package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// insertion is what Append asks and tells the file, prepared.
type insertion struct {
	known, version, last, sequence, event, source *sql.Stmt
}

func prepareInsertion(ctx context.Context, db *sql.DB) (i insertion, err error) {
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&i.known, "SELECT EXISTS (SELECT 1 FROM event WHERE source = ? AND id = ?)"},
		{&i.version, "SELECT ifnull(max(version), 0) FROM event WHERE subject = ?"},
		{&i.last, "SELECT ifnull(max(position), 0), ifnull(max(recorded), 0) FROM (SELECT position, recorded FROM event ORDER BY position DESC LIMIT 1)"},
		{&i.sequence, "SELECT ifnull(max(sequence), 0) FROM source WHERE name = ?"},
		{&i.event, `INSERT INTO event (position, recorded, source, id, sequence, type, subject, version, time, actor, data)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&i.source, `INSERT INTO source VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence), heard = excluded.heard RETURNING sequence`},
	} {
		if *s.to, err = db.PrepareContext(ctx, s.text); err != nil {
			return i, errors.Join(err, i.close())
		}
	}
	return i, nil
}

func (i insertion) close() error {
	var errs []error
	for _, statement := range []*sql.Stmt{i.known, i.version, i.last, i.sequence, i.event, i.source} {
		if statement != nil {
			errs = append(errs, statement.Close())
		}
	}
	return errors.Join(errs...)
}

// Append implements Log. It takes the source for that of the events. Appends wait for each other.
func (s *SQLite) Append(ctx context.Context, source string, batch []Event) (int64, error) {
	if len(batch) == 0 {
		return s.heartbeat(ctx, source)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("event log: append: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	a := appending{insertion: s.insert, ctx: ctx, tx: tx, source: source}
	sequence, err := a.batch(batch, s.now().UnixMicro())
	if err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("event log: append: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.appended)
	s.appended = make(chan struct{})
	return sequence, nil
}

// heartbeat writes nothing into the file: every second, for each source, that would be a flush to the disk.
func (s *SQLite) heartbeat(ctx context.Context, source string) (sequence int64, err error) {
	if err := s.read.QueryRowContext(ctx, "SELECT ifnull(max(sequence), 0) FROM source WHERE name = ?", source).Scan(&sequence); err != nil {
		return 0, fmt.Errorf("event log: heartbeat: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[source] = time.UnixMicro(s.now().UnixMicro()).UTC()
	return sequence, nil
}

// appending is one batch on its way into the file.
type appending struct {
	insertion
	ctx                context.Context
	tx                 *sql.Tx
	source             string
	position, recorded int64 // of the last event
}

func (a *appending) batch(batch []Event, now int64) (sequence int64, err error) {
	if err := a.row(a.last).Scan(&a.position, &a.recorded); err != nil {
		return 0, fmt.Errorf("event log: append: %w", err)
	}
	a.recorded = max(a.recorded, now)
	for index, e := range batch {
		follows, err := a.follows(index, e)
		if err == nil && follows {
			err = a.add(e)
		}
		if err != nil {
			return 0, err
		}
		sequence = max(sequence, e.Sequence) // of those that are skipped too: the source need not send them again
	}
	if err := a.row(a.insertion.source, a.source, sequence, now).Scan(&sequence); err != nil {
		return 0, fmt.Errorf("event log: append: %w", err)
	}
	return sequence, nil
}

func (a *appending) row(statement *sql.Stmt, args ...any) *sql.Row {
	return a.tx.StmtContext(a.ctx, statement).QueryRowContext(a.ctx, args...)
}

// follows says whether an event is to be added. It is false for one to skip.
func (a *appending) follows(index int, e Event) (bool, error) {
	var known bool
	if err := a.row(a.known, a.source, e.ID).Scan(&known); err != nil {
		return false, fmt.Errorf("event log: append: %w", err)
	}
	if known {
		return false, nil
	}
	var version int64
	if err := a.row(a.version, e.Subject).Scan(&version); err != nil {
		return false, fmt.Errorf("event log: append: %w", err)
	}
	switch {
	case e.Snapshot() && version > 0 && e.Version <= version:
		return false, nil
	case e.Snapshot() && version == 0 && e.Version > 0, !e.Snapshot() && e.Version == version+1:
		return true, nil
	}
	return false, &GapError{Index: index, Expected: version + 1}
}

func (a *appending) add(e Event) error {
	var data any // NULL
	if len(e.Data) > 0 {
		data = []byte(e.Data)
	}
	a.position++
	_, err := a.tx.StmtContext(a.ctx, a.event).ExecContext(a.ctx, a.position, a.recorded, a.source, e.ID, e.Sequence, e.Type,
		e.Subject, e.Version, e.Time.UTC().Format(time.RFC3339Nano), e.Actor, data)
	if err != nil {
		return fmt.Errorf("event log: append: %w", err)
	}
	return nil
}
