package doctor

import (
	"context"
	"net/http"
	"strconv"
)

// removing runs the checks of an entity's delete and restore.
func (s *inspection) removing(ctx context.Context, e entity) {
	subject := s.subject(e)
	s.writing(ctx, "delete.version-mismatch", on(subject, func(ctx context.Context, it item) error {
		if _, err := s.apply(ctx, s.remove(e, it.id, ifMatch(it.version()+7)), http.StatusPreconditionFailed); err != nil {
			return err
		}
		return s.inLists(ctx, e, it, true)
	}))
	s.writing(ctx, "restore.conflict", on(subject, func(ctx context.Context, it item) error {
		_, err := s.apply(ctx, s.restore(e, it.id), http.StatusConflict)
		return err
	}))
	s.unknown(ctx, "delete.unknown", s.remove(e, unknownID(0), nil))
	s.unknown(ctx, "restore.unknown", s.restore(e, unknownID(0)))
	s.undeleting(ctx, e)
}

// undeleting follows one entity through delete and restore.
func (s *inspection) undeleting(ctx context.Context, e entity) {
	var before item
	s.writing(ctx, "delete.gone", func(ctx context.Context) error {
		it, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, s.remove(e, it.id, ifMatch(it.version())), http.StatusNoContent); err != nil {
			return err
		}
		err = s.gone(ctx, e, it)
		if err == nil {
			before = it
		}
		return err
	})
	deleted := func(context.Context) (item, error) {
		if before.id == "" {
			return item{}, skip("nothing could be deleted")
		}
		return before, nil
	}
	s.writing(ctx, "delete.twice", on(deleted, func(ctx context.Context, it item) error {
		_, err := s.apply(ctx, s.remove(e, it.id, nil), http.StatusNotFound)
		return err
	}))
	s.writing(ctx, "patch.deleted", on(deleted, func(ctx context.Context, it item) error {
		_, err := s.apply(ctx, s.patch(e, it, e.change, ifMatch(it.version()+1)), http.StatusNotFound)
		return err
	}))
	s.writing(ctx, "restore.undoes", on(deleted, func(ctx context.Context, it item) error {
		ans, err := s.apply(ctx, s.restore(e, it.id), http.StatusOK)
		if err != nil {
			return err
		}
		return s.undone(ctx, e, it, entityOf(ans))
	}))
}

func (s *inspection) remove(e entity, id string, header map[string]string) request {
	return s.change("delete", http.MethodDelete, e.collection+"/"+id, "", nil, header)
}

func (s *inspection) restore(e entity, id string) request {
	return s.change("restore", http.MethodPost, e.collection+"/"+id+"/restore", e.schema, nil, nil)
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
