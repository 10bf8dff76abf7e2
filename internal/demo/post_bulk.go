package demo

import (
	"context"
	"fmt"
)

// bulkStep is how many entities a bulk write holds in memory at a time.
const bulkStep = 200

// heir reads the body of a transfer.
func (w *writing) heir() (string, error) {
	c := w.checker()
	c.only("to")
	to := c.id("to")
	if len(c.errs) == 0 && to == w.ids[0] {
		c.fail("to", "INVALID", "must be another one")
	}
	return to, c.err()
}

// hideAll hides the posts of an author, drafts too, and remembers what each was.
func (p *posts) hideAll(ctx context.Context, w *writing) (answer, error) {
	const those = "SELECT doc FROM posts WHERE author_id = ? AND deleted = 0 AND status <> 'hidden' LIMIT ?"
	return p.each(ctx, w, those, func(v *post) error {
		if err := p.remember(ctx, w, v, "hide", v.Status, ""); err != nil {
			return err
		}
		before := *v
		v.Status = postHidden
		return p.save(ctx, w, "post.hidden", &before, v)
	})
}

// transferAll gives the posts of an author to another. Deleted posts stay where they are.
func (p *posts) transferAll(ctx context.Context, w *writing) (answer, error) {
	to, err := w.heir()
	if err != nil {
		return answer{}, err
	}
	const those = "SELECT doc FROM posts WHERE author_id = ? AND deleted = 0 LIMIT ?"
	return p.each(ctx, w, those, func(v *post) error {
		if err := p.remember(ctx, w, v, "transfer", v.AuthorID, to); err != nil {
			return err
		}
		before := *v
		v.AuthorID = to
		return p.save(ctx, w, "post.updated", &before, v)
	})
}

// each runs change on all posts that a query of (author, limit) finds, until it finds no more; change has to see to that.
func (p *posts) each(ctx context.Context, w *writing, those string, change func(*post) error) (answer, error) {
	for n := int64(0); ; {
		found, err := loadAll[post](ctx, w, those, w.ids[0], bulkStep)
		if err != nil {
			return answer{}, err
		}
		for i := range found {
			if err := change(&found[i]); err != nil {
				return answer{}, err
			}
		}
		if n += int64(len(found)); len(found) < bulkStep {
			w.subject = ""
			return affected(n), nil
		}
	}
}

func (p *posts) remember(ctx context.Context, w *writing, v *post, step, prior, heir string) error {
	_, err := w.exec(ctx, "INSERT INTO post_undo (post_id, owner, step, prior, heir) VALUES (?, ?, ?, ?, ?)",
		v.ID, w.ids[0], step, prior, heir)
	return err
}

// restoreAll undoes what hide and transfer did to an author's posts, the latest step first. A post that was deleted
// or given away again since keeps its undo data: it can be undone once it is back.
func (p *posts) restoreAll(ctx context.Context, w *writing) (answer, error) {
	var n int64
	for last := ""; ; {
		ids, err := column[string](ctx, w, "SELECT DISTINCT post_id FROM post_undo WHERE owner = ? AND post_id > ? ORDER BY post_id LIMIT ?",
			w.ids[0], last, bulkStep)
		if err != nil {
			return answer{}, err
		}
		for _, id := range ids {
			undone, err := p.undo(ctx, w, id)
			if err != nil {
				return answer{}, err
			}
			n += undone
		}
		if len(ids) < bulkStep {
			w.subject = ""
			return affected(n), nil
		}
		last = ids[len(ids)-1]
	}
}

// undoStep is one row of an undo table.
type undoStep struct {
	Seq               int64
	Step, Prior, Heir string
}

// undo takes back the steps that changed one post for the author in the path; it returns 1 if that changed it.
func (p *posts) undo(ctx context.Context, w *writing, id string) (int64, error) {
	steps, err := loadAll[undoStep](ctx, w, `SELECT json_object('Seq', seq, 'Step', step, 'Prior', prior, 'Heir', heir)
		FROM post_undo WHERE owner = ? AND post_id = ? ORDER BY seq DESC`, w.ids[0], id)
	if err != nil {
		return 0, err
	}
	before, found, err := load[post](ctx, w, "SELECT doc FROM posts WHERE id = ? AND deleted = 0", id)
	if err != nil || !found {
		return 0, err
	}
	after := before
	for _, s := range steps {
		if s.Step == "transfer" && after.AuthorID != s.Heir {
			break // given away again: that has to be undone first
		}
		switch s.Step {
		case "transfer":
			after.AuthorID = s.Prior
		case "hide":
			after.Status = s.Prior
		default:
			return 0, fmt.Errorf("unknown undo step %q", s.Step)
		}
		if _, err := w.exec(ctx, "DELETE FROM post_undo WHERE seq = ?", s.Seq); err != nil {
			return 0, err
		}
	}
	if after == before {
		return 0, nil
	}
	return 1, p.save(ctx, w, "post.restored", &before, &after)
}

// purgeAll erases the posts of an author, whatever their state, and the undo data of those that were given away.
func (p *posts) purgeAll(ctx context.Context, w *writing) (answer, error) {
	var n int64
	for {
		found, err := loadAll[post](ctx, w, "SELECT doc FROM posts WHERE author_id = ? LIMIT ?", w.ids[0], bulkStep)
		if err != nil {
			return answer{}, err
		}
		for i := range found {
			if err := p.erase(ctx, w, &found[i]); err != nil {
				return answer{}, err
			}
		}
		if n += int64(len(found)); len(found) < bulkStep {
			break
		}
	}
	given, err := column[int64](ctx, w, "SELECT count(DISTINCT post_id) FROM post_undo WHERE owner = ?", w.ids[0])
	if err != nil {
		return answer{}, err
	}
	w.subject = ""
	_, err = w.exec(ctx, "DELETE FROM post_undo WHERE owner = ?", w.ids[0])
	return affected(n + given[0]), err
}

func (p *posts) erase(ctx context.Context, w *writing, v *post) error {
	if err := w.redact(ctx, "post/"+v.ID); err != nil {
		return err
	}
	live, err := column[bool](ctx, w, "SELECT deleted = 0 FROM posts WHERE id = ?", v.ID)
	if err != nil {
		return err
	}
	if live[0] {
		if err := p.save(ctx, w, "post.deleted", v, v); err != nil {
			return err
		}
	}
	if _, err := w.exec(ctx, "DELETE FROM post_undo WHERE post_id = ?", v.ID); err != nil {
		return err
	}
	_, err = w.exec(ctx, "DELETE FROM posts WHERE id = ?", v.ID)
	return err
}
