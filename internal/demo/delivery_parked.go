package demo

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"net/http"
	"strconv"
)

// A parked subject is one of which the sink refused an event. Its events wait, those of others go on.

const (
	maxParked     = 10_000
	retriesAtOnce = 20
	listedParked  = 100
)

var errParkedFull = errors.New("too many subjects are parked")

// setAside parks the subject of an event from that event on.
func (d *deliverer) setAside(ctx context.Context, e outgoing, r receipt) error {
	now := int64(stampOf(d.now()))
	return d.store.transact(ctx, func(tx *sql.Tx) error {
		var parked int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM parked WHERE subject <> ?", e.subject).Scan(&parked); err != nil {
			return err
		}
		if parked >= maxParked {
			return errParkedFull
		}
		var again bool
		err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM parked WHERE subject = ?)", e.subject).Scan(&again)
		if err != nil {
			return err
		}
		if !again {
			d.log.WarnContext(ctx, "a subject is parked", "subject", e.subject, "type", e.kind, "version", e.version,
				"status", r.status, "detail", r.detail)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO parked (subject, seq, version, status, detail, since, tried) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (subject) DO UPDATE SET seq = excluded.seq, version = excluded.version, status = excluded.status,
				detail = excluded.detail, tried = excluded.tried`,
			e.subject, e.seq, e.version, r.status, r.detail, now, now)
		return err
	})
}

// retryAllSoon has every parked subject tried in the next rounds.
func (d *deliverer) retryAllSoon(ctx context.Context) error {
	return d.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE parked SET tried = 0 WHERE tried > 0")
		return err
	})
}

// parkedSubject is a row of parked.
type parkedSubject struct {
	subject string
	seq     int64
}

// retryParked offers the events of some parked subjects again, those that have waited longest, and says whether
// there were any.
func (d *deliverer) retryParked(ctx context.Context) (tried bool, err error) {
	before := int64(stampOf(d.now())) - int64(d.pace.retry)
	due, err := d.parked(ctx, "SELECT subject, seq FROM parked WHERE tried <= ? ORDER BY tried LIMIT ?", before, retriesAtOnce)
	for _, p := range due {
		if err := d.unpark(ctx, p); err != nil {
			return true, err
		}
	}
	return len(due) > 0, err
}

func (d *deliverer) parked(ctx context.Context, text string, args ...any) (found []parkedSubject, err error) {
	rows, err := d.store.read.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Err tells
	for rows.Next() {
		var p parkedSubject
		if err := rows.Scan(&p.subject, &p.seq); err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

// unpark offers what was passed by of a parked subject. Once the sink has all of it, further events take the way of
// all others; what lies behind the position does so at once.
func (d *deliverer) unpark(ctx context.Context, p parkedSubject) error {
	for from := p.seq; ; {
		events, err := d.rowsOf(ctx, p.subject, 0, math.MaxInt64, from, d.position)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		stuck, err := d.offer(ctx, events)
		if err != nil {
			return err
		}
		if stuck[p.subject] {
			return nil
		}
		from = events[len(events)-1].seq + 1
	}
	d.settle()
	d.log.InfoContext(ctx, "a subject is no longer parked", "subject", p.subject)
	return d.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM parked WHERE subject = ?", p.subject)
		return err
	})
}

// outboxRoute answers what an operator wants to know of a service's outbox: its last sequence and what is parked.
func outboxRoute(s *store) route {
	return route{method: http.MethodGet, pattern: "/outbox", fresh: true, read: func(ctx context.Context, _ params, out *stream) error {
		rows, err := s.read.query(ctx, `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0), (SELECT count(*) FROM parked),
			coalesce((SELECT json_group_array(json_object('subject', subject, 'version', version, 'status', status, 'detail', detail,
				'since', strftime('%Y-%m-%dT%H:%M:%SZ', since / 1000000000, 'unixepoch')))
				FROM (SELECT * FROM parked ORDER BY since, subject LIMIT ?)), '[]')`, listedParked)
		if err != nil {
			return err
		}
		defer rows.Close() // Err tells
		for rows.Next() {
			var sequence, total int64
			var parked string
			if err := rows.Scan(&sequence, &total, &parked); err != nil {
				return err
			}
			out.b = appendMember(append(out.b, '{'), "sequence", strconv.FormatInt(sequence, 10))
			out.b = strconv.AppendInt(appendName(out.b, "parkedTotal"), total, 10)
			out.b = append(append(appendName(append(out.b, ','), "parked"), parked...), '}')
		}
		return rows.Err()
	}}
}
