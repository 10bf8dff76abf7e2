package event

import (
	"context"
	"fmt"
	"time"
)

// Compact implements Keeper. It reads and writes in one transaction; appends wait for it, some milliseconds.
func (s *SQLite) Compact(ctx context.Context, subject string, before time.Time) (int, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("event log: compact: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	bounds, err := sqliteBounds(ctx, tx)
	if err != nil {
		return 0, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+sqliteColumns+" FROM event WHERE subject = ? ORDER BY version LIMIT ?", subject, compactLimit)
	events, err := scanEvents(rows, err)
	if err != nil {
		return 0, err
	}
	to, n, err := compaction(events, before, bounds.First)
	if n == 0 || err != nil {
		return 0, err
	}
	var data any // NULL
	if len(to.Data) > 0 {
		data = []byte(to.Data)
	}
	for _, step := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM event WHERE subject = ? AND version < ?", []any{subject, to.Version}},
		{
			"UPDATE event SET id = ?, sequence = 0, type = ?, actor = '', data = ? WHERE subject = ? AND version = ?",
			[]any{to.ID, to.Type, data, subject, to.Version},
		},
	} {
		if _, err := tx.ExecContext(ctx, step.text, step.args...); err != nil {
			return 0, fmt.Errorf("event log: compact: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("event log: compact: %w", err)
	}
	return n, nil
}
