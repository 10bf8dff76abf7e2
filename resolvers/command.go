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

// asSelf gives the user that a command acts as: the viewer, whom the input may name but not replace.
func asSelf(ctx context.Context, named *clients.UserID) (clients.UserID, error) {
	v := load(ctx).viewer
	id := clients.UserID(v.UserID)
	if named != nil {
		id = *named
	}
	return id, auth.RequireSelf(v, string(id))
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
