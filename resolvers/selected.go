package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"tributary/internal/engine"
	"tributary/internal/relay"
)

// pageArgs is relay.NewArgs, but asks for a page of one where nothing of it is selected.
func pageArgs(ctx context.Context, first *int, after *string, last *int, before *string, order *relay.Order) (relay.Args, error) {
	args, err := relay.NewArgs(first, after, last, before, order)
	return selected(ctx, args), err
}

// activityArgs is to relay.NewActivityArgs what pageArgs is to relay.NewArgs.
func activityArgs(ctx context.Context, first *int, after *string, last *int, before *string, order *relay.Order) (relay.Args, error) {
	args, err := relay.NewActivityArgs(first, after, last, before, order)
	return selected(ctx, args), err
}

func selected(ctx context.Context, args relay.Args) relay.Args {
	if !selectsPage(ctx) {
		args.Limit = 1
	}
	return args
}

// selectsPage says whether anything of the connection that the field of ctx gives depends on how long its page is: what costs its
// caller one point must not cost a service a hundred items. What later parts of the answer select is not in sight, but they get this page.
func selectsPage(ctx context.Context) bool {
	if engine.InParts(ctx) {
		return true
	}
	connection := graphql.GetFieldContext(ctx).Field.Definition.Type.Name()
	for _, field := range graphql.CollectFieldsCtx(ctx, []string{connection}) {
		if field.Name != "totalCount" && field.Name != "__typename" {
			return true
		}
	}
	return false
}
