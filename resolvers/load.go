package resolvers

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/engine"
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
		return byID(ctx, &load(ctx).user, *id, clients.KindUser)
	case !isHandle(*handle):
		return nil, nil
	}
	user, _, err := one(ctx, &load(ctx).handle, *handle)
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

// lists loads, for every parent, the values of a list's keys. A key that fails leaves null and an error at its place in the list.
func lists[P, V any, K comparable](ctx context.Context, l *loader[K, V], parents []P, keysOf func(P) []K) [][]V {
	ends, keys := make([]int, len(parents)), []K(nil)
	for i, parent := range parents {
		keys = append(keys, keysOf(parent)...)
		ends[i] = len(keys)
	}
	values := make([][]V, len(parents))
	if len(keys) == 0 {
		return values
	}
	answers := l.all(ctx, keys)()
	begin := 0
	for i, end := range ends {
		values[i] = make([]V, end-begin)
		for n, a := range answers[begin:end] {
			values[i][n] = member(ctx, func() ast.Path { return append(parentPath(ctx, i), ast.PathIndex(n)) }, a.found)
		}
		begin = end
	}
	return values
}

// settle waits for the members of a list, as lists does.
func settle[V any](ctx context.Context, thunks []dataloader.Thunk[found[V]]) []V {
	values := make([]V, len(thunks))
	for i, thunk := range thunks {
		f, err := thunk()
		if err != nil {
			f.Err = err
		}
		values[i] = member(ctx, func() ast.Path { return memberPath(ctx, i) }, f)
	}
	return values
}

// member is one value of a list; one that failed is the zero V and leaves an error at its place.
func member[V any](ctx context.Context, path func() ast.Path, f found[V]) (value V) {
	switch {
	case f.Err != nil:
		graphql.AddError(ctx, gqlErrorAt(path(), f.Err))
		return value
	case f.absent:
		return value
	case f.Stale != nil:
		load(ctx).report.stale(ctx, path(), f.Stale)
	}
	return f.Value
}

// memberPath is the path of the i-th member of the list that the field of ctx gives.
func memberPath(ctx context.Context, i int) ast.Path {
	path := graphql.GetPath(ctx)
	return append(path[:len(path):len(path)], ast.PathIndex(i))
}

// outside reads what no loader reads. Loaders of other fields do not wait for it.
func outside[T any](ctx context.Context, read func() T) (value T) {
	engine.GateFrom(ctx).Outside(func() { value = read() })
	return value
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

// counted is whose lists are counted.
func counted(s *graph.UserStats) (clients.UserID, bool) { return s.User.ID, true }

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
