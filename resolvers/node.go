package resolvers

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"

	"tributary/clients"
)

// maxIDs bounds the lists of ids that an argument may carry.
const maxIDs = 100

// loadNode loads what a global id of any kind names, nil when there is none for this viewer.
func loadNode(ctx context.Context, id clients.GlobalID) (clients.Node, error) {
	if !id.Kind.Entity() {
		return nil, noNode(id.Kind)
	}
	f, err := startNode(ctx, id)()
	if err == nil {
		err = f.Err
	}
	if err != nil || f.absent {
		return nil, err
	}
	if f.Stale != nil {
		load(ctx).report.stale(ctx, graphql.GetPath(ctx), f.Stale)
	}
	if comment, ok := f.Value.(*clients.Comment); ok {
		if comment, err = readable(ctx, comment, nil); comment == nil {
			return nil, err
		}
	}
	return f.Value, nil
}

// loadNodes loads many at once, whatever their kinds. One that fails leaves null and an error at its place in the list.
func loadNodes(ctx context.Context, ids []*clients.GlobalID) ([]clients.Node, error) {
	if len(ids) > maxIDs {
		return nil, fmt.Errorf("%w: at most %d ids at once", errInput, maxIDs)
	}
	thunks := make([]dataloader.Thunk[found[clients.Node]], len(ids))
	for i, id := range ids {
		if !id.Kind.Entity() {
			return nil, noNode(id.Kind)
		}
		thunks[i] = startNode(ctx, *id)
	}
	return readableNodes(ctx, settle(ctx, thunks)), nil
}

// noNode refuses the id of what can be asked for by its own field alone.
func noNode(kind clients.Kind) error {
	return fmt.Errorf("%w: want user_…, post_… or comment_…, not a %s id", clients.ErrMalformedID, kind)
}

// startNode has the loader of the id's kind gather it.
func startNode(ctx context.Context, id clients.GlobalID) dataloader.Thunk[found[clients.Node]] {
	switch id.Kind {
	case clients.KindUser:
		return asNode(load(ctx).user.ask(ctx, clients.UserID(id.ID)))
	case clients.KindPost:
		return asNode(load(ctx).post.ask(ctx, clients.PostID(id.ID)))
	default:
		return asNode(load(ctx).comment.ask(ctx, clients.CommentID(id.ID)))
	}
}

func asNode[V clients.Node](thunk dataloader.Thunk[found[V]]) dataloader.Thunk[found[clients.Node]] {
	return func() (found[clients.Node], error) {
		f, err := thunk()
		return found[clients.Node]{
			Answer: clients.Answer[clients.Node]{Value: f.Value, Stale: f.Stale, Err: f.Err},
			absent: f.absent,
		}, err
	}
}

// viewer loads the user whose token came with the request, nil when none did.
func viewer(ctx context.Context) (*clients.User, error) {
	v := load(ctx).viewer
	if v.UserID == "" {
		return nil, nil
	}
	user, _, err := one(ctx, &load(ctx).user, clients.UserID(v.UserID))
	return user, err
}
