package demo

import (
	"context"
	"net/http"
	"strings"
)

// readMembers takes the members that a body names over into v; create asks for those that a user must have.
func (v *user) readMembers(c *checker, create bool) {
	c.only("handle", "name", "email", "bio", "avatarUrl")
	if create || c.has("handle") {
		if v.Handle = strings.ToLower(c.text("handle", 3, 30)); !validHandle(v.Handle) {
			c.fail("handle", "INVALID", "may have the characters a-z 0-9 _ only")
		}
	}
	if create || c.has("name") {
		v.Name = c.text("name", 1, 100)
	}
	if c.has("email") {
		v.Email = c.optional("email", 254)
		if v.Email != nil && !isAddress(*v.Email) {
			c.fail("email", "INVALID", "must be an address")
		}
	}
	if c.has("bio") {
		v.Bio = c.optional("bio", 500)
	}
	if c.has("avatarUrl") {
		v.AvatarURL = c.optional("avatarUrl", 2048)
	}
}

func (u *users) create(ctx context.Context, w *writing) (answer, error) {
	v := &user{ID: newID(), Status: userActive, CreatedAt: w.now}
	c := w.checker()
	v.readMembers(c, true)
	if err := u.freeHandle(ctx, w, c, v); err != nil {
		return answer{}, err
	}
	if err := u.save(ctx, w, "user.created", nil, v); err != nil {
		return answer{}, err
	}
	return created(v.doc(), v.Version, "/users/"+v.ID), nil
}

// freeHandle refuses a handle that another user has, together with what was wrong before.
func (u *users) freeHandle(ctx context.Context, w *writing, c *checker, v *user) error {
	others, err := column[string](ctx, w, "SELECT id FROM users WHERE handle = ? AND id <> ?", v.Handle, v.ID)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		c.fail("handle", "TAKEN", "is taken")
	}
	return c.err()
}

func (u *users) update(ctx context.Context, w *writing) (answer, error) {
	before, err := u.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	after, c := *before, w.checker()
	after.readMembers(c, false)
	if err := u.freeHandle(ctx, w, c, &after); err != nil {
		return answer{}, err
	}
	return u.change(ctx, w, "user.updated", before, &after)
}

func (u *users) freeze(ctx context.Context, w *writing) (answer, error) {
	before, err := u.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	after := *before
	after.Status = userFrozen
	return u.change(ctx, w, "user.frozen", before, &after)
}

// restore undoes a delete; where there is none, a freeze.
func (u *users) restore(ctx context.Context, w *writing) (answer, error) {
	w.subject = "user/" + w.ids[0]
	v, found, err := load[user](ctx, w, "SELECT doc FROM users WHERE id = ?", w.ids[0])
	if err != nil || !found {
		return answer{}, orNotFound(err)
	}
	deleted, err := column[bool](ctx, w, "SELECT deleted FROM users WHERE id = ?", v.ID)
	if err != nil {
		return answer{}, err
	}
	before := v
	switch {
	case deleted[0]:
	case v.Status == userFrozen:
		v.Status = userActive
	default:
		return answer{}, conflict("the user is neither deleted nor frozen")
	}
	if err := u.save(ctx, w, "user.restored", &before, &v); err != nil {
		return answer{}, err
	}
	return entityAnswer(http.StatusOK, v.doc(), v.Version), nil
}

func (u *users) delete(ctx context.Context, w *writing) (answer, error) {
	v, err := u.find(ctx, w)
	if err != nil {
		return answer{}, err
	}
	if err := u.save(ctx, w, "user.deleted", v, v); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// purge erases a user, deleted or not, and its traces in kept answers and events.
func (u *users) purge(ctx context.Context, w *writing) (answer, error) {
	w.subject = "user/" + w.ids[0]
	live, err := column[bool](ctx, w, "SELECT deleted = 0 FROM users WHERE id = ?", w.ids[0])
	if err != nil || len(live) == 0 {
		return answer{}, orNotFound(err)
	}
	if err := w.redact(ctx, w.subject); err != nil {
		return answer{}, err
	}
	if live[0] {
		if _, err := u.delete(ctx, w); err != nil {
			return answer{}, err
		}
	}
	_, err = w.exec(ctx, "DELETE FROM users WHERE id = ?", w.ids[0])
	return answer{status: http.StatusNoContent}, err
}

// find loads the user that the path names and compares its version with If-Match.
func (u *users) find(ctx context.Context, w *writing) (*user, error) {
	w.subject = "user/" + w.ids[0]
	v, found, err := load[user](ctx, w, "SELECT doc FROM users WHERE id = ? AND deleted = 0", w.ids[0])
	if err != nil || !found {
		return nil, orNotFound(err)
	}
	return &v, w.match(v.Version)
}

// orNotFound is err, or that nothing was found where there is no error.
func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return notFound("there is no such entity")
}

// change saves what a write made of a user, unless that is what stood there before.
func (u *users) change(ctx context.Context, w *writing, kind string, before, after *user) (answer, error) {
	if before.doc() != after.doc() {
		if err := u.save(ctx, w, kind, before, after); err != nil {
			return answer{}, err
		}
	}
	return entityAnswer(http.StatusOK, after.doc(), after.Version), nil
}

// save writes the next version of a user, the first where before is nil, with its event.
func (u *users) save(ctx context.Context, w *writing, kind string, before, after *user) (err error) {
	e := event{kind: kind, subject: "user/" + after.ID}
	refs := names{"id": &after.ID}
	old := ""
	if before != nil {
		old = before.doc()
	}
	after.Version++
	after.UpdatedAt = w.now
	doc := after.doc()
	switch kind {
	case "user.created", "user.restored":
		e.data, err = refs.full(doc)
	case "user.deleted":
		e.data = refs.json()
	default:
		e.data, err = refs.patch(old, doc)
	}
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, `INSERT INTO users (id, handle, status, deleted, created_at, version, doc) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, status = excluded.status, deleted = excluded.deleted,
			version = excluded.version, doc = excluded.doc`,
		after.ID, after.Handle, after.Status, kind == "user.deleted", int64(after.CreatedAt), after.Version, doc)
	if err != nil {
		return err
	}
	e.version, e.before, w.subject = after.Version, old, e.subject
	return w.emit(ctx, e)
}

// isAddress says whether something stands on both sides of an @. More can only be told by sending mail there.
func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1
}
