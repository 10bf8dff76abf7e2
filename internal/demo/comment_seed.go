package demo

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

func seedComments(ctx context.Context, tx *sql.Tx, people *population) error {
	rows := loader{tx: tx, into: "comments (id, post_id, parent_id, author_id, status, created_at, version, replies, doc)"}
	for i, s := range people.comments {
		w := writer{dice: throw("comment", i), topic: topicOf(s.post)}
		c := comment{
			ID: fmt.Sprintf("c%d", i+1), PostID: fmt.Sprintf("p%d", s.post+1), Status: commentPublished,
			CreatedAt: s.at, UpdatedAt: s.at, Version: 1,
		}
		if s.author >= 0 {
			author := fmt.Sprintf("u%d", s.author+1)
			c.AuthorID = &author
		}
		forms := commentForms[:]
		if s.parent >= 0 {
			parent := fmt.Sprintf("c%d", s.parent+1)
			c.ParentID, forms = &parent, replyForms[:]
		}
		if c.Body = w.sentences(forms, 1+int(w.dice.below(2))); s.deleted {
			c.Body, c.Status = "", commentDeleted
		}
		if s.author < 0 { // deleted, or its name taken off, an hour later
			c.UpdatedAt, c.Version = s.at+stamp(time.Hour), 2
		}
		// A deleted comment was chosen because it has replies: all stand in lists.
		if err := rows.add(ctx, c.ID, c.PostID, c.ParentID, c.AuthorID, c.Status, int64(s.at), c.Version, s.replies, c.doc()); err != nil {
			return err
		}
	}
	return rows.flush(ctx)
}
