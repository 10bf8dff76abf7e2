package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

func (s *inspection) commentEntity() entity {
	return entity{
		collection: "/comments", schema: "Comment", batch: commentBatch(), tombstone: true,
		fresh: func() map[string]any {
			return map[string]any{
				"postId": s.postName("post"), "authorId": s.name("author"),
				"body": fmt.Sprintf("Doctor's check %d, soon taken away again.", s.serial()),
			}
		},
		change: map[string]any{"body": "Doctor's check, changed"},
		lists:  []place{{ep: commentsByPost(), key: "postId"}, {ep: commentsByAuthor(), key: "authorId"}},
		refused: []refusal{
			{member: "postId", codes: []string{"REQUIRED"}},
			{member: "authorId", codes: []string{"REQUIRED"}},
			{member: "body", codes: []string{"REQUIRED"}},
			{member: "postId", value: "no id", codes: []string{"INVALID"}},
			{member: "body", value: "", codes: []string{"TOO_SHORT", "REQUIRED"}, patch: true},
			{member: "body", value: strings.Repeat("ñ", 5001), codes: []string{"TOO_LONG"}, patch: true},
			{member: "parentId", value: unknownID(0), codes: []string{"INVALID"}},
		},
	}
}

// postName makes up the id of a post and remembers it for the end.
func (s *inspection) postName(suffix string) string {
	name := "doctor-" + s.run + "-" + suffix
	s.ledger.posts = append(s.ledger.posts, name)
	return name
}

// commentFixtures makes comments on two posts, with replies and a tombstone; it returns the posts' and authors' ids.
func (s *inspection) commentFixtures(ctx context.Context) (posts, authors []string) {
	if !s.write || s.dead != "" {
		return nil, nil
	}
	e := s.commentEntity()
	posts = []string{s.postName("thread"), s.postName("aside")}
	authors = []string{s.name("first"), s.name("second")}
	var made []item
	for n := range 12 {
		body := e.fresh()
		body["postId"], body["authorId"] = posts[n/9], authors[n%2]
		if n >= 4 && n < 9 {
			body["parentId"] = made[n/8].id // four replies to the first comment, one to the second
		}
		it, err := s.made(ctx, e, body)
		if err != nil {
			return posts, authors // the checks of the creation say why
		}
		made = append(made, it)
	}
	_, _ = s.apply(ctx, s.deleteComment(made[1].id), http.StatusNoContent) // the checks of the delete say why not
	return posts, authors
}

func (s *inspection) deleteComment(id string) request {
	return s.change("delete", http.MethodDelete, "/comments/"+id, "", nil, nil)
}

func (s *inspection) commentWrites(ctx context.Context) {
	e := s.commentEntity()
	s.declareWrites("create", "patch", "restore", "bulk")
	s.creating(ctx, e)
	s.parents(ctx, e)
	s.patching(ctx, e)
	s.removing(ctx, e)
	s.tombstones(ctx, e)
	s.repeating(ctx, e)
	s.bulks(ctx, s.commentBulk(e))
}

// parents checks which comments can be replied to.
func (s *inspection) parents(ctx context.Context, e entity) {
	reply := func(parent item, post string) request {
		body := without(e.fresh(), "parentId", parent.id)
		body["postId"] = post
		return s.change("create", http.MethodPost, e.collection, e.schema, body, nil)
	}
	refused := refusal{member: "parentId", value: map[string]any{}, codes: []string{"INVALID"}}
	s.writing(ctx, "create.reply", func(ctx context.Context) error {
		parent, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		ans, err := s.apply(ctx, reply(parent, parent.text("postId")), http.StatusCreated)
		if err != nil {
			return err
		}
		there, err := s.stands(ctx, commentReplies(), parent.id, entityOf(ans), nil)
		if err == nil && !there {
			err = sawInstead("", "the reply under its parent", "it is not there")
		}
		return err
	})
	s.writing(ctx, "create.parent-of-another-post", func(ctx context.Context) error {
		parent, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		return s.invalid(ctx, reply(parent, s.postName("other")), refused)
	})
	s.writing(ctx, "create.parent-deleted", func(ctx context.Context) error {
		parent, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, s.deleteComment(parent.id), http.StatusNoContent); err != nil {
			return err
		}
		return s.invalid(ctx, reply(parent, parent.text("postId")), refused)
	})
}

// tombstones checks that a deleted comment stays in lists just while it has replies.
func (s *inspection) tombstones(ctx context.Context, e entity) {
	byPost := commentsByPost()
	s.writing(ctx, "delete.with-replies", func(ctx context.Context) error {
		parent, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		body := without(e.fresh(), "parentId", parent.id)
		reply, err := s.made(ctx, e, body)
		if err != nil {
			return err
		}
		for _, c := range []struct {
			id   string
			want bool
			why  string
		}{{parent.id, true, "the deleted comment in the list, for it has a reply"}, {reply.id, false, "the deleted comment gone from the list, for its reply is deleted too"}} {
			if _, err := s.apply(ctx, s.deleteComment(c.id), http.StatusNoContent); err != nil {
				return err
			}
			there, err := s.stands(ctx, byPost, parent.text("postId"), parent, nil)
			if err != nil {
				return err
			}
			if there != c.want {
				return sawInstead("", c.why, "the opposite")
			}
		}
		return nil
	})
}

func (s *inspection) commentBulk(e entity) bulk {
	return bulk{
		base: "/comments/by-author/", verb: "anonymise", count: 3, stays: []string{"authorId", "status", "body", "postId", "parentId", "createdAt"},
		setup: func(ctx context.Context, who string) error {
			for range 3 {
				if _, err := s.made(ctx, e, without(e.fresh(), "authorId", who)); err != nil {
					return err
				}
			}
			return nil
		},
		state: func(ctx context.Context, who string) (map[string]item, error) {
			return s.underName(ctx, commentsByAuthor(), who)
		},
		taken: func(ctx context.Context, before, after map[string]item) error {
			if len(after) != 0 {
				return sawInstead("", "nothing left under the name", "%s", plural(len(after), "comment"))
			}
			for id, was := range before {
				now, err := s.current(ctx, e, id)
				if err != nil {
					return err
				}
				if now.members["authorId"] != nil || now.text("body") != was.text("body") {
					return sawInstead("", id+" without an author and with its body", "author %s, body %s", quote(now.text("authorId")), quote(now.text("body")))
				}
			}
			return nil
		},
	}
}
