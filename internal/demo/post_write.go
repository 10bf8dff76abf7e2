package demo

import (
	"context"
	"net/http"
)

func (p *posts) create(ctx context.Context, w *writing) (answer, error) {
	c := w.checker()
	c.only("authorId", "title", "body", "status")
	v := &post{ID: newID(), Status: postDraft, CreatedAt: w.now}
	v.AuthorID = c.id("authorId")
	v.readText(c, true)
	if c.has("status") {
		v.Status = c.oneOf("status", postDraft, postPublished)
	}
	if v.Status == postPublished {
		v.PublishedAt = &w.now
	}
	if err := c.err(); err != nil {
		return answer{}, err
	}
	if err := p.save(ctx, w, "post.created", nil, v); err != nil {
		return answer{}, err
	}
	return created(v.doc(), v.Version, "/posts/"+v.ID), nil
}

// readText takes title and body over, those that a body names or, with all, both.
func (v *post) readText(c *checker, all bool) {
	if all || c.has("title") {
		v.Title = c.text("title", 1, 200)
	}
	if all || c.has("body") {
		v.Body = c.text("body", 1, 20_000)
	}
}

func (p *posts) update(ctx context.Context, w *writing) (answer, error) {
	before, err := p.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	after, kind, c := *before, "post.updated", w.checker()
	c.only("title", "body", "status")
	after.readText(c, false)
	if c.has("status") {
		after.Status = c.oneOf("status", postDraft, postPublished)
	}
	if len(c.errs) == 0 && after.Status != before.Status {
		if before.Status != postDraft {
			c.fail("status", "INVALID", "can go from draft to published only")
		}
		kind, after.PublishedAt = "post.published", &w.now
	}
	if err := c.err(); err != nil {
		return answer{}, err
	}
	if before.doc() != after.doc() {
		if err := p.save(ctx, w, kind, before, &after); err != nil {
			return answer{}, err
		}
	}
	return entityAnswer(http.StatusOK, after.doc(), after.Version), nil
}

func (p *posts) delete(ctx context.Context, w *writing) (answer, error) {
	v, err := p.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, p.save(ctx, w, "post.deleted", v, v)
}

// restore undoes a delete.
func (p *posts) restore(ctx context.Context, w *writing) (answer, error) {
	w.subject = "post/" + w.ids[0]
	v, found, err := load[post](ctx, w, "SELECT doc FROM posts WHERE id = ?", w.ids[0])
	if err != nil || !found {
		return answer{}, orNotFound(err)
	}
	live, err := column[bool](ctx, w, "SELECT deleted = 0 FROM posts WHERE id = ?", v.ID)
	if err != nil {
		return answer{}, err
	}
	if live[0] {
		return answer{}, conflict("the post is not deleted")
	}
	if err := p.save(ctx, w, "post.restored", &v, &v); err != nil {
		return answer{}, err
	}
	return entityAnswer(http.StatusOK, v.doc(), v.Version), nil
}

// find loads the post that the path names and compares its version with If-Match.
func (p *posts) find(ctx context.Context, w *writing) (*post, error) {
	w.subject = "post/" + w.ids[0]
	v, found, err := load[post](ctx, w, "SELECT doc FROM posts WHERE id = ? AND deleted = 0", w.ids[0])
	if err != nil || !found {
		return nil, orNotFound(err)
	}
	return &v, w.match(v.Version)
}

// save writes the next version of a post, the first where before is nil, with its event.
func (p *posts) save(ctx context.Context, w *writing, kind string, before, after *post) (err error) {
	e := event{kind: kind, subject: "post/" + after.ID}
	refs, old := names{"id": &after.ID, "authorId": &after.AuthorID}, ""
	if before != nil {
		old = before.doc()
		if before.AuthorID != after.AuthorID {
			refs["previousAuthorId"] = &before.AuthorID
		}
	}
	after.Version++
	after.UpdatedAt = w.now
	doc := after.doc()
	switch kind {
	case "post.created", "post.restored":
		e.data, err = refs.full(doc)
	case "post.deleted":
		e.data = refs.json()
	default:
		e.data, err = refs.patch(old, doc)
	}
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, `INSERT INTO posts (id, author_id, status, deleted, created_at, version, doc) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id, status = excluded.status, deleted = excluded.deleted,
			version = excluded.version, doc = excluded.doc`,
		after.ID, after.AuthorID, after.Status, kind == "post.deleted", int64(after.CreatedAt), after.Version, doc)
	if err != nil {
		return err
	}
	e.version, e.before, w.subject = after.Version, old, e.subject
	return w.emit(ctx, e)
}
