package work

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Clean implements Store. The write-ahead log is emptied once, at the end.
func (s *SQLite) Clean(ctx context.Context, before time.Time, keep int) (removed int, err error) {
	removed, err = s.removeSurplus(ctx, keep)
	for _, state := range ends() {
		if err == nil {
			var n int
			n, err = s.removeOld(ctx, state, before)
			removed += n
		}
	}
	// Also when the context has ended: what was taken away has to be gone.
	return removed, errors.Join(err, s.fold(context.WithoutCancel(ctx)))
}

func (s *SQLite) removeSurplus(ctx context.Context, keep int) (removed int, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT owner, kind FROM work INDEXED BY work_ended WHERE "+sqliteEnded+" AND owner <> '' GROUP BY owner, kind HAVING count(*) > ?", keep)
	if err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	type who struct {
		owner string
		kind  Kind
	}
	var over []who
	for rows.Next() {
		var each who
		if err := rows.Scan(&each.owner, &each.kind); err != nil {
			return 0, errors.Join(fmt.Errorf("work: clean: %w", err), rows.Close())
		}
		over = append(over, each)
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	for _, each := range over {
		n, err := removeSurplus(ctx, s, each.owner, each.kind, keep)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// removeOld goes through what was created before a time: only that can have ended before it.
func (s *SQLite) removeOld(ctx context.Context, state State, before time.Time) (removed int, err error) {
	for at, more := "", true; more; {
		var ids []string
		if ids, at, err = s.created(ctx, state, at, place(before, "")); err != nil {
			return removed, err
		}
		n, err := s.remove(ctx, ids, endedBefore(before))
		if removed += n; err != nil {
			return removed, err
		}
		more = len(ids) == cleanPage
	}
	return removed, nil
}

// created returns the ids of the first records in a state between two places, and the place of the last of them.
func (s *SQLite) created(ctx context.Context, state State, after, before string) (ids []string, last string, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, place FROM work WHERE state = ? AND place > ? AND place < ? ORDER BY place LIMIT ?", state, after, before, cleanPage)
	if err != nil {
		return nil, "", fmt.Errorf("work: clean: %w", err)
	}
	defer rows.Close() // Err tells
	for rows.Next() {
		var id string
		if err := rows.Scan(&id, &last); err != nil {
			return nil, "", fmt.Errorf("work: clean: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, last, rows.Err()
}

// remove deletes in one transaction, while nobody else writes.
func (s *SQLite) remove(ctx context.Context, ids []string, still func(Record) bool) (removed int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, id := range ids {
		var data []byte
		err := tx.QueryRowContext(ctx, "SELECT data FROM work WHERE id = ?", id).Scan(&data)
		r, err := found(data, err)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if still(r) {
			if _, err := tx.ExecContext(ctx, "DELETE FROM work WHERE id = ?", id); err != nil {
				return 0, fmt.Errorf("work: clean: %w", err)
			}
			removed++
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("work: clean: %w", err)
	}
	return removed, nil
}

// fold empties the write-ahead log, which still has what was taken away. A stream of readers can keep SQLite from it for as
// long as it lasts: this process's own step aside, as all connections are borrowed meanwhile.
func (s *SQLite) fold(ctx context.Context) error {
	s.folding.Lock() // two that borrow would wait for each other
	defer s.folding.Unlock()
	var borrowed *sql.Conn
	for range sqliteConnections {
		var err error
		if borrowed, err = s.db.Conn(ctx); err != nil {
			return fmt.Errorf("work: fold what was taken away: %w", err)
		}
		defer borrowed.Close() // nothing of the others is used
	}
	for end := time.Now().Add(foldFor); ; {
		var busy, pages, moved int
		err := borrowed.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
		switch {
		case err != nil:
			return fmt.Errorf("work: fold what was taken away: %w", err)
		case busy == 0:
			return nil
		case time.Now().After(end):
			return errors.New("work: taken away, but another process keeps the write-ahead log from being emptied")
		}
		// SQLite waits for readers, but not for another process that folds.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(foldAgain):
		}
	}
}

// foldFor is how long other processes may be in the way of emptying the write-ahead log, and foldAgain the pause between attempts.
const (
	foldFor   = 5 * time.Second
	foldAgain = 10 * time.Millisecond
)
