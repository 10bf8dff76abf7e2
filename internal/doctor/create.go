package doctor

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// creating runs the checks of an entity's creation.
func (s *inspection) creating(ctx context.Context, e entity) {
	s.writing(ctx, "create.entity", func(ctx context.Context) error {
		body := e.fresh()
		it, _, err := s.create(ctx, e, body, nil)
		if err != nil {
			return err
		}
		for member, value := range body {
			if !sameJSON(it.members[member], value) {
				return sawInstead("", member+" as it was sent", "another")
			}
		}
		if it.version() != 1 {
			return sawInstead("", "version 1", "%d", it.version())
		}
		return nil
	})
	s.writing(ctx, "create.location", func(ctx context.Context) error {
		it, ans, err := s.create(ctx, e, e.fresh(), nil)
		if err != nil {
			return err
		}
		if got := ans.header.Get("Location"); !strings.HasSuffix(got, e.collection+"/"+it.id) {
			return sawInstead("", "Location "+e.collection+"/"+it.id, "%s", quote(got))
		}
		return nil
	})
	s.writing(ctx, "create.readable", func(ctx context.Context) error { return s.readable(ctx, e) })
	s.writing(ctx, "create.invalid", func(ctx context.Context) error {
		for _, r := range e.refused {
			request := s.change("create", http.MethodPost, e.collection, e.schema, without(e.fresh(), r.member, r.value), nil)
			if err := s.invalid(ctx, request, r); err != nil {
				return err
			}
		}
		return nil
	})
	s.bodies(ctx, "create", http.MethodPost, e.collection, e.schema)
}

// readable holds a new entity to standing, unchanged, in the batch read and in its lists.
func (s *inspection) readable(ctx context.Context, e entity) error {
	it, _, err := s.create(ctx, e, e.fresh(), nil)
	if err != nil {
		return err
	}
	now, err := s.current(ctx, e, it.id)
	if err != nil {
		return err
	}
	if member := it.differs(now); member != "" {
		return sawInstead("", "what was created", "another %s", member)
	}
	return s.inLists(ctx, e, it, true)
}

// inLists holds an entity to standing in its lists, or to standing in none.
func (s *inspection) inLists(ctx context.Context, e entity, it item, want bool) error {
	for _, p := range e.lists {
		there, err := s.stands(ctx, p.ep, it.text(p.key), it, p.query)
		if err != nil {
			return err
		}
		if there != want {
			if want {
				return sawInstead("", it.id+" in "+p.ep.path, "it is not there")
			}
			return sawInstead("", it.id+" to be gone from "+p.ep.path, "it is there")
		}
	}
	return nil
}

// invalid holds a write to 422 INVALID that names the member at fault.
func (s *inspection) invalid(ctx context.Context, r request, want refusal) error {
	ans, err := s.apply(ctx, r, http.StatusUnprocessableEntity)
	if err != nil {
		return about(want, err)
	}
	if err := s.intact(ruleProblem); err != nil {
		return err
	}
	if code := textOf(ans.tree["code"]); code != "INVALID" {
		return about(want, sawInstead("", "code INVALID", "%s", quote(code)))
	}
	list, _ := ans.tree["errors"].([]any)
	for _, entry := range list {
		field, code := textOf(members(entry)["field"]), textOf(members(entry)["code"])
		if field == want.member {
			if !slices.Contains(want.codes, code) {
				return about(want, sawInstead("", strings.Join(want.codes, " or ")+" for "+field, "%s", quote(code)))
			}
			return nil
		}
	}
	return about(want, sawInstead("", "an error for the field "+want.member, "%s", plural(len(list), "error")+" for others"))
}

// about says what was wrong with the body of a breach.
func about(r refusal, err error) error {
	broken, ok := err.(*breach)
	if !ok {
		return err
	}
	what := "without " + r.member
	if text, ok := r.value.(string); ok {
		what = "with the " + r.member + " " + strconv.Quote(printable(text, 20))
	} else if r.value != nil {
		what = "with such a " + r.member
	}
	return &breach{want: broken.want + " " + what, saw: broken.saw, request: broken.request}
}

// bodies runs the checks of what a write with a body must refuse before it reads any member.
func (s *inspection) bodies(ctx context.Context, name, method, path, schema string) {
	for _, c := range []struct {
		check, media string
		body         func() []byte
		status       int
	}{
		{".malformed", "application/json", func() []byte { return []byte(`{"name": "Doctor", `) }, http.StatusBadRequest},
		{".media-type", "text/plain", func() []byte { return []byte("Doctor") }, http.StatusUnsupportedMediaType},
		{".too-large", "application/json", tooLarge, http.StatusRequestEntityTooLarge},
	} {
		s.writing(ctx, name+c.check, func(ctx context.Context) error {
			r := s.change(name, method, path, schema, nil, map[string]string{"Content-Type": c.media})
			r.body = c.body()
			if c.status == http.StatusRequestEntityTooLarge {
				r.header["Expect"] = "100-continue" // so that a refusal is read before the body breaks the connection
			}
			_, err := s.apply(ctx, r, c.status)
			return err
		})
	}
}

// tooLarge is a JSON document a little over 1 MiB.
func tooLarge() []byte {
	return []byte(`{"body":"` + strings.Repeat("a", 1<<20) + `"}`)
}
