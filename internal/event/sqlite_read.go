package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// sqlitePoll is how often a waiting reader looks for what another process appended.
	sqlitePoll    = 50 * time.Millisecond
	sqliteColumns = "position, source, id, sequence, type, subject, version, time, actor, data"
)

// Read implements Log. ErrTrimmed also tells of a position that the log has not come to: its file is not the one it was.
func (s *SQLite) Read(ctx context.Context, after int64, limit int) ([]Event, error) {
	// One transaction, so that nothing is trimmed in between.
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	bounds, err := sqliteBounds(ctx, tx)
	if err != nil {
		return nil, err
	}
	if after = max(after, 0); after+1 < bounds.First || after > bounds.Last {
		return nil, ErrTrimmed
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+sqliteColumns+" FROM event WHERE position > ? ORDER BY position LIMIT ?", after, max(limit, 0))
	return scanEvents(rows, err)
}

// ReadSubject implements Log.
func (s *SQLite) ReadSubject(ctx context.Context, subject string, after, before int64, limit int, backward bool) ([]Event, error) {
	order := "ASC"
	if backward {
		order = "DESC"
	}
	if before <= 0 {
		before = math.MaxInt64
	} else {
		before--
	}
	rows, err := s.read.QueryContext(ctx, "SELECT "+sqliteColumns+" FROM event WHERE subject = ? AND version > ? AND version <= ? ORDER BY version "+order+" LIMIT ?",
		subject, after, before, max(limit, 0))
	return scanEvents(rows, err)
}

// Subjects returns up to limit subjects behind one, in the order of their bytes.
func (s *SQLite) Subjects(ctx context.Context, after string, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT DISTINCT subject FROM event WHERE subject > ? ORDER BY subject LIMIT ?", after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("event log: subjects: %w", err)
	}
	defer rows.Close() // Err tells
	var subjects []string
	for rows.Next() {
		var subject string
		if err := rows.Scan(&subject); err != nil {
			return nil, fmt.Errorf("event log: subjects: %w", err)
		}
		subjects = append(subjects, subject)
	}
	return subjects, rows.Err()
}

// Wait implements Log. It hears of this process' events at once and of another's within some 50 ms.
func (s *SQLite) Wait(ctx context.Context, after int64) error {
	var poll *time.Ticker
	for {
		s.mu.Lock()
		appended := s.appended
		s.mu.Unlock()
		var last int64
		if err := s.read.QueryRowContext(ctx, "SELECT ifnull(max(position), 0) FROM event").Scan(&last); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("event log: wait: %w", err))
		}
		if last != after { // Read tells those that are ahead of the log
			return nil
		}
		if poll == nil {
			poll = time.NewTicker(sqlitePoll)
			defer poll.Stop()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-appended:
		case <-poll.C:
		}
	}
}

// Bounds implements Log.
func (s *SQLite) Bounds(ctx context.Context) (Bounds, error) { return sqliteBounds(ctx, s.read) }

func sqliteBounds(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (b Bounds, err error) {
	row := db.QueryRowContext(ctx, "SELECT id, first, (SELECT ifnull(max(position), 0) FROM event) FROM log")
	if err := row.Scan(&b.ID, &b.First, &b.Last); err != nil {
		return b, fmt.Errorf("event log: bounds: %w", err)
	}
	return b, nil
}

// scanEvents reads rows of sqliteColumns and closes them.
func scanEvents(rows *sql.Rows, err error) ([]Event, error) {
	if err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	defer rows.Close() // Err tells
	var events []Event
	for rows.Next() {
		var e Event
		var at string
		var data []byte
		if err := rows.Scan(&e.Position, &e.Source, &e.ID, &e.Sequence, &e.Type, &e.Subject, &e.Version, &at, &e.Actor, &data); err != nil {
			return nil, fmt.Errorf("event log: read: %w", err)
		}
		if e.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("event log: read: position %d: %w", e.Position, err)
		}
		e.Data = data
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("event log: read: %w", err)
	}
	return events, nil
}
