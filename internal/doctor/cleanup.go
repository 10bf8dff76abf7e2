package doctor

import (
	"context"
	"net/http"
	"slices"
)

// cleanup takes away what the run wrote and says what it could not. It runs with a context of its own, so that an
// interrupted run cleans up too.
func (s *inspection) cleanup(ctx context.Context) {
	if !s.ledger.wrote {
		return
	}
	s.trouble, s.dead, s.fatal = 0, "", nil
	clear(s.failures)
	s.check(ctx, "cleanup", func(ctx context.Context) error {
		var left []string
		switch s.service {
		case "user":
			left = s.cleanEntities(ctx, s.userEntity(), s.purgeUser)
		case "comment":
			left = append(s.cleanEntities(ctx, s.commentEntity(), s.removeComment), s.purgeNames(ctx, "/comments/by-author/")...)
		case "post":
			left = append(s.purgeNames(ctx, "/posts/by-author/"), s.cleanEntities(ctx, s.postEntity(), s.removed)...)
		default:
			left = s.purgeNames(ctx, "/users/")
		}
		if len(left) > 0 {
			return sawInstead("", "everything that was written to be taken away again", "this left: %s", listed(left))
		}
		return nil
	})
}

// cleanEntities takes entities away by id, those only that a read shows to be ours; it returns those that are left.
func (s *inspection) cleanEntities(ctx context.Context, e entity, remove func(context.Context, string) bool) []string {
	var left []string
	for _, id := range slices.Clone(s.ledger.doubt) {
		items, err := s.batch(ctx, e.batch, []string{id}, e.query)
		switch {
		case err != nil:
			left = append(left, id+" (perhaps)")
		case len(items) == 1 && s.ours(items[0]):
			s.own(id)
		case len(items) == 1:
			left = append(left, id)
		}
	}
	for _, id := range s.ledger.made {
		if !remove(ctx, id) {
			left = append(left, id)
		}
	}
	return left
}

func (s *inspection) purgeUser(ctx context.Context, id string) bool {
	purge := s.change("purge", http.MethodPost, "/users/"+id+"/purge", "", nil, nil)
	if _, err := s.apply(ctx, purge, http.StatusNoContent, http.StatusNotFound); err == nil {
		return true
	}
	remove := s.change("delete", http.MethodDelete, "/users/"+id, "", nil, nil)
	_, _ = s.apply(ctx, remove, http.StatusNoContent, http.StatusNotFound) // out of sight at least
	return false
}

// removeComment deletes a comment. Its tombstone stays readable by id: the contract has no way to take that away.
func (s *inspection) removeComment(ctx context.Context, id string) bool {
	s.remark = "the deleted comments can still be read by id, as the contract has it"
	_, err := s.apply(ctx, s.deleteComment(id), http.StatusNoContent, http.StatusNotFound)
	return err == nil
}

// removed says whether a post is gone, with its author's others.
func (s *inspection) removed(ctx context.Context, id string) bool {
	items, err := s.batch(ctx, postBatch(), []string{id}, author())
	return err == nil && len(items) == 0
}

// purgeNames erases what stands under made-up names; it returns those of them where that failed.
func (s *inspection) purgeNames(ctx context.Context, base string) []string {
	var left []string
	for _, name := range s.ledger.names {
		purge := s.change("bulk", http.MethodPost, base+name+"/purge", "Affected", nil, nil)
		if _, err := s.apply(ctx, purge, http.StatusOK); err != nil {
			left = append(left, name)
		}
	}
	return left
}
