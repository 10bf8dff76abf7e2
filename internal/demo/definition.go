package demo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// definition is one service: its tables, its routes, its part of the seed and how it takes imports.
type definition struct {
	name  string
	table string // of its entities
	// The schema in four parts, all repeatable, so that a bulk load can fill the tables before indexes and triggers
	// stand: tables; indexes; totals, which counts anew what triggers then keep; triggers.
	tables, indexes, totals, triggers string
	routes                            func(*store) []route
	seed                              func(context.Context, *sql.Tx, *population) error
	imports                           importRules
	events                            telling
}

// definitions lists the services in the order users, posts, comments, followers. A further service is one more line.
func definitions() []*definition {
	return []*definition{userDefinition(), postDefinition(), commentDefinition(), followerDefinition()}
}

// Services returns the names of the services in a fixed order: user, post, comment, follower.
func Services() []string {
	var names []string
	for _, d := range definitions() {
		names = append(names, d.name)
	}
	return names
}

// choose returns the definitions of the named services, of all without a name.
func choose(names []string) ([]*definition, error) {
	all := definitions()
	for _, name := range names {
		if !slices.ContainsFunc(all, func(d *definition) bool { return d.name == name }) {
			return nil, fmt.Errorf("there is no demo service %q: use %q", name, Services())
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(d *definition) bool { return !slices.Contains(names, d.name) }), nil
}

// sharedTables stand in every file. The outbox's sequence never goes back, not even when all rows have left. parked has
// the subjects of which an event was refused, seq that of the event.
const sharedTables = `
CREATE TABLE IF NOT EXISTS outbox (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	id      TEXT NOT NULL UNIQUE,
	type    TEXT NOT NULL,
	subject TEXT NOT NULL,
	version INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	actor   TEXT,
	data    TEXT NOT NULL,
	UNIQUE (subject, version)
);
CREATE INDEX IF NOT EXISTS outbox_by_time ON outbox (time);
CREATE TABLE IF NOT EXISTS untold (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parked (
	subject TEXT PRIMARY KEY,
	seq     INTEGER NOT NULL,
	version INTEGER NOT NULL,
	status  INTEGER NOT NULL,
	detail  TEXT NOT NULL,
	since   INTEGER NOT NULL,
	tried   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency (
	seq      INTEGER PRIMARY KEY,
	key      TEXT NOT NULL UNIQUE,
	request  BLOB NOT NULL,
	at       INTEGER NOT NULL,
	subject  TEXT NOT NULL,
	status   INTEGER NOT NULL,
	etag     TEXT NOT NULL,
	location TEXT NOT NULL,
	body     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS idempotency_by_time ON idempotency (at);
CREATE INDEX IF NOT EXISTS idempotency_by_subject ON idempotency (subject);
`

// create makes what is missing of the schema, in a transaction of the caller's.
func (d *definition) create(ctx context.Context, tx *sql.Tx) error {
	version, err := d.begin(ctx, tx)
	if err != nil || version == schemaVersion {
		return err
	}
	return d.complete(ctx, tx, version)
}

// begin makes the bare tables and returns the version of the schema that stood before, 0 for a new file.
func (d *definition) begin(ctx context.Context, tx *sql.Tx) (int, error) {
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if version > schemaVersion {
		return 0, fmt.Errorf("the file has schema %d, this program knows %d", version, schemaVersion)
	}
	if version == schemaVersion {
		return version, nil
	}
	_, err := tx.ExecContext(ctx, sharedTables+fenceTable+d.tables)
	return version, err
}

// complete adds indexes, totals and triggers to filled tables. before is the version of the schema that stood: from the
// second on, a file knows itself what is untold.
func (d *definition) complete(ctx context.Context, tx *sql.Tx, before int) error {
	text := d.indexes + d.totals + d.triggers + fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion)
	if before < 2 {
		text += d.fillUntold()
	}
	_, err := tx.ExecContext(ctx, text)
	return err
}
