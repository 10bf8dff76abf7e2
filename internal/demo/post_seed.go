package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

func seedPosts(ctx context.Context, tx *sql.Tx, people *population) error {
	rows := loader{tx: tx, into: "posts (id, author_id, status, created_at, version, doc)"}
	for i, s := range people.posts {
		w := writer{dice: throw("post", i), topic: topicOf(i)}
		p := post{
			ID: fmt.Sprintf("p%d", i+1), AuthorID: fmt.Sprintf("u%d", s.author+1), Status: postPublished, PublishedAt: &s.at,
			CreatedAt: s.at, UpdatedAt: s.at, Version: 1,
		}
		if s.draft {
			p.Status, p.PublishedAt = postDraft, nil
		}
		p.Title = w.fill(pick(w.dice, titleForms[:]))
		var paragraphs []string
		for range 1 + w.dice.below(2) {
			paragraphs = append(paragraphs, w.sentences(postForms[:], 2+int(w.dice.below(3))))
		}
		p.Body = strings.Join(paragraphs, "\n\n")
		if err := rows.add(ctx, p.ID, p.AuthorID, p.Status, int64(s.at), p.Version, p.doc()); err != nil {
			return err
		}
	}
	return rows.flush(ctx)
}
