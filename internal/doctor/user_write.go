package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func (s *inspection) userEntity() entity {
	return entity{
		collection: "/users", schema: "User", batch: userBatch(),
		fresh: func() map[string]any {
			return map[string]any{
				"handle": fmt.Sprintf("doctor_%s_%d", s.run, s.serial()), "name": "Doctor's Check",
				"email": "doctor@example.org", "bio": "Made by tributary doctor, which takes it away again.",
			}
		},
		change: map[string]any{"name": "Doctor's Check, changed", "bio": nil},
		lists:  []place{{ep: userList()}},
		refused: []refusal{
			{member: "handle", codes: []string{"REQUIRED"}},
			{member: "name", codes: []string{"REQUIRED"}},
			{member: "handle", value: "no", codes: []string{"TOO_SHORT"}, patch: true},
			{member: "handle", value: strings.Repeat("h", 31), codes: []string{"TOO_LONG"}, patch: true},
			{member: "handle", value: "doctor-" + s.run, codes: []string{"INVALID"}, patch: true},
			{member: "name", value: "", codes: []string{"TOO_SHORT", "REQUIRED"}, patch: true},
			{member: "name", value: strings.Repeat("ñ", 101), codes: []string{"TOO_LONG"}, patch: true},
			{member: "email", value: strings.Repeat("e", 243) + "@example.org", codes: []string{"TOO_LONG"}, patch: true},
			{member: "bio", value: strings.Repeat("b", 501), codes: []string{"TOO_LONG"}, patch: true},
			{member: "avatarUrl", value: "https://example.org/" + strings.Repeat("a", 2048), codes: []string{"TOO_LONG"}, patch: true},
		},
	}
}

// userFixtures makes a few users where there are too few to page through.
func (s *inspection) userFixtures(ctx context.Context) {
	if !s.write || s.dead != "" {
		return
	}
	p, err := s.list(ctx, userList(), url.Values{"limit": {"1"}})
	if err != nil {
		return
	}
	e := s.userEntity()
	for n := p.total; n < 8; n++ {
		if _, err := s.made(ctx, e, e.fresh()); err != nil {
			return // the checks of the creation say why
		}
	}
}

func (s *inspection) userWrites(ctx context.Context) {
	e := s.userEntity()
	s.declareWrites("create", "patch", "restore", "freeze")
	s.creating(ctx, e)
	s.writing(ctx, "create.handle-lower-cased", func(ctx context.Context) error {
		body := e.fresh()
		handle := textOf(body["handle"])
		body["handle"] = strings.ToUpper(handle)
		it, _, err := s.create(ctx, e, body, nil)
		if err == nil && it.text("handle") != handle {
			err = sawInstead("", "the handle "+handle, "%s", quote(it.text("handle")))
		}
		return err
	})
	s.writing(ctx, "create.handle-taken", func(ctx context.Context) error {
		body := e.fresh()
		if _, _, err := s.create(ctx, e, body, nil); err != nil {
			return err
		}
		body["handle"] = strings.ToUpper(textOf(body["handle"]))
		r := s.change("create", http.MethodPost, e.collection, e.schema, body, nil)
		return s.invalid(ctx, r, refusal{member: "handle", value: body["handle"], codes: []string{"TAKEN"}})
	})
	s.patching(ctx, e)
	s.removing(ctx, e)
	s.freezing(ctx, e)
	s.purging(ctx, e)
	s.repeating(ctx, e)
	s.fencing(ctx, undoable{idle: http.StatusConflict, setup: func(ctx context.Context) (do, undo request, err error) {
		it, err := s.made(ctx, e, e.fresh())
		return s.change("freeze", http.MethodPost, e.collection+"/"+it.id+"/freeze", e.schema, nil, nil), s.restore(e, it.id), err
	}})
}

// freezing checks freeze, and the restore that undoes it.
func (s *inspection) freezing(ctx context.Context, e entity) {
	subject := s.subject(e)
	for _, c := range []struct {
		check, verb, status string
		writes              int64
	}{
		{"freeze.freezes", "freeze", "frozen", 1},
		{"freeze.again", "freeze", "frozen", 0},
		{"freeze.restored", "restore", "active", 1},
	} {
		s.writing(ctx, c.check, func(ctx context.Context) error {
			if err := s.intact("freeze.freezes"); err != nil {
				return err
			}
			it, err := subject(ctx)
			if err != nil {
				return err
			}
			return s.turns(ctx, e, it, c.verb, c.status, it.version()+c.writes)
		})
	}
	s.unknown(ctx, "freeze.unknown", s.change("freeze", http.MethodPost, e.collection+"/"+unknownID(0)+"/freeze", e.schema, nil, nil))
}

// turns sends a verb and holds the user to its new status and version, in the answer and in reads.
func (s *inspection) turns(ctx context.Context, e entity, it item, verb, status string, version int64) error {
	ans, err := s.apply(ctx, s.change("freeze", http.MethodPost, e.collection+"/"+it.id+"/"+verb, e.schema, nil, nil), http.StatusOK)
	if err != nil {
		return err
	}
	after := entityOf(ans)
	if got := after.text("status"); got != status {
		return sawInstead("", "status "+status, "%s", quote(got))
	}
	if after.version() != version {
		return sawInstead("", "version "+strconv.FormatInt(version, 10), "%d", after.version())
	}
	now, err := s.current(ctx, e, it.id)
	if err != nil {
		return err
	}
	if member := after.differs(now); member != "" {
		return sawInstead("", "the answer to stand", "another %s in a read", member)
	}
	return s.inLists(ctx, e, it, status == "active")
}

// purging checks that a purged user is gone for good.
func (s *inspection) purging(ctx context.Context, e entity) {
	purge := func(id string) request {
		return s.change("purge", http.MethodPost, e.collection+"/"+id+"/purge", "", nil, nil)
	}
	s.writing(ctx, "purge.final", func(ctx context.Context) error {
		it, err := s.made(ctx, e, e.fresh())
		if err != nil {
			return err
		}
		if _, err := s.apply(ctx, purge(it.id), http.StatusNoContent); err != nil {
			return err
		}
		if err := s.gone(ctx, e, it); err != nil {
			return err
		}
		_, err = s.apply(ctx, s.restore(e, it.id), http.StatusNotFound)
		return err
	})
	s.unknown(ctx, "purge.unknown", purge(unknownID(0)))
}
