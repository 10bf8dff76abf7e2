package demo

import "context"

// anonymiseAll takes the name off the comments of an author. Deleted comments have lost it already.
func (c *comments) anonymiseAll(ctx context.Context, w *writing) (answer, error) {
	return c.each(ctx, w, func(v *comment) error {
		if err := c.remember(ctx, w, v, v.AuthorID, "anonymise", *v.AuthorID, ""); err != nil {
			return err
		}
		return c.anonymise(ctx, w, v)
	})
}

func (c *comments) anonymise(ctx context.Context, w *writing, v *comment) error {
	before := *v
	v.AuthorID = nil
	return c.save(ctx, w, "comment.updated", &before, v)
}

// transferAll gives the comments of an author to another.
func (c *comments) transferAll(ctx context.Context, w *writing) (answer, error) {
	to, err := w.heir()
	if err != nil {
		return answer{}, err
	}
	return c.each(ctx, w, func(v *comment) error {
		if err := c.remember(ctx, w, v, v.AuthorID, "transfer", *v.AuthorID, to); err != nil {
			return err
		}
		before := *v
		v.AuthorID = &to
		return c.save(ctx, w, "comment.updated", &before, v)
	})
}

// each runs change on all comments of an author; change has to take them from the author.
func (c *comments) each(ctx context.Context, w *writing, change func(*comment) error) (answer, error) {
	for n := int64(0); ; {
		found, err := loadAll[comment](ctx, w, "SELECT doc FROM comments WHERE author_id = ? LIMIT ?", w.ids[0], bulkStep)
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

// restoreAll undoes what anonymise and transfer did to an author's comments, the latest step first. A comment that
// was deleted or given away again since keeps its undo data: it can be undone once it is back.
func (c *comments) restoreAll(ctx context.Context, w *writing) (answer, error) {
	var n int64
	for last := ""; ; {
		ids, err := column[string](ctx, w, `SELECT DISTINCT comment_id FROM comment_undo
			WHERE owner = ? AND comment_id > ? AND step <> 'delete' ORDER BY comment_id LIMIT ?`, w.ids[0], last, bulkStep)
		if err != nil {
			return answer{}, err
		}
		for _, id := range ids {
			undone, err := c.undo(ctx, w, id)
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

// undo takes back the steps that changed one comment for the author in the path; it returns 1 if that changed it.
func (c *comments) undo(ctx context.Context, w *writing, id string) (int64, error) {
	steps, err := loadAll[undoStep](ctx, w, `SELECT json_object('Seq', seq, 'Step', step, 'Prior', prior, 'Heir', heir)
		FROM comment_undo WHERE owner = ? AND comment_id = ? AND step <> 'delete' ORDER BY seq DESC`, w.ids[0], id)
	if err != nil {
		return 0, err
	}
	before, found, err := load[comment](ctx, w, "SELECT doc FROM comments WHERE id = ? AND status = 'published'", id)
	if err != nil || !found {
		return 0, err
	}
	after := before
	for _, s := range steps {
		left := &s.Heir // the author that the step left behind
		if s.Step == "anonymise" {
			left = nil
		}
		if !same(after.AuthorID, left) {
			break // given away again: that has to be undone first
		}
		after.AuthorID = &s.Prior
		if _, err := w.exec(ctx, "DELETE FROM comment_undo WHERE seq = ?", s.Seq); err != nil {
			return 0, err
		}
	}
	if same(after.AuthorID, before.AuthorID) {
		return 0, nil
	}
	return 1, c.save(ctx, w, "comment.restored", &before, &after)
}

// purgeAll erases for good who wrote an author's comments: those that still name the author lose the name as with
// anonymise, and the undo data goes, with the text of comments that were deleted.
func (c *comments) purgeAll(ctx context.Context, w *writing) (answer, error) {
	const concerned = `SELECT id FROM comments WHERE author_id = ?1 UNION SELECT comment_id FROM comment_undo WHERE owner = ?1`
	n, err := column[int64](ctx, w, "SELECT count(*) FROM ("+concerned+")", w.ids[0])
	if err != nil {
		return answer{}, err
	}
	if err := w.redactAll(ctx, "SELECT 'comment/' || id FROM ("+concerned+")", w.ids[0]); err != nil {
		return answer{}, err
	}
	if _, err := c.each(ctx, w, func(v *comment) error { return c.anonymise(ctx, w, v) }); err != nil {
		return answer{}, err
	}
	_, err = w.exec(ctx, `DELETE FROM comment_undo WHERE owner = ?1
		OR (step = 'delete' AND comment_id IN (SELECT comment_id FROM comment_undo WHERE owner = ?1))`, w.ids[0])
	return affected(n[0]), err
}
