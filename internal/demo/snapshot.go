package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// The table untold has the ids of entities of which no event tells, because they were seeded or imported. Nobody may
// see a change of such an entity before its state: so the first change writes that, as a snapshot, into the outbox in
// front of its own event, and in the background the deliverer sends snapshots of those that nobody changes. Either
// takes the id out of the table. A snapshot's id is the same whoever sends it.

const snapshotSuffix = ".snapshot"

func isSnapshot(kind string) bool { return strings.HasSuffix(kind, snapshotSuffix) }

// telling is how a service's entities become events.
type telling struct {
	prefix  string // of subjects, such as post/
	live    string // condition that rows of the entity's table meet if a read answers them
	changed string // the type of event that an import's change becomes
	moved   string // expression over m, the row that stood, and s, the row of an import: the author that lost it, or NULL
}

// snapshotID is an expression for the id of a snapshot, of expressions for subject and version.
func snapshotID(subject, version string) string {
	return "'snapshot:' || " + subject + " || ':' || " + version
}

// fillUntold notes all entities of a file without which the outbox starts, once, when its schema is made.
func (d *definition) fillUntold() string {
	return fmt.Sprintf(`
INSERT OR IGNORE INTO untold SELECT e.id FROM %s e WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE subject = '%s' || e.id) ORDER BY e.id;
`, d.table, d.events.prefix)
}

// introduce writes the state before a change into the outbox if no event told it yet.
func (w *writing) introduce(ctx context.Context, e event) error {
	_, id, _ := strings.Cut(e.subject, "/")
	untold, err := w.exec(ctx, "DELETE FROM untold WHERE id = ?", id)
	if err != nil || untold == 0 {
		return err
	}
	service, _, _ := strings.Cut(e.kind, ".")
	data := e.before
	if w.erases { // what is erased must not be told
		data = redactedData
	}
	_, err = w.exec(ctx, "INSERT OR IGNORE INTO outbox (id, type, subject, version, time, data) SELECT "+snapshotID("?1", "?2")+", ?3, ?1, ?2, ?4, ?5",
		e.subject, e.version-1, service+snapshotSuffix, int64(w.now), data)
	return err
}

// scanSnapshot reads what snapshots queries.
func (d *deliverer) scanSnapshot(o *outgoing, rows *sql.Rows) error {
	o.at = stampOf(d.now())
	o.kind = d.source + snapshotSuffix
	return rows.Scan(&o.id, &o.subject, &o.version, &o.data)
}

func (d *deliverer) snapshots(rest string) string {
	subject := "'" + d.store.definition.events.prefix + "' || e.id"
	return "SELECT " + snapshotID(subject, "e.version") + ", " + subject + ", e.version, e.doc FROM " + rest
}

// tell sends a page of snapshots of entities that are untold, and says whether there were any.
func (d *deliverer) tell(ctx context.Context) (some bool, err error) {
	table, events := d.store.definition.table, d.store.definition.events
	page, err := d.gather(ctx, d.scanSnapshot, d.snapshots("untold u CROSS JOIN "+table+" e ON e.id = u.id WHERE "+events.live+
		" AND NOT EXISTS (SELECT 1 FROM parked WHERE subject = '"+events.prefix+"' || u.id) ORDER BY u.id LIMIT ?"), maxBatchEvents)
	if err != nil || len(page) == 0 {
		return false, err
	}
	ids := make([]string, 0, len(page))
	for _, o := range page {
		_, id, _ := strings.Cut(o.subject, "/")
		ids = append(ids, id)
	}
	stuck, err := d.offer(ctx, page)
	if err != nil {
		return false, err
	}
	d.settle()
	told := ids[:0]
	for _, id := range ids {
		if !stuck[events.prefix+id] {
			told = append(told, id)
		}
	}
	return true, d.store.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM untold WHERE id IN (SELECT value FROM json_each(?))", jsonKeys(told))
		return err
	})
}

// present is the snapshot of the present state of a subject, none if it has none.
func (d *deliverer) present(ctx context.Context, subject string) ([]outgoing, error) {
	_, id, _ := strings.Cut(subject, "/")
	return d.gather(ctx, d.scanSnapshot, d.snapshots(d.store.definition.table+" e WHERE e.id = ? AND "+d.store.definition.events.live), id)
}

// note has an import leave what a consumer needs: the ids of what is new, and for what changed an event, after the
// state before if that was untold. It runs before the rows are moved.
func (s *staging) note(ctx context.Context, tx *sql.Tx) error {
	d := s.definition
	subject := "'" + d.events.prefix + "' || s.id"
	changed := " FROM temp.staged s JOIN main." + s.table + " m ON m.id = s.id WHERE s.action = ?3"
	for _, text := range []string{
		"INSERT OR IGNORE INTO untold SELECT id FROM temp.staged WHERE action = ?4 ORDER BY id",
		"INSERT OR IGNORE INTO outbox (id, type, subject, version, time, data) SELECT " + snapshotID(subject, "m.version") + ", ?1, " + subject +
			", m.version, ?5, m.doc" + changed + " AND s.id IN (SELECT id FROM untold) ORDER BY s.line",
		"INSERT OR IGNORE INTO outbox (id, type, subject, version, time, data) SELECT lower(hex(randomblob(13))), ?2, " + subject +
			", s.version, ?5, json_patch(s.doc, json_object('previousAuthorId', " + d.events.moved + "))" + changed + " ORDER BY s.line",
		"DELETE FROM untold WHERE id IN (SELECT id FROM temp.staged WHERE action = ?3)",
	} {
		if _, err := tx.ExecContext(ctx, text, d.name+snapshotSuffix, d.events.changed, actionChange, actionAdd, int64(s.now)); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	return nil
}
