package resolvers

import (
	"context"
	"fmt"

	"github.com/graph-gophers/dataloader/v7"

	"tributary/clients"
)

// maxRepresentations bounds what a federated router may ask for at once: it asks for all entities of its query together.
const maxRepresentations = 1000

// representationError refuses a representation. Its text is for the caller, and quotes nothing of what was sent.
type representationError struct{ code, message string }

// Error implements error.
func (e *representationError) Error() string { return e.message }

func refuseRepresentation(format string, args ...any) error {
	return &representationError{CodeBadRepresentation, fmt.Sprintf(format, args...)}
}

// loadEntities loads what a federated router names by type and key, each kind in one batch. The rules are those of nodes: what does not
// exist is null, and so is what the viewer may not see; what fails, or makes no sense, is null with an error at its place in the list.
func loadEntities(ctx context.Context, representations []any) ([]clients.Node, error) {
	if len(representations) > maxRepresentations {
		return nil, &representationError{CodeTooManyRepresentations, fmt.Sprintf("at most %d representations at once", maxRepresentations)}
	}
	thunks := make([]dataloader.Thunk[found[clients.Node]], len(representations))
	for i, representation := range representations {
		if id, err := represented(representation); err != nil {
			thunks[i] = func() (found[clients.Node], error) { return found[clients.Node]{}, err }
		} else {
			thunks[i] = startNode(ctx, id)
		}
	}
	return readableNodes(ctx, settle(ctx, thunks)), nil
}

// represented is the id that a representation names. Fields beside type and key are a router's own affair.
func represented(representation any) (clients.GlobalID, error) {
	object, ok := representation.(map[string]any)
	if !ok {
		return clients.GlobalID{}, refuseRepresentation("a representation is an object with __typename and id")
	}
	name, ok := object["__typename"].(string)
	if !ok {
		return clients.GlobalID{}, refuseRepresentation("a representation needs a __typename, which is a string")
	}
	kind, ok := entityKind(name)
	if !ok {
		return clients.GlobalID{}, &representationError{CodeUnknownEntityType, "the type has no key here: want User, Post or Comment"}
	}
	key, given := object["id"]
	if !given || key == nil {
		return clients.GlobalID{}, refuseRepresentation("a %s is known by its key, which is id", name)
	}
	text, ok := key.(string)
	if !ok {
		return clients.GlobalID{}, refuseRepresentation("the id of a %s is a string", name)
	}
	id, err := clients.ParseGlobalID(text)
	if err != nil {
		return id, refuseRepresentation("%s", err)
	}
	if id.Kind != kind {
		return id, refuseRepresentation("want a %s id for a %s, not a %s id", kind, name, id.Kind)
	}
	return id, nil
}

// entityKind is the kind of the ids of a type with @key.
func entityKind(name string) (clients.Kind, bool) {
	switch name {
	case "User":
		return clients.KindUser, true
	case "Post":
		return clients.KindPost, true
	case "Comment":
		return clients.KindComment, true
	}
	return "", false
}
