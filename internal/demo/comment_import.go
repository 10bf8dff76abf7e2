package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// commentImports are the rules of comments.ndjson.
func commentImports() importRules {
	return importRules{
		file: "comments.ndjson", live: "status = 'published'",
		columns: []string{"post_id", "parent_id", "author_id", "status", "listed", "created_at", "version", "doc"},
		id:      entityID, read: readCommentLine, check: checkParents, settle: settleReplies,
	}
}

func readCommentLine(c *checker, stands standing, now stamp) stagedRow {
	c.only("id", "postId", "parentId", "authorId", "body", "status", "createdAt", "updatedAt", "version")
	before := comment{Status: commentPublished}
	if stands.doc != "" && json.Unmarshal([]byte(stands.doc), &before) != nil {
		c.fail("id", "INVALID", "cannot be read in the store")
	}
	v := before
	v.ID, v.PostID, v.ParentID, v.CreatedAt = c.id("id"), c.id("postId"), c.optionalID("parentId"), c.time("createdAt")
	if v.AuthorID = c.optionalID("authorId"); !c.has("authorId") {
		c.fail("authorId", "REQUIRED", "is required; null stands for nobody")
	}
	if c.has("status") {
		v.Status = c.oneOf("status", commentPublished, commentDeleted)
	}
	checkCommentLine(c, &v, &before, stands)
	updated, version := c.origin(v.CreatedAt)
	changed := v.doc() != before.doc()
	switch {
	case stands.version == 0:
		v.UpdatedAt, v.Version = updated, version
	case changed:
		v.Version++
		if v.UpdatedAt = now; c.has("updatedAt") {
			v.UpdatedAt = updated
		}
	}
	return stagedRow{id: v.ID, changed: changed, values: []any{
		v.PostID, v.ParentID, v.AuthorID, v.Status, v.Status == commentPublished, int64(v.CreatedAt), v.Version, v.doc(),
	}}
}

// checkCommentLine reads the body and finds what does not go together.
func checkCommentLine(c *checker, v, before *comment, stands standing) {
	least := 1
	if v.Status == commentDeleted {
		least = 0
	}
	v.Body = c.text("body", least, 5000)
	switch {
	case v.Status == commentDeleted && (v.Body != "" || v.AuthorID != nil):
		c.fail("status", "INVALID", "is deleted: then authorId must be null and body empty")
	case v.ParentID != nil && *v.ParentID == v.ID:
		c.fail("parentId", "INVALID", "is the comment itself")
	case stands.doc == "":
	case v.Status != before.Status:
		c.fail("status", "INVALID", "cannot be changed by an import")
	case v.PostID != before.PostID || !same(v.ParentID, before.ParentID):
		c.fail("id", "INVALID", "stands under another post or parent already")
	}
}

// orphans finds new comments whose parent is unknown or on another post.
const orphans = `
	SELECT s.line, s.parent_id FROM temp.staged s
	LEFT JOIN temp.staged p ON p.id = s.parent_id LEFT JOIN main.comments c ON c.id = s.parent_id
	WHERE s.action = 1 AND s.parent_id IS NOT NULL AND coalesce(p.post_id, c.post_id, '') <> s.post_id
	ORDER BY s.line LIMIT 1`

// circles finds new comments that no chain of parents leads to. The plus keeps SQLite from looking by action, which is
// the same for all, instead of by parent.
const circles = `
	WITH RECURSIVE rooted (id) AS (
		SELECT id FROM temp.staged s WHERE action = 1 AND (parent_id IS NULL OR EXISTS (SELECT 1 FROM main.comments c WHERE c.id = s.parent_id))
		UNION ALL SELECT s.id FROM rooted r JOIN temp.staged s ON s.parent_id = r.id WHERE +s.action = 1
	)
	SELECT line, parent_id FROM temp.staged WHERE action = 1 AND id NOT IN (SELECT id FROM rooted) ORDER BY line LIMIT 1`

// checkParents refuses parents that are unknown or of another post, and comments that answer themselves in a circle.
func checkParents(ctx context.Context, tx *sql.Tx, s *staging) error {
	if _, err := tx.ExecContext(ctx, "CREATE INDEX temp.staged_parents ON staged (parent_id)"); err != nil {
		return err
	}
	for _, rule := range []struct{ query, reason string }{
		{orphans, "parentId %s is no comment on the same post, neither in the file nor in the store"},
		{circles, "parentId %s leads back to the comment itself"},
	} {
		var line int64
		var parent string
		err := tx.QueryRowContext(ctx, rule.query).Scan(&line, &parent)
		if err == nil {
			return s.refuse(line, rule.reason, parent)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return nil
}

// settleReplies counts the replies of comments that got new ones, and lists deleted comments that have some now.
func settleReplies(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE comments SET replies = (SELECT count(*) FROM comments r WHERE r.parent_id = comments.id AND r.listed = 1)
		WHERE id IN (SELECT parent_id FROM temp.staged WHERE action = 1)`)
	for found := int64(1); err == nil && found > 0; {
		found, err = listParents(ctx, tx)
	}
	return err
}

// listParents lists the comments that have replies and are not listed, tells their parents, and says how many it
// found: each may have made its parent such a one.
func listParents(ctx context.Context, tx *sql.Tx) (int64, error) {
	const hidden = "listed = 0 AND replies > 0"
	_, err := tx.ExecContext(ctx, `UPDATE comments SET replies = replies + (SELECT count(*) FROM comments r WHERE r.parent_id = comments.id AND r.`+hidden+`)
		WHERE id IN (SELECT parent_id FROM comments WHERE `+hidden+` AND parent_id IS NOT NULL)`)
	if err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, "UPDATE comments SET listed = 1 WHERE "+hidden)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
