package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *inspection) postEntity() entity {
	return entity{
		collection: "/posts", schema: "Post", batch: postBatch(), query: author(),
		fresh: func() map[string]any {
			return map[string]any{
				"authorId": s.name("author"), "title": fmt.Sprintf("Doctor's check %d", s.serial()),
				"body": "Made by tributary doctor, which takes it away again.", "status": "published",
			}
		},
		change: map[string]any{"title": "Doctor's check, changed"},
		lists:  []place{{ep: postList()}, {ep: postsByAuthor(), key: "authorId"}},
		refused: []refusal{
			{member: "authorId", codes: []string{"REQUIRED"}},
			{member: "title", codes: []string{"REQUIRED"}},
			{member: "body", codes: []string{"REQUIRED"}},
			{member: "authorId", value: "no id", codes: []string{"INVALID"}},
			{member: "title", value: "", codes: []string{"TOO_SHORT", "REQUIRED"}, patch: true},
			{member: "title", value: strings.Repeat("ñ", 201), codes: []string{"TOO_LONG"}, patch: true},
			{member: "body", value: strings.Repeat("b", 20_001), codes: []string{"TOO_LONG"}, patch: true},
			{member: "status", value: "hidden", codes: []string{"INVALID"}, patch: true},
		},
	}
}

// postFixtures makes two authors with posts to page through, one with drafts too; it returns their ids.
func (s *inspection) postFixtures(ctx context.Context) []string {
	if !s.write || s.dead != "" {
		return nil
	}
	e := s.postEntity()
	first, second := s.name("first"), s.name("second")
	for n := range 13 {
		body := without(e.fresh(), "authorId", first)
		if n%4 == 3 {
			body["authorId"] = second
		}
		if n%6 == 5 {
			delete(body, "status")
		}
		if _, err := s.made(ctx, e, body); err != nil {
			break // the checks of the creation say why
		}
	}
	return []string{first, second}
}

func (s *inspection) postWrites(ctx context.Context) {
	e := s.postEntity()
	s.declareWrites("create", "patch", "restore", "bulk")
	s.creating(ctx, e)
	s.patching(ctx, e)
	s.drafting(ctx, e)
	s.removing(ctx, e)
	s.repeating(ctx, e)
	s.bulks(ctx, s.postBulk(e))
}

// drafting checks how a draft is made, hidden from the public, published, and never taken back.
func (s *inspection) drafting(ctx context.Context, e entity) {
	var draft item
	s.writing(ctx, "create.draft-by-default", func(ctx context.Context) error {
		it, err := s.made(ctx, e, without(e.fresh(), "status", nil))
		if err != nil {
			return err
		}
		if got := it.text("status"); got != "draft" {
			return sawInstead("", "a draft", "status %s", quote(got))
		}
		draft = it
		if err := s.inLists(ctx, e, it, false); err != nil {
			return err
		}
		return s.amount(ctx, e.batch, []string{it.id}, 0, nil)
	})
	made := func(ctx context.Context) (item, error) {
		if draft.id == "" {
			return item{}, skip("no draft could be made")
		}
		return s.current(ctx, e, draft.id)
	}
	s.writing(ctx, "patch.publishes", on(made, func(ctx context.Context, it item) error {
		ans, err := s.apply(ctx, s.patch(e, it, map[string]any{"status": "published"}, ifMatch(it.version())), http.StatusOK)
		if err != nil {
			return err
		}
		it = entityOf(ans)
		if it.text("status") != "published" || it.text("publishedAt") == "" {
			return sawInstead("", "status published and a publishedAt", "status %s, publishedAt %s", quote(it.text("status")), quote(it.text("publishedAt")))
		}
		return s.inLists(ctx, e, it, true)
	}))
	s.writing(ctx, "patch.publishes-for-good", s.behind("patch.publishes", on(made, func(ctx context.Context, it item) error {
		r := s.patch(e, it, map[string]any{"status": "draft"}, ifMatch(it.version()))
		_, err := s.apply(ctx, r, http.StatusUnprocessableEntity, http.StatusConflict)
		return err
	})))
}

func (s *inspection) postBulk(e entity) bulk {
	return bulk{
		base: "/posts/by-author/", verb: "hide", count: 3, stays: []string{"authorId", "status", "publishedAt", "title", "body", "createdAt"},
		setup: func(ctx context.Context, who string) error {
			for n := range 3 {
				body := without(e.fresh(), "authorId", who)
				body["status"] = []string{"published", "draft"}[n%2]
				if _, err := s.made(ctx, e, body); err != nil {
					return err
				}
			}
			return nil
		},
		state: func(ctx context.Context, who string) (map[string]item, error) {
			return s.underName(ctx, postsByAuthor(), who)
		},
		taken: func(ctx context.Context, before, after map[string]item) error {
			if len(after) != len(before) {
				return sawInstead("", "all "+strconv.Itoa(len(before))+" posts, hidden", "%d", len(after))
			}
			for id, it := range after {
				if got := it.text("status"); got != "hidden" {
					return sawInstead("", id+" hidden", "status %s", quote(got))
				}
			}
			return s.amount(ctx, e.batch, slices.Collect(maps.Keys(after)), 0, nil)
		},
	}
}
