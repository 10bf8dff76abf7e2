package demo

import (
	"context"
	"encoding/json"
	"net/http"
)

func (c *comments) create(ctx context.Context, w *writing) (answer, error) {
	k := w.checker()
	k.only("postId", "parentId", "authorId", "body")
	v := &comment{ID: newID(), Status: commentPublished, CreatedAt: w.now}
	v.PostID, v.ParentID = k.id("postId"), k.optionalID("parentId")
	author := k.id("authorId")
	v.AuthorID, v.Body = &author, k.text("body", 1, 5000)
	if v.ParentID != nil && validID(*v.ParentID) {
		parents, err := column[string](ctx, w, "SELECT status || '/' || post_id FROM comments WHERE id = ?", *v.ParentID)
		if err != nil {
			return answer{}, err
		}
		if len(parents) == 0 || parents[0] != commentPublished+"/"+v.PostID {
			k.fail("parentId", "INVALID", "must be a comment on the same post that is not deleted")
		}
	}
	if err := k.err(); err != nil {
		return answer{}, err
	}
	if err := c.save(ctx, w, "comment.created", nil, v); err != nil {
		return answer{}, err
	}
	return created(v.doc(), v.Version, "/comments/"+v.ID), nil
}

func (c *comments) update(ctx context.Context, w *writing) (answer, error) {
	before, err := c.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	after, k := *before, w.checker()
	k.only("body")
	if k.has("body") {
		after.Body = k.text("body", 1, 5000)
	}
	if err := k.err(); err != nil {
		return answer{}, err
	}
	if after.Body != before.Body {
		if err := c.save(ctx, w, "comment.updated", before, &after); err != nil {
			return answer{}, err
		}
	}
	return entityAnswer(http.StatusOK, after.doc(), after.Version), nil
}

// delete leaves a tombstone and keeps what it took, to restore it.
func (c *comments) delete(ctx context.Context, w *writing) (answer, error) {
	before, err := c.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	taken, err := json.Marshal(before.Body)
	if err != nil {
		return answer{}, err
	}
	if err := c.remember(ctx, w, before, before.AuthorID, "delete", string(taken), ""); err != nil {
		return answer{}, err
	}
	after := *before
	after.AuthorID, after.Body, after.Status = nil, "", commentDeleted
	return answer{status: http.StatusNoContent}, c.save(ctx, w, "comment.deleted", before, &after)
}

// restore undoes a delete.
func (c *comments) restore(ctx context.Context, w *writing) (answer, error) {
	w.subject = "comment/" + w.ids[0]
	before, found, err := load[comment](ctx, w, "SELECT doc FROM comments WHERE id = ?", w.ids[0])
	if err != nil || !found {
		return answer{}, orNotFound(err)
	}
	type taken struct {
		Owner *string
		Body  string
	}
	kept, found, err := load[taken](ctx, w, `SELECT json_object('Owner', owner, 'Body', json(prior)) FROM comment_undo
		WHERE comment_id = ? AND step = 'delete'`, before.ID)
	if err != nil {
		return answer{}, err
	}
	if before.Status != commentDeleted {
		return answer{}, conflict("the comment is not deleted")
	}
	if !found {
		return answer{}, conflict("what the comment said was erased")
	}
	after := before
	after.AuthorID, after.Body, after.Status = kept.Owner, kept.Body, commentPublished
	if _, err := w.exec(ctx, "DELETE FROM comment_undo WHERE comment_id = ? AND step = 'delete'", before.ID); err != nil {
		return answer{}, err
	}
	if err := c.save(ctx, w, "comment.restored", &before, &after); err != nil {
		return answer{}, err
	}
	return entityAnswer(http.StatusOK, after.doc(), after.Version), nil
}

// find loads the comment that the path names, unless it is deleted, and compares its version with If-Match.
func (c *comments) find(ctx context.Context, w *writing) (*comment, error) {
	w.subject = "comment/" + w.ids[0]
	v, found, err := load[comment](ctx, w, "SELECT doc FROM comments WHERE id = ? AND status = 'published'", w.ids[0])
	if err != nil || !found {
		return nil, orNotFound(err)
	}
	return &v, w.match(v.Version)
}

func (c *comments) remember(ctx context.Context, w *writing, v *comment, owner *string, step, prior, heir string) error {
	_, err := w.exec(ctx, "INSERT INTO comment_undo (comment_id, owner, step, prior, heir) VALUES (?, ?, ?, ?, ?)",
		v.ID, owner, step, prior, heir)
	return err
}

// save writes the next version of a comment, the first where before is nil, with its event.
func (c *comments) save(ctx context.Context, w *writing, kind string, before, after *comment) (err error) {
	e := event{kind: kind, subject: "comment/" + after.ID}
	refs := names{"id": &after.ID, "postId": &after.PostID, "parentId": after.ParentID, "authorId": after.AuthorID}
	old := ""
	if before != nil {
		old = before.doc()
		if kind == "comment.deleted" {
			refs["authorId"] = before.AuthorID
		} else if before.Status == commentPublished && !same(before.AuthorID, after.AuthorID) {
			refs["previousAuthorId"] = before.AuthorID
		}
	}
	after.Version++
	after.UpdatedAt = w.now
	doc := after.doc()
	switch kind {
	case "comment.created", "comment.restored":
		e.data, err = refs.full(doc)
	case "comment.deleted":
		e.data = refs.json()
	default:
		e.data, err = refs.patch(old, doc)
	}
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, `INSERT INTO comments (id, post_id, parent_id, author_id, status, created_at, version, listed, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (id) DO UPDATE SET author_id = excluded.author_id, status = excluded.status,
			version = excluded.version, doc = excluded.doc`,
		after.ID, after.PostID, after.ParentID, after.AuthorID, after.Status, int64(after.CreatedAt), after.Version, doc)
	if err != nil {
		return err
	}
	if err := c.list(ctx, w, after.ID); err != nil {
		return err
	}
	e.version, e.before, w.subject = after.Version, old, e.subject
	return w.emit(ctx, e)
}

// same compares two optional values.
func same(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// list puts a comment into lists, or takes it out of them, as its state demands, and goes on with its parent as long
// as that changes something: a deleted parent stands in lists only while it has replies there.
func (c *comments) list(ctx context.Context, w *writing, id string) error {
	for id != "" {
		type move struct {
			Parent string
			Step   int
		}
		moved, found, err := load[move](ctx, w, `SELECT json_object('Parent', coalesce(parent_id, ''), 'Step', CASE listed WHEN 1 THEN -1 ELSE 1 END)
			FROM comments WHERE id = ? AND listed <> (status = 'published' OR replies > 0)`, id)
		if err != nil || !found {
			return err
		}
		if _, err := w.exec(ctx, "UPDATE comments SET listed = NOT listed WHERE id = ?", id); err != nil {
			return err
		}
		id = moved.Parent
		if _, err := w.exec(ctx, "UPDATE comments SET replies = replies + ? WHERE id = ?", moved.Step, id); err != nil {
			return err
		}
	}
	return nil
}
