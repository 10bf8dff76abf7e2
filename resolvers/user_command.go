package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
)

func (r *Resolver) createUser(ctx context.Context, input graph.CreateUserInput) (*clients.User, []*graph.UserError, error) {
	if v := load(ctx).viewer; !r.OpenSignUp && !v.Admin() {
		return nil, nil, auth.RequireOwner(v, "")
	}
	user, err := r.Clients.Users.Create(ctx, clients.NewUser{
		Handle: input.Handle, Name: input.Name, Email: input.Email, Bio: input.Bio, AvatarURL: input.AvatarURL,
	})
	return written(user, err)
}

func (r *Resolver) updateUser(ctx context.Context, input graph.UpdateUserInput) (*clients.User, []*graph.UserError, error) {
	if err := auth.RequireSelf(load(ctx).viewer, string(input.ID)); err != nil {
		return nil, nil, err
	}
	patch := clients.UserPatch{Email: nullable(input.Email), Bio: nullable(input.Bio), AvatarURL: nullable(input.AvatarURL)}
	for _, member := range []struct {
		name string
		from graphql.Omittable[*string]
		to   **string
	}{{"handle", input.Handle, &patch.Handle}, {"name", input.Name, &patch.Name}} {
		value, set := member.from.ValueOK()
		if set && value == nil {
			return nil, problem(graph.UserErrorCodeRequired, "it cannot be cleared", member.name), nil
		}
		*member.to = value
	}
	user, ok, err := current(ctx, r.Clients.Users.ByIDs, input.ID)
	switch {
	case err != nil:
		return nil, nil, err
	case !ok:
		return nil, problem(graph.UserErrorCodeNotFound, "there is no such user", "id"), nil
	}
	return update(input.Version, user.Version, func(version int) (*clients.User, error) {
		return r.Clients.Users.Update(ctx, input.ID, version, patch)
	})
}

// nullable passes on the difference between a member left out and one set to null.
func nullable(o graphql.Omittable[*string]) clients.Nullable[string] {
	value, set := o.ValueOK()
	return clients.Nullable[string]{Set: set, Value: value}
}
