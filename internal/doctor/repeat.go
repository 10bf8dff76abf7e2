package doctor

import (
	"context"
	"maps"
	"net/http"
	"strings"
)

const keyHeader, replayedHeader = "Idempotency-Key", "Idempotency-Replayed"

// repeating runs the checks of Idempotency-Key on an entity's writes.
func (s *inspection) repeating(ctx context.Context, e entity) {
	s.writing(ctx, "idempotency.replay", func(ctx context.Context) error {
		if err := s.intact("create.entity"); err != nil {
			return err
		}
		r := s.change("create", http.MethodPost, e.collection, e.schema, e.fresh(), map[string]string{keyHeader: s.key()})
		return s.replays(ctx, r, http.StatusCreated)
	})
	s.writing(ctx, "idempotency.reused", func(ctx context.Context) error {
		header := map[string]string{keyHeader: s.key()}
		if _, _, err := s.create(ctx, e, e.fresh(), header); err != nil {
			return err
		}
		return s.reused(ctx, s.change("create", http.MethodPost, e.collection, e.schema, e.fresh(), header))
	})
	s.writing(ctx, "idempotency.patch", func(ctx context.Context) error {
		it, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		header := ifMatch(it.version())
		header[keyHeader] = s.key()
		return s.replays(ctx, s.change("patch", http.MethodPatch, e.collection+"/"+it.id, e.schema, e.change, header), http.StatusOK)
	})
	s.writing(ctx, "idempotency.malformed", func(ctx context.Context) error {
		header := map[string]string{keyHeader: strings.Repeat("k", 256)}
		_, err := s.apply(ctx, s.change("create", http.MethodPost, e.collection, e.schema, e.fresh(), header), http.StatusBadRequest)
		return err
	})
}

// replays sends a request with a key twice and holds the second answer to repeating the first.
func (s *inspection) replays(ctx context.Context, r request, status int) error {
	first, err := s.apply(ctx, r, status)
	if err != nil {
		return err
	}
	if first.header.Get(replayedHeader) != "" {
		return sawInstead("", "no "+replayedHeader+" with the first answer", "%s", quote(first.header.Get(replayedHeader)))
	}
	second, err := s.apply(ctx, r, status)
	if err != nil {
		return err
	}
	if !sameJSON(first.tree, second.tree) {
		return sawInstead("", "the first answer again for the same key", "another: %s", difference(first.tree, second.tree))
	}
	for _, name := range []string{"ETag", "Location"} {
		if first.header.Get(name) != second.header.Get(name) {
			return sawInstead("", name+" "+quote(first.header.Get(name))+" again", "%s", quote(second.header.Get(name)))
		}
	}
	if got := second.header.Get(replayedHeader); got != "true" {
		return sawInstead("", replayedHeader+": true with the repeated answer", "%s", quote(got))
	}
	return nil
}

// reused holds a request with another one's key to 422.
func (s *inspection) reused(ctx context.Context, r request) error {
	ans, err := s.apply(ctx, r, http.StatusUnprocessableEntity)
	if err != nil {
		return err
	}
	if code := textOf(ans.tree["code"]); code != "IDEMPOTENCY_KEY_REUSED" {
		return sawInstead("", "code IDEMPOTENCY_KEY_REUSED", "%s", quote(code))
	}
	return nil
}

// difference names the members in which two answers differ.
func difference(a, b map[string]any) string {
	var names []string
	for name := range maps.Keys(a) {
		if !sameJSON(a[name], b[name]) {
			names = append(names, name)
		}
	}
	return "other " + listed(names)
}
