package demo

import (
	"context"
	"net/http"
	"strconv"
)

// post is a post as the API answers it.
type post struct {
	ID          string `json:"id"`
	AuthorID    string `json:"authorId"`
	Title       string `json:"title"`
	Body        string `json:"body"`
	Status      string `json:"status"`
	PublishedAt *stamp `json:"publishedAt"`
	CreatedAt   stamp  `json:"createdAt"`
	UpdatedAt   stamp  `json:"updatedAt"`
	Version     int64  `json:"version"`
}

const (
	postDraft     = "draft"
	postPublished = "published"
	postHidden    = "hidden"
)

func (p *post) doc() string {
	b := make([]byte, 0, len(p.Body)+len(p.Title)+320)
	b = appendMember(append(b, '{'), "id", p.ID)
	b = appendMember(b, "authorId", p.AuthorID)
	b = appendMember(b, "title", p.Title)
	b = appendMember(b, "body", p.Body)
	b = appendMember(b, "status", p.Status)
	if p.PublishedAt == nil {
		b = append(b, `"publishedAt":null,`...)
	} else {
		b = appendTime(b, "publishedAt", *p.PublishedAt)
	}
	b = appendTime(b, "createdAt", p.CreatedAt)
	b = appendTime(b, "updatedAt", p.UpdatedAt)
	return string(append(strconv.AppendInt(appendName(b, "version"), p.Version, 10), '}'))
}

// postTables: a deleted post keeps its row until it is purged. post_undo remembers what bulk writes changed, for
// whom (owner) and from what (prior), and for transfers to whom (heir). The empty author in post_totals is all authors.
const postTables = `
CREATE TABLE IF NOT EXISTS posts (
	id         TEXT PRIMARY KEY,
	author_id  TEXT NOT NULL,
	status     TEXT NOT NULL,
	deleted    INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	version    INTEGER NOT NULL,
	doc        TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS post_undo (
	seq     INTEGER PRIMARY KEY,
	post_id TEXT NOT NULL,
	owner   TEXT NOT NULL,
	step    TEXT NOT NULL,
	prior   TEXT NOT NULL,
	heir    TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS post_totals (
	author_id TEXT PRIMARY KEY,
	public    INTEGER NOT NULL,
	every     INTEGER NOT NULL
) WITHOUT ROWID;
`

const postIndexes = `
CREATE INDEX IF NOT EXISTS posts_public ON posts (created_at, id) WHERE status = 'published' AND deleted = 0;
CREATE INDEX IF NOT EXISTS posts_every ON posts (created_at, id) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS posts_public_by_author ON posts (author_id, created_at, id) WHERE status = 'published' AND deleted = 0;
CREATE INDEX IF NOT EXISTS posts_every_by_author ON posts (author_id, created_at, id) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS posts_by_author ON posts (author_id);
CREATE INDEX IF NOT EXISTS post_undo_by_owner ON post_undo (owner, post_id);
CREATE INDEX IF NOT EXISTS post_undo_by_post ON post_undo (post_id);
`

const postTotals = `
DELETE FROM post_totals;
INSERT INTO post_totals SELECT author_id, sum(status = 'published'), count(*) FROM posts WHERE deleted = 0 GROUP BY author_id;
INSERT INTO post_totals SELECT '', count(*) FILTER (WHERE status = 'published'), count(*) FROM posts WHERE deleted = 0;
`

const postTriggers = `
CREATE TRIGGER IF NOT EXISTS posts_added AFTER INSERT ON posts WHEN NEW.deleted = 0 BEGIN
	INSERT INTO post_totals VALUES (NEW.author_id, NEW.status = 'published', 1), ('', NEW.status = 'published', 1)
	ON CONFLICT (author_id) DO UPDATE SET public = public + excluded.public, every = every + 1;
END;
CREATE TRIGGER IF NOT EXISTS posts_erased AFTER DELETE ON posts WHEN OLD.deleted = 0 BEGIN
	UPDATE post_totals SET public = public - (OLD.status = 'published'), every = every - 1 WHERE author_id IN (OLD.author_id, '');
	DELETE FROM post_totals WHERE author_id = OLD.author_id AND every = 0;
END;
CREATE TRIGGER IF NOT EXISTS posts_changed AFTER UPDATE OF author_id, status, deleted ON posts BEGIN
	UPDATE post_totals SET public = public - (OLD.status = 'published' AND OLD.deleted = 0), every = every - (OLD.deleted = 0)
	WHERE author_id IN (OLD.author_id, '');
	INSERT INTO post_totals SELECT author, NEW.status = 'published' AND NEW.deleted = 0, NEW.deleted = 0
	FROM (SELECT NEW.author_id AS author UNION ALL SELECT '') WHERE TRUE
	ON CONFLICT (author_id) DO UPDATE SET public = public + excluded.public, every = every + excluded.every;
	DELETE FROM post_totals WHERE author_id IN (OLD.author_id, NEW.author_id) AND every = 0;
END;
`

func postDefinition() *definition {
	return &definition{
		name: "post", table: "posts",
		tables: postTables, indexes: postIndexes, totals: postTotals, triggers: postTriggers,
		routes:  func(s *store) []route { return newPosts(s).routes() },
		seed:    seedPosts,
		imports: postImports(),
		events:  telling{prefix: "post/", live: "deleted = 0", changed: "post.updated", moved: "CASE WHEN m.author_id IS NOT s.author_id THEN m.author_id END"},
	}
}

// posts answers the post service's requests. The lists come in pairs: what the public sees, and what authors see.
type posts struct {
	store                 *store
	all, merged, byAuthor [2]*listing
}

func newPosts(s *store) *posts {
	p := &posts{store: s}
	for i, see := range []struct{ member, total string }{
		{member: "status = 'published' AND deleted = 0", total: "public"},
		{member: "deleted = 0", total: "every"},
	} {
		l := listing{table: "posts", at: "created_at", id: "id", member: see.member}
		l.group, l.total = "TRUE", "(SELECT "+see.total+" FROM post_totals WHERE author_id = '')"
		p.all[i] = l.prepare()
		l.group, l.total = "author_id = k.value", "(SELECT "+see.total+" FROM post_totals WHERE author_id = k.value)"
		p.byAuthor[i] = l.prepare()
		authors := "author_id IN (SELECT value FROM json_each(k.value))"
		l.group, l.total = authors, "(SELECT sum("+see.total+") FROM post_totals WHERE "+authors+")"
		p.merged[i] = l.prepare()
	}
	return p
}

func (p *posts) routes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/posts", read: p.read},
		{method: http.MethodGet, pattern: "/posts/by-author", read: p.readByAuthor},
		{method: http.MethodGet, pattern: "/posts/counts", read: p.count},
		{method: http.MethodPost, pattern: "/posts", write: p.create, body: jsonBody},
		{method: http.MethodPatch, pattern: "/posts/{id}", write: p.update, body: patchBody, ifMatch: matchRequired},
		{method: http.MethodDelete, pattern: "/posts/{id}", write: p.delete, ifMatch: matchOptional},
		{method: http.MethodPost, pattern: "/posts/{id}/restore", write: p.restore},
		{method: http.MethodPost, pattern: "/posts/by-author/{id}/hide", write: p.hideAll, bulk: true},
		{method: http.MethodPost, pattern: "/posts/by-author/{id}/restore", write: p.restoreAll, bulk: true},
		{method: http.MethodPost, pattern: "/posts/by-author/{id}/transfer", write: p.transferAll, bulk: true, body: jsonBody},
		{method: http.MethodPost, pattern: "/posts/by-author/{id}/purge", write: p.purgeAll, bulk: true, erases: true},
	}
}

// sight is the index of the list that a visibility names.
func sight(author bool) int {
	if author {
		return 1
	}
	return 0
}

// read answers posts by id, or one page of all authors' posts or of those of some.
func (p *posts) read(ctx context.Context, q params, out *stream) error {
	author, err := q.authorSees()
	if err != nil {
		return err
	}
	ids, byID, err := q.list("ids", validID)
	if err != nil {
		return err
	}
	authors, byAuthor, err := q.list("authorIds", validID)
	if err != nil {
		return err
	}
	if byID && byAuthor {
		return badRequest("ids and authorIds exclude each other")
	}
	if byID {
		return out.batch(ctx, p.store.read,
			"SELECT doc FROM posts WHERE id IN (SELECT value FROM json_each(?)) AND deleted = 0 AND (? OR status = 'published')",
			jsonKeys(ids), author)
	}
	w, err := q.window()
	if err != nil {
		return err
	}
	if byAuthor {
		return out.page(ctx, p.store.read, p.merged[sight(author)], "["+jsonKeys(authors)+"]", w)
	}
	return out.page(ctx, p.store.read, p.all[sight(author)], "[0]", w)
}

func (p *posts) readByAuthor(ctx context.Context, q params, out *stream) error {
	author, err := q.authorSees()
	if err != nil {
		return err
	}
	authors, err := q.required("authorIds")
	if err != nil {
		return err
	}
	w, err := q.window()
	if err != nil {
		return err
	}
	return out.groups(ctx, p.store.read, p.byAuthor[sight(author)], authors, w)
}

func (p *posts) count(ctx context.Context, q params, out *stream) error {
	author, err := q.authorSees()
	if err != nil {
		return err
	}
	authors, err := q.required("authorIds")
	if err != nil {
		return err
	}
	text := "SELECT k.value, coalesce((SELECT public FROM post_totals WHERE author_id = k.value), 0) FROM json_each(?) k"
	if author {
		text = "SELECT k.value, coalesce((SELECT every FROM post_totals WHERE author_id = k.value), 0) FROM json_each(?) k"
	}
	return out.counts(ctx, p.store.read, text, authors)
}
