package resolvers

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/clients"
	"tributary/internal/relay"
)

// byID loads what a global id of one kind names, nil when there is none for this viewer.
func byID[ID ~string, V any](ctx context.Context, l *loader[ID, *V], id clients.GlobalID, want clients.Kind) (*V, error) {
	if id.Kind != want {
		return nil, fmt.Errorf("%w: want a %s id, not a %s id", clients.ErrMalformedID, want, id.Kind)
	}
	v, _, err := one(ctx, l, ID(id.ID))
	return v, err
}

// userBy loads the user that exactly one of id and handle names.
func userBy(ctx context.Context, id *clients.GlobalID, handle *string) (*clients.User, error) {
	switch {
	case (id == nil) == (handle == nil):
		return nil, fmt.Errorf("%w: give exactly one of id and handle", errInput)
	case id != nil:
		return byID(ctx, load(ctx).user, *id, clients.KindUser)
	case !isHandle(*handle):
		return nil, nil
	}
	user, _, err := one(ctx, load(ctx).handle, *handle)
	return user, err
}

// isHandle keeps what cannot be anybody's handle from being asked for: separators of a batch among it.
func isHandle(s string) bool {
	if len(s) < 3 || len(s) > 30 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_' {
			return false
		}
	}
	return true
}

// members loads the values of a list's keys. A key that fails leaves null and an error at its place in the list.
func members[K comparable, V any](ctx context.Context, l *loader[K, V], keys []K) []V {
	thunks := make([]dataloader.Thunk[found[V]], len(keys))
	for i, key := range keys {
		thunks[i] = l.ask(ctx, key)
	}
	return settle(ctx, thunks)
}

// settle waits for the members of a list. One that fails leaves the zero V and an error at its place.
func settle[V any](ctx context.Context, thunks []dataloader.Thunk[found[V]]) []V {
	values := make([]V, len(thunks))
	for i, thunk := range thunks {
		f, err := thunk()
		if err == nil {
			err = f.Err
		}
		switch {
		case err != nil:
			graphql.AddError(ctx, gqlErrorAt(memberPath(ctx, i), err))
		case !f.absent:
			if f.Stale != nil {
				load(ctx).report.stale(ctx, memberPath(ctx, i), f.Stale)
			}
			values[i] = f.Value
		}
	}
	return values
}

// memberPath is the path of the i-th member of the list that the field of ctx gives.
func memberPath(ctx context.Context, i int) ast.Path {
	path := graphql.GetPath(ctx)
	return append(path[:len(path):len(path)], ast.PathIndex(i))
}

// list pages the answer to a read of one list.
func list[V, R any](ctx context.Context, answer clients.Answer[clients.Window[V]], args relay.Args, page func(relay.Args, clients.Window[V]) *R) (*R, error) {
	if answer.Err != nil {
		return nil, answer.Err
	}
	if answer.Stale != nil {
		load(ctx).report.stale(ctx, graphql.GetPath(ctx), answer.Stale)
	}
	return page(args, answer.Value), nil
}

// pages loads a list of every parent and pages it.
func pages[P, V, R any, K comparable](ctx context.Context, l *loader[K, clients.Window[V]], parents []P, key func(P) (K, bool), args relay.Args, page func(relay.Args, clients.Window[V]) *R) ([]*R, error) {
	return each(ctx, l, parents, key, func(w clients.Window[V]) *R { return page(args, w) })
}

// count loads a number; it is nil when the service does not know the key.
func count[K comparable, V any](ctx context.Context, l *loader[K, V], key K, number func(V) int) (*int, error) {
	v, ok, err := one(ctx, l, key)
	if !ok || err != nil {
		return nil, err
	}
	n := number(v)
	return &n, nil
}

// ofUser keys the lists of a user that everybody sees alike.
func ofUser(args relay.Args) func(*clients.User) (listOf[clients.UserID], bool) {
	return func(u *clients.User) (listOf[clients.UserID], bool) {
		return listOf[clients.UserID]{u.ID, listArgs{Page: args.Page}}, true
	}
}

// ofAuthor keys the lists of a user's posts, of which the author and admins see more.
func (s *scope) ofAuthor(args relay.Args) func(*clients.User) (listOf[clients.UserID], bool) {
	return func(u *clients.User) (listOf[clients.UserID], bool) {
		return listOf[clients.UserID]{u.ID, listArgs{Page: args.Page, Visibility: visibility(s.viewer, u.ID)}}, true
	}
}

func ofPost(args relay.Args, topLevel bool) func(*clients.Post) (listOf[clients.PostID], bool) {
	return func(p *clients.Post) (listOf[clients.PostID], bool) {
		return listOf[clients.PostID]{p.ID, listArgs{Page: args.Page, TopLevel: topLevel}}, true
	}
}

func ofComment(args relay.Args) func(*clients.Comment) (listOf[clients.CommentID], bool) {
	return func(c *clients.Comment) (listOf[clients.CommentID], bool) {
		return listOf[clients.CommentID]{c.ID, listArgs{Page: args.Page}}, true
	}
}

func pointer[V any](v V) *V { return &v }

// unlessZero is nil for the zero value.
func unlessZero[V comparable](v V) *V {
	if v == *new(V) {
		return nil
	}
	return &v
}

func deref[V any](p *V) (v V, ok bool) {
	if p == nil {
		return v, false
	}
	return *p, true
}
