package doctor

import (
	"context"
	"net/http"
	"strconv"
)

// removing runs the checks of an entity's delete and restore.
func (s *inspection) removing(ctx context.Context, e entity) {
	subject := s.subject(e)
	remove := func(id string, header map[string]string) request {
		return s.change("delete", http.MethodDelete, e.collection+"/"+id, "", nil, header)
	}
	restore := func(id string) request {
		return s.change("restore", http.MethodPost, e.collection+"/"+id+"/restore", e.schema, nil, nil)
	}
	s.writing(ctx, "delete.version-mismatch", func(ctx context.Context) error {
		it, err := subject(ctx)
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, remove(it.id, ifMatch(it.version()+7)), http.StatusPreconditionFailed); err != nil {
			return err
		}
		return s.inLists(ctx, e, it, true)
	})
	s.writing(ctx, "restore.conflict", func(ctx context.Context) error {
		it, err := subject(ctx)
		if err != nil {
			return err
		}
		_, err = s.apply(ctx, restore(it.id), http.StatusConflict)
		return err
	})
	var before item
	s.writing(ctx, "delete.gone", func(ctx context.Context) error {
		it, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, remove(it.id, ifMatch(it.version())), http.StatusNoContent); err != nil {
			return err
		}
		if err := s.gone(ctx, e, it); err != nil {
			return err
		}
		before = it
		return nil
	})
	deleted := func(test func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if before.id == "" {
				return skip("nothing could be deleted")
			}
			return test(ctx)
		}
	}
	s.writing(ctx, "delete.twice", deleted(func(ctx context.Context) error {
		_, err := s.apply(ctx, remove(before.id, nil), http.StatusNotFound)
		return err
	}))
	s.writing(ctx, "patch.deleted", deleted(func(ctx context.Context) error {
		r := s.change("patch", http.MethodPatch, e.collection+"/"+before.id, e.schema, e.change, ifMatch(before.version()+1))
		_, err := s.apply(ctx, r, http.StatusNotFound)
		return err
	}))
	s.writing(ctx, "restore.undoes", deleted(func(ctx context.Context) error {
		ans, err := s.apply(ctx, restore(before.id), http.StatusOK)
		if err != nil {
			return err
		}
		return s.undone(ctx, e, before, entityOf(ans))
	}))
	s.unknown(ctx, "delete.unknown", remove(unknownID(0), nil))
	s.unknown(ctx, "restore.unknown", restore(unknownID(0)))
}

// unknown holds a write to what does not exist to 404.
func (s *inspection) unknown(ctx context.Context, name string, r request) {
	s.writing(ctx, name, func(ctx context.Context) error {
		_, err := s.apply(ctx, r, http.StatusNotFound)
		return err
	})
}

// gone holds a deleted entity to its absence, or to being a tombstone that only the batch read shows.
func (s *inspection) gone(ctx context.Context, e entity, it item) error {
	items, err := s.batch(ctx, e.batch, []string{it.id}, e.query)
	if err != nil {
		return err
	}
	if e.tombstone && (len(items) != 1 || items[0].text("status") != "deleted") {
		return sawInstead("", "the deleted entity by its id", "%s", plural(len(items), "item"))
	}
	if !e.tombstone && len(items) != 0 {
		return sawInstead("", "the deleted entity to be absent", "%s", plural(len(items), "item"))
	}
	return s.inLists(ctx, e, it, false)
}

// undone holds a restored entity to what it was, two writes later.
func (s *inspection) undone(ctx context.Context, e entity, before, after item) error {
	for member, value := range before.members {
		if member == "version" || member == "updatedAt" {
			continue
		}
		if other, ok := after.members[member]; ok && !sameJSON(value, other) {
			return sawInstead("", member+" as it was before the delete", "another")
		}
	}
	if want := before.version() + 2; after.version() != want {
		return sawInstead("", "version "+strconv.FormatInt(want, 10)+", one more with the delete and one with the restore", "%d", after.version())
	}
	return s.inLists(ctx, e, after, true)
}
