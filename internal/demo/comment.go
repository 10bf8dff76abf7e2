package demo

import (
	"context"
	"net/http"
	"strconv"
)

// comment is a comment as the API answers it.
type comment struct {
	ID        string  `json:"id"`
	PostID    string  `json:"postId"`
	ParentID  *string `json:"parentId"`
	AuthorID  *string `json:"authorId"`
	Body      string  `json:"body"`
	Status    string  `json:"status"`
	CreatedAt stamp   `json:"createdAt"`
	UpdatedAt stamp   `json:"updatedAt"`
	Version   int64   `json:"version"`
}

const (
	commentPublished = "published"
	commentDeleted   = "deleted"
)

func (c *comment) doc() string {
	b := make([]byte, 0, len(c.Body)+320)
	b = appendMember(append(b, '{'), "id", c.ID)
	b = appendMember(b, "postId", c.PostID)
	b = appendOptional(b, "parentId", c.ParentID)
	b = appendOptional(b, "authorId", c.AuthorID)
	b = appendMember(b, "body", c.Body)
	b = appendMember(b, "status", c.Status)
	b = appendTime(b, "createdAt", c.CreatedAt)
	b = appendTime(b, "updatedAt", c.UpdatedAt)
	return string(append(strconv.AppendInt(appendName(b, "version"), c.Version, 10), '}'))
}

// commentTables: replies counts the direct replies that stand in lists; listed says whether the comment itself does:
// a deleted one only while it has such replies. comment_undo remembers what a delete or a bulk write took, for whom.
const commentTables = `
CREATE TABLE IF NOT EXISTS comments (
	id         TEXT PRIMARY KEY,
	post_id    TEXT NOT NULL,
	parent_id  TEXT,
	author_id  TEXT,
	status     TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	version    INTEGER NOT NULL,
	replies    INTEGER NOT NULL DEFAULT 0,
	listed     INTEGER NOT NULL DEFAULT 1,
	doc        TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS comment_undo (
	seq        INTEGER PRIMARY KEY,
	comment_id TEXT NOT NULL,
	owner      TEXT,
	step       TEXT NOT NULL,
	prior      TEXT NOT NULL,
	heir       TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS comment_totals (
	post_id TEXT PRIMARY KEY,
	listed  INTEGER NOT NULL,
	top     INTEGER NOT NULL,
	live    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS comment_author_totals (author_id TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID;
`

const commentIndexes = `
CREATE INDEX IF NOT EXISTS comments_by_post ON comments (post_id, created_at, id) WHERE listed = 1;
CREATE INDEX IF NOT EXISTS comments_by_post_top ON comments (post_id, created_at, id) WHERE listed = 1 AND parent_id IS NULL;
CREATE INDEX IF NOT EXISTS comments_by_parent ON comments (parent_id, created_at, id) WHERE listed = 1 AND parent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comments_by_author ON comments (author_id, created_at, id) WHERE author_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comments_to_list ON comments (id) WHERE listed = 0 AND replies > 0;
CREATE INDEX IF NOT EXISTS comment_undo_by_owner ON comment_undo (owner, comment_id);
CREATE INDEX IF NOT EXISTS comment_undo_by_comment ON comment_undo (comment_id);
`

const commentTotals = `
DELETE FROM comment_totals;
INSERT INTO comment_totals SELECT post_id, sum(listed), sum(listed AND parent_id IS NULL), sum(status = 'published') FROM comments GROUP BY post_id;
DELETE FROM comment_author_totals;
INSERT INTO comment_author_totals SELECT author_id, count(*) FROM comments WHERE author_id IS NOT NULL GROUP BY author_id;
`

// commentTriggers rely on this: post and parent of a comment never change, a deleted comment has no author, and no
// comment is ever erased.
const commentTriggers = `
CREATE TRIGGER IF NOT EXISTS comments_added AFTER INSERT ON comments BEGIN
	INSERT INTO comment_totals VALUES (NEW.post_id, NEW.listed, NEW.listed AND NEW.parent_id IS NULL, NEW.status = 'published')
	ON CONFLICT (post_id) DO UPDATE SET listed = listed + excluded.listed, top = top + excluded.top, live = live + excluded.live;
	INSERT INTO comment_author_totals SELECT NEW.author_id, 1 WHERE NEW.author_id IS NOT NULL
	ON CONFLICT (author_id) DO UPDATE SET live = live + 1;
END;
CREATE TRIGGER IF NOT EXISTS comments_changed AFTER UPDATE OF author_id, status, listed ON comments BEGIN
	UPDATE comment_totals SET listed = listed + NEW.listed - OLD.listed,
		top = top + (NEW.listed - OLD.listed) * (NEW.parent_id IS NULL),
		live = live + (NEW.status = 'published') - (OLD.status = 'published')
	WHERE post_id = NEW.post_id;
	UPDATE comment_author_totals SET live = live - 1 WHERE author_id = OLD.author_id;
	INSERT INTO comment_author_totals SELECT NEW.author_id, 1 WHERE NEW.author_id IS NOT NULL
	ON CONFLICT (author_id) DO UPDATE SET live = live + 1;
	DELETE FROM comment_author_totals WHERE author_id = OLD.author_id AND live = 0;
END;
`

func commentDefinition() *definition {
	return &definition{
		name: "comment", table: "comments",
		tables: commentTables, indexes: commentIndexes, totals: commentTotals, triggers: commentTriggers,
		routes:  func(s *store) []route { return newComments(s).routes() },
		seed:    seedComments,
		imports: commentImports(),
		events:  telling{prefix: "comment/", live: "TRUE", changed: "comment.updated", moved: "CASE WHEN m.author_id IS NOT s.author_id THEN m.author_id END"},
	}
}

// comments answers the comment service's requests.
type comments struct {
	store                             *store
	byPost, topLevel, replies, author *listing
}

func newComments(s *store) *comments {
	c := &comments{store: s}
	l := listing{table: "comments", at: "created_at", id: "id"}
	l.group, l.member = "post_id = k.value", "listed = 1"
	l.total = "(SELECT listed FROM comment_totals WHERE post_id = k.value)"
	c.byPost = l.prepare()
	l.member = "listed = 1 AND parent_id IS NULL"
	l.total = "(SELECT top FROM comment_totals WHERE post_id = k.value)"
	c.topLevel = l.prepare()
	l.group, l.member = "parent_id = k.value", "listed = 1"
	l.total = "(SELECT replies FROM comments WHERE id = k.value)"
	c.replies = l.prepare()
	l.group, l.member = "author_id = k.value", "author_id IS NOT NULL"
	l.total = "(SELECT live FROM comment_author_totals WHERE author_id = k.value)"
	c.author = l.prepare()
	return c
}

func (c *comments) routes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/comments", read: c.read},
		{method: http.MethodGet, pattern: "/comments/by-post", read: c.readByPost},
		{method: http.MethodGet, pattern: "/comments/replies", read: c.readGroups("parentIds", c.replies)},
		{method: http.MethodGet, pattern: "/comments/by-author", read: c.readGroups("authorIds", c.author)},
		{method: http.MethodGet, pattern: "/comments/counts", read: c.count},
		{method: http.MethodPost, pattern: "/comments", write: c.create, body: jsonBody},
		{method: http.MethodPatch, pattern: "/comments/{id}", write: c.update, body: patchBody, ifMatch: matchRequired},
		{method: http.MethodDelete, pattern: "/comments/{id}", write: c.delete, ifMatch: matchOptional},
		{method: http.MethodPost, pattern: "/comments/{id}/restore", write: c.restore},
		{method: http.MethodPost, pattern: "/comments/by-author/{id}/anonymise", write: c.anonymiseAll, bulk: true},
		{method: http.MethodPost, pattern: "/comments/by-author/{id}/restore", write: c.restoreAll, bulk: true},
		{method: http.MethodPost, pattern: "/comments/by-author/{id}/transfer", write: c.transferAll, bulk: true, body: jsonBody},
		{method: http.MethodPost, pattern: "/comments/by-author/{id}/purge", write: c.purgeAll, bulk: true, erases: true},
	}
}

func (c *comments) read(ctx context.Context, q params, out *stream) error {
	ids, err := q.required("ids")
	if err != nil {
		return err
	}
	return out.batch(ctx, c.store.read, "SELECT doc FROM comments WHERE id IN (SELECT value FROM json_each(?))", jsonKeys(ids))
}

func (c *comments) readByPost(ctx context.Context, q params, out *stream) error {
	top, err := q.flag("topLevel")
	if err != nil {
		return err
	}
	if top {
		return c.readGroups("postIds", c.topLevel)(ctx, q, out)
	}
	return c.readGroups("postIds", c.byPost)(ctx, q, out)
}

// readGroups answers the windows of one kind of list, whose keys a parameter names.
func (c *comments) readGroups(parameter string, l *listing) func(context.Context, params, *stream) error {
	return func(ctx context.Context, q params, out *stream) error {
		return readGroups(ctx, q, out, c.store.read, parameter, l)
	}
}

func (c *comments) count(ctx context.Context, q params, out *stream) error {
	posts, byPost, err := q.list("postIds", validID)
	if err != nil {
		return err
	}
	authors, byAuthor, err := q.list("authorIds", validID)
	if err != nil {
		return err
	}
	if byPost == byAuthor {
		return badRequest("one of postIds and authorIds is required, and not both")
	}
	if byPost {
		return out.counts(ctx, c.store.read,
			"SELECT k.value, coalesce((SELECT live FROM comment_totals WHERE post_id = k.value), 0) FROM json_each(?) k", posts)
	}
	return out.counts(ctx, c.store.read,
		"SELECT k.value, coalesce((SELECT live FROM comment_author_totals WHERE author_id = k.value), 0) FROM json_each(?) k", authors)
}
