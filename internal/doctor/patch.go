package doctor

import (
	"context"
	"maps"
	"net/http"
	"strconv"
)

// patching runs the checks of an entity's changes.
func (s *inspection) patching(ctx context.Context, e entity) {
	subject := s.subject(e)
	s.writing(ctx, "patch.changes", on(subject, func(ctx context.Context, before item) error {
		return s.changes(ctx, e, before, s.patch(e, before, e.change, ifMatch(before.version())), e.change)
	}))
	s.writing(ctx, "patch.merge-patch", on(subject, func(ctx context.Context, before item) error {
		back := map[string]any{}
		for member := range e.change {
			back[member] = e.fresh()[member]
		}
		header := ifMatch(before.version())
		header["Content-Type"] = "application/merge-patch+json"
		return s.changes(ctx, e, before, s.patch(e, before, back, header), back)
	}))
	s.writing(ctx, "patch.unchanged", on(subject, func(ctx context.Context, before item) error {
		same := map[string]any{}
		for member := range e.change {
			same[member] = before.members[member]
		}
		ans, err := s.apply(ctx, s.patch(e, before, same, ifMatch(before.version())), http.StatusOK)
		if err != nil {
			return err
		}
		if got := entityOf(ans).version(); got != before.version() {
			return sawInstead("", "version "+strconv.FormatInt(before.version(), 10)+" as before, for nothing changed", "%d", got)
		}
		return nil
	}))
	s.patchRefusals(ctx, e, subject)
}

func (s *inspection) patch(e entity, it item, body map[string]any, header map[string]string) request {
	return s.change("patch", http.MethodPatch, e.collection+"/"+it.id, e.schema, body, header)
}

// changes holds a patch to changing what it names, nothing else, and the version by one.
func (s *inspection) changes(ctx context.Context, e entity, before item, r request, change map[string]any) error {
	ans, err := s.apply(ctx, r, http.StatusOK)
	if err != nil {
		return err
	}
	after := entityOf(ans)
	if after.id != before.id {
		return sawInstead("", "the entity "+before.id, "%s", quote(after.id))
	}
	if got := after.version(); got != before.version()+1 {
		return sawInstead("", "version "+strconv.FormatInt(before.version()+1, 10), "%d", got)
	}
	for member, value := range change {
		if !sameJSON(after.members[member], value) {
			return sawInstead("", member+" as the patch has it", "another")
		}
	}
	for _, member := range []string{"createdAt", "authorId", "postId", "parentId", "handle"} {
		if _, named := change[member]; !named && !sameJSON(after.members[member], before.members[member]) {
			return sawInstead("", member+" as it was, for the patch does not name it", "another")
		}
	}
	now, err := s.current(ctx, e, before.id)
	if err != nil {
		return err
	}
	if member := after.differs(now); member != "" {
		return sawInstead("", "the answer to the patch to stand", "another %s in a read", member)
	}
	return nil
}

// patchRefusals runs the checks of patches that must change nothing.
func (s *inspection) patchRefusals(ctx context.Context, e entity, subject func(context.Context) (item, error)) {
	for _, c := range []struct {
		check  string
		header func(version int64) map[string]string
		status int
	}{
		{"patch.version-mismatch", func(version int64) map[string]string { return ifMatch(version + 7) }, http.StatusPreconditionFailed},
		{"patch.precondition-required", func(int64) map[string]string { return nil }, http.StatusPreconditionRequired},
		{"patch.malformed-if-match", func(int64) map[string]string { return map[string]string{"If-Match": "yesterday"} }, http.StatusBadRequest},
	} {
		s.writing(ctx, c.check, on(subject, func(ctx context.Context, before item) error {
			return s.unpatched(ctx, e, before, c.header(before.version()), c.status)
		}))
	}
	s.unknown(ctx, "patch.unknown", s.patch(e, item{id: unknownID(0)}, e.change, ifMatch(1)))
	s.writing(ctx, "patch.invalid", func(ctx context.Context) error {
		for _, r := range e.refused {
			if !r.patch {
				continue
			}
			before, err := subject(ctx)
			if err != nil {
				return err
			}
			request := s.patch(e, before, map[string]any{r.member: r.value}, ifMatch(before.version()))
			if err := s.invalid(ctx, request, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// unpatched holds a patch to being refused, and the entity to being what it was.
func (s *inspection) unpatched(ctx context.Context, e entity, before item, header map[string]string, status int) error {
	body := maps.Clone(e.change)
	for member := range body {
		body[member] = "Nobody may see this"
	}
	ans, err := s.apply(ctx, s.patch(e, before, body, header), status)
	if err != nil {
		return err
	}
	if got, ok := integer(ans.tree["version"]); ok && status == http.StatusPreconditionFailed && got != before.version() {
		return sawInstead("", "the current version "+strconv.FormatInt(before.version(), 10)+" in the problem", "%d", got)
	}
	now, err := s.current(ctx, e, before.id)
	if err == nil && now.version() != before.version() {
		err = sawInstead("", "nothing to have changed", "version %d", now.version())
	}
	return err
}
