package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
)

const (
	maxBatchEvents = 500
	maxBatchBytes  = 512 << 10
	envelopeBytes  = 640 // an envelope has at most so many without its data
)

// outgoing is an event on its way: a row of the outbox, or a snapshot that has no row.
type outgoing struct {
	seq           int64 // 0 without a row
	id            string
	kind, subject string
	version       int64
	at            stamp
	actor         sql.NullString
	data          string
}

// outgoingColumns are what scan reads.
const outgoingColumns = "seq, id, type, subject, version, time, actor, data"

func (o *outgoing) scan(rows *sql.Rows) error {
	return rows.Scan(&o.seq, &o.id, &o.kind, &o.subject, &o.version, &o.at, &o.actor, &o.data)
}

// append appends the CloudEvents envelope. What was redacted has no data: {} would be a patch that changes nothing.
func (o *outgoing) append(b []byte, source string) []byte {
	b = append(b, `{"specversion":"1.0",`...)
	b = appendMember(b, "id", o.id)
	b = appendMember(b, "source", "/"+source)
	b = appendMember(b, "type", o.kind)
	b = appendMember(b, "subject", o.subject)
	b = appendTime(b, "time", o.at)
	b = appendMember(b, "datacontenttype", "application/json")
	if o.actor.Valid {
		b = appendMember(b, "actor", o.actor.String)
	}
	b = strconv.AppendInt(appendName(b, "version"), o.version, 10)
	if o.seq > 0 {
		b = appendString(appendName(append(b, ','), "sequence"), strconv.FormatInt(o.seq, 10))
	}
	if o.data != redactedData {
		b = append(appendName(append(b, ','), "data"), o.data...)
	}
	return append(b, '}')
}

// appendBatch appends events as an array.
func appendBatch(b []byte, source string, events []outgoing) []byte {
	b = append(b, '[')
	for i := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = events[i].append(b, source)
	}
	return append(b, ']')
}

// waiting returns the rows behind the position that fit into a batch, without those of parked subjects.
func (d *deliverer) waiting(ctx context.Context) ([]outgoing, error) {
	return d.gather(ctx, (*outgoing).scan, "SELECT "+outgoingColumns+` FROM outbox
		WHERE seq > ? AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.subject = outbox.subject) ORDER BY seq LIMIT ?`,
		d.position, maxBatchEvents)
}

// rowsOf returns rows of one subject that fit into a batch, those with versions from least to below bound that lie
// from one sequence to another.
func (d *deliverer) rowsOf(ctx context.Context, subject string, least, bound, from, to int64) ([]outgoing, error) {
	return d.gather(ctx, (*outgoing).scan, "SELECT "+outgoingColumns+` FROM outbox
		WHERE subject = ? AND version >= ? AND version < ? AND seq BETWEEN ? AND ? ORDER BY version LIMIT ?`,
		subject, least, bound, from, to, maxBatchEvents)
}

// gather reads events until a batch is full; the first one is taken whatever its size.
func (d *deliverer) gather(ctx context.Context, scan func(*outgoing, *sql.Rows) error, text string, args ...any) ([]outgoing, error) {
	rows, err := d.store.read.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Err tells
	var batch []outgoing
	for bytes := 0; rows.Next(); {
		var o outgoing
		if err := scan(&o, rows); err != nil {
			return nil, err
		}
		if bytes += len(o.data) + envelopeBytes; bytes > maxBatchBytes && len(batch) > 0 {
			break
		}
		o.date()
		batch = append(batch, o)
	}
	return batch, rows.Err()
}

// date gives a snapshot the time of the state that it tells, unless the state names none, or one before 1970 or in the
// future, as an import may.
func (o *outgoing) date() {
	var state struct{ UpdatedAt, FollowedAt *stamp }
	if !isSnapshot(o.kind) || json.Unmarshal([]byte(o.data), &state) != nil {
		return
	}
	for _, at := range []*stamp{state.UpdatedAt, state.FollowedAt} {
		if at != nil && *at > 0 && *at < o.at {
			o.at = *at
		}
	}
}
