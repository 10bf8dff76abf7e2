package clients

import (
	"context"
	"crypto/rand"
	"errors"
)

// Freeze takes a user out of use: by id and handle it can still be read, in lists it does not stand. A frozen one stays as
// it is. A user that is unknown or deleted is KindNotFound.
func (u *Users) Freeze(ctx context.Context, id UserID, o BulkOptions) (*User, error) {
	return u.turn(ctx, id, "freeze", Change{Type: "user.frozen", Gone: true}, o)
}

// Restore undoes a delete; where there is none, a freeze. A user that is neither deleted nor frozen is KindConflict, as is a
// fenced key; an unknown or purged one is KindNotFound. The fence stands all the same.
func (u *Users) Restore(ctx context.Context, id UserID, o BulkOptions) (*User, error) {
	return u.turn(ctx, id, "restore", Change{Type: "user.restored"}, o)
}

// turn sends a verb that changes what a user is, and adopts the user that comes back.
func (u *Users) turn(ctx context.Context, id UserID, verb string, change Change, o BulkOptions) (*User, error) {
	e := u.entities
	change.Kind, change.ID = e.kind, string(id)
	r, err := o.request(u.svc, "/users/", id, verb)
	if err != nil {
		return nil, err
	}
	user, replayed, since, err := send(ctx, u.svc, r, nil, func(a answer) (*User, error) {
		user, err := u.entities.decode(a)
		if err == nil && user.ID != id {
			err = errors.New("answered another user")
		}
		return user, err
	})
	if untouched(err) {
		return nil, err
	}
	if err != nil {
		u.suspect(since, change)
		return nil, err
	}
	change.Version = user.Version
	if !change.Gone { // a handle that could not be found before
		change.Handles = []string{user.Handle}
	}
	epoch, alone := e.overtake(since, change)
	switch {
	case !replayed && (alone || e.awaits(user)):
		e.keep(user, epoch)
	case change.Gone:
		e.withhold(id, user.Version, epoch)
	}
	u.svc.wrote(ctx, change)
	return user, nil
}

// suspect drops what a write may have changed that nobody knows the outcome of.
func (u *Users) suspect(since uint64, change Change) {
	epoch, _ := u.entities.overtake(since, change)
	if change.Gone {
		u.entities.withhold(UserID(change.ID), 0, epoch)
		return
	}
	u.svc.gens.invalidateAll() // the handle that a restored user has again is not known
}

// Purge erases a user for good. It is not shown again, not even in an outage. One that is unknown, or was purged already, is
// KindNotFound.
func (u *Users) Purge(ctx context.Context, id UserID, o BulkOptions) error {
	r, err := o.request(u.svc, "/users/", id, "purge")
	if err != nil {
		return err
	}
	change := Change{Kind: u.entities.kind, ID: string(id), Type: "user.deleted", Gone: true}
	_, _, since, err := send(ctx, u.svc, r, nil, decodeNothing)
	switch {
	case untouched(err):
	case err != nil:
		u.suspect(since, change)
	default:
		epoch, _ := u.entities.overtake(since, change)
		u.entities.withhold(id, erased, epoch)
		change.Mark = rand.Text()
		u.svc.wrote(ctx, change)
	}
	return err
}
