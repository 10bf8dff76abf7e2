package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
)

// userImports are the rules of users.ndjson.
func userImports() importRules {
	return importRules{
		file: "users.ndjson", live: "deleted = 0",
		columns: []string{"handle", "status", "created_at", "version", "doc"},
		id:      entityID, read: readUserLine, check: checkHandles,
	}
}

func readUserLine(c *checker, stands standing, now stamp) stagedRow {
	c.only("id", "handle", "name", "email", "bio", "avatarUrl", "status", "createdAt", "updatedAt", "version")
	before := user{Status: userActive}
	if stands.doc != "" && json.Unmarshal([]byte(stands.doc), &before) != nil {
		c.fail("id", "INVALID", "cannot be read in the store")
	}
	u := before
	u.ID, u.CreatedAt = c.id("id"), c.time("createdAt")
	named := &checker{object: object{}}
	for _, name := range []string{"handle", "name", "email", "bio", "avatarUrl"} {
		if c.has(name) {
			named.object[name] = c.object[name]
		}
	}
	u.readMembers(named, true)
	c.errs = append(c.errs, named.errs...)
	if c.has("status") {
		u.Status = c.oneOf("status", userActive, userFrozen)
	}
	updated, version := c.origin(u.CreatedAt)
	changed := u.doc() != before.doc()
	switch {
	case stands.version == 0:
		u.UpdatedAt, u.Version = updated, version
	case changed:
		u.Version++
		if u.UpdatedAt = now; c.has("updatedAt") {
			u.UpdatedAt = updated
		}
	}
	return stagedRow{id: u.ID, changed: changed, values: []any{u.Handle, u.Status, int64(u.CreatedAt), u.Version, u.doc()}}
}

// checkHandles refuses handles that belong to somebody else, in the store or in an earlier line.
func checkHandles(ctx context.Context, tx *sql.Tx, s *staging) error {
	const taken = `
		SELECT line, handle FROM (
			SELECT s.line AS line, s.handle AS handle FROM temp.staged s JOIN main.users u ON u.handle = s.handle AND u.id <> s.id WHERE s.action <> 0
			UNION ALL
			SELECT line, handle FROM (SELECT line, handle, row_number() OVER (PARTITION BY handle ORDER BY line) AS n FROM temp.staged
				WHERE action <> 0) WHERE n > 1
		) ORDER BY line LIMIT 1`
	var line int64
	var handle string
	err := tx.QueryRowContext(ctx, taken).Scan(&line, &handle)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.refuse(line, "handle %s is taken by another id", strings.ToLower(handle))
}
