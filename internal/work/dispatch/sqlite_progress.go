package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Progress implements Store.
func (s *SQLite) Progress(ctx context.Context, holder string, next Consumer, deliveries []Delivery) error {
	moved, err := writeProgress(next)
	if err != nil {
		return fmt.Errorf("progress of consumer %s: %w", next.ID, err)
	}
	return s.within(ctx, func(tx *sql.Tx) error {
		var made, revision, count, ends int64
		var holding string
		err := tx.QueryRowContext(ctx, "SELECT made, revision, deliveries, holder, ends FROM consumer WHERE id = ?", next.ID).
			Scan(&made, &revision, &count, &holding, &ends)
		switch {
		case errors.Is(err, sql.ErrNoRows) && holder == "":
			return ErrUnknown
		case errors.Is(err, sql.ErrNoRows):
			return ErrLeaseLost
		case err != nil:
			return fmt.Errorf("progress: %w", err)
		case holder != "" && (holding != holder || ends <= time.Now().UnixMilli() || revision != next.Revision):
			return ErrLeaseLost
		}
		if err := insertDeliveries(ctx, tx, made, count, deliveries); err != nil {
			return fmt.Errorf("progress: %w", err)
		}
		count += int64(len(deliveries))
		if holder == "" {
			_, err = tx.ExecContext(ctx, "UPDATE consumer SET deliveries = ? WHERE made = ?", count, made)
		} else {
			_, err = tx.ExecContext(ctx, "UPDATE consumer SET deliveries = ?, progress = ? WHERE made = ?", count, moved, made)
		}
		if err != nil {
			return fmt.Errorf("progress: %w", err)
		}
		return nil
	})
}

// insertDeliveries writes deliveries behind the first count of a consumer, and forgets those that are too many.
func insertDeliveries(ctx context.Context, tx *sql.Tx, made, count int64, deliveries []Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO delivery VALUES (?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := range deliveries {
		count++
		deliveries[i].Number = count
		record, err := json.Marshal(deliveries[i])
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, made, count, record); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM delivery WHERE consumer = ? AND number <= ?", made, count-KeptDeliveries)
	return err
}

// Deliveries implements Store.
func (s *SQLite) Deliveries(ctx context.Context, id string, before int64, limit int) ([]Delivery, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT number, record FROM delivery
		WHERE consumer = (SELECT made FROM consumer WHERE id = ?1) AND (?2 = 0 OR number < ?2) ORDER BY number DESC LIMIT ?3`,
		id, before, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	defer rows.Close() // Err tells
	var deliveries []Delivery
	for rows.Next() {
		var number int64
		var record []byte
		if err := rows.Scan(&number, &record); err != nil {
			return nil, fmt.Errorf("deliveries: %w", err)
		}
		d, err := readDelivery(number, record)
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	return deliveries, nil
}
