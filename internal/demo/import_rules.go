package demo

import (
	"context"
	"database/sql"
	"encoding/json"
)

// importRules are what differs between the files of an import.
type importRules struct {
	file string // its name
	live string // condition that rows of the entity's table meet unless they are deleted
	// columns are those of the entity's table that a line decides, besides id; version and doc are among them.
	columns []string
	// id reads what names the entity.
	id func(c *checker) string
	// read makes the row of a line, into which it puts what the line names. What is wrong goes into the checker.
	read func(c *checker, stands standing, now stamp) stagedRow
	// check finds what is wrong between lines, and between a line and the store, before anything is moved. May be nil.
	check func(ctx context.Context, tx *sql.Tx, s *staging) error
	// settle brings derived columns up to date after the rows were moved. May be nil.
	settle func(ctx context.Context, tx *sql.Tx) error
}

// entityID reads the id of everything but edges.
func entityID(c *checker) string { return c.id("id") }

// standing is what the store has under the id of a line.
type standing struct {
	doc     string // empty if there is nothing, or nothing that lives
	version int64  // 0 if there is nothing
	dead    bool   // deleted: no line brings it back
}

// stagedRow is a line that was understood.
type stagedRow struct {
	id      string
	values  []any // of the importer's columns
	changed bool  // against what stands
}

// time reads a time; absent and null are REQUIRED.
func (c *checker) time(name string) (at stamp) {
	if !c.has(name) || c.isNull(name) {
		c.fail(name, "REQUIRED", "is required")
	} else if err := at.UnmarshalJSON(c.object[name]); err != nil {
		c.fail(name, "INVALID", "%s", err)
	}
	return at
}

// origin reads what an import may say about a new entity's past: when it was last changed and its version.
func (c *checker) origin(created stamp) (updated stamp, version int64) {
	updated, version = created, 1
	if c.has("updatedAt") {
		if updated = c.time("updatedAt"); updated < created {
			c.fail("updatedAt", "INVALID", "lies before createdAt")
		}
	}
	if c.has("version") && (json.Unmarshal(c.object["version"], &version) != nil || version < 1 || c.isNull("version")) {
		c.fail("version", "INVALID", "must be a whole number from 1")
	}
	return updated, version
}
