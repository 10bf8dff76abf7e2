package resolvers

import (
	"context"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
)

// maxWriteTries bounds how often a write without a version of its own chases one that others keep changing.
const maxWriteTries = 3

// payload is the answer of a mutation: what came of it, or null beside an error.
func payload[P any](err error, p *P) (*P, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RequireAccount refuses, with auth.ErrForbidden, what is done in the name of a user that is not there: a token may outlive its account. A
// user service that does not answer refuses nothing, since the services that are written to may well take it, and decide themselves.
func RequireAccount(ctx context.Context, users func(context.Context, []clients.UserID) map[clients.UserID]clients.Answer[*clients.User], id clients.UserID) error {
	if _, known := users(ctx, []clients.UserID{id})[id]; !known {
		return auth.ErrForbidden
	}
	return nil
}

// loaded reads users through the loader of the response, which reads the viewer once.
func loaded(ctx context.Context, ids []clients.UserID) map[clients.UserID]clients.Answer[*clients.User] {
	users := make(map[clients.UserID]clients.Answer[*clients.User], len(ids))
	for _, id := range ids {
		found, err := load(ctx).user.ask(ctx, id)()
		if err != nil {
			found.Err = err
		}
		if !found.absent {
			users[id] = found.Answer
		}
	}
	return users
}

// asSelf gives the user that a command acts as: the viewer, whom the input may name but not replace, and whose account has to be there.
func asSelf(ctx context.Context, named *clients.UserID) (clients.UserID, error) {
	v := load(ctx).viewer
	id := clients.UserID(v.UserID)
	if named != nil {
		id = *named
	}
	if err := auth.RequireSelf(v, string(id)); err != nil {
		return id, err
	}
	return id, RequireAccount(ctx, loaded, id)
}

// update writes at the version that the caller has seen or, when it names none, at the newest one.
func update[V any](seen *int, newest int, write func(version int) (*V, error)) (*V, []*graph.UserError, error) {
	version := newest
	if seen != nil {
		version = *seen
	}
	for try := 1; ; try++ {
		entity, err := write(version)
		if moved := movedTo(err); seen == nil && moved > version && try < maxWriteTries {
			version = moved
			continue
		}
		return written(entity, err)
	}
}

// movedTo is the version that a refused write should have named, 0 when that was not the reason.
func movedTo(err error) int {
	if failed, ok := asServiceError(err); ok && failed.Kind == clients.KindConflict {
		return failed.Version
	}
	return 0
}
