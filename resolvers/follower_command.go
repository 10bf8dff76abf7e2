package resolvers

import (
	"context"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
)

func (r *Resolver) follow(ctx context.Context, input graph.FollowInput) (*clients.User, []*graph.UserError, error) {
	follower, err := asSelf(ctx, input.FollowerID)
	if err != nil {
		return nil, nil, err
	}
	if follower == input.UserID {
		return nil, problem(graph.UserErrorCodeSelfFollow, "nobody can follow themselves", "userId"), nil
	}
	user, userErrors, err := r.visibleUser(ctx, input.UserID)
	if user == nil {
		return nil, userErrors, err
	}
	_, created, err := r.Clients.Followers.Follow(ctx, clients.Pair{Follower: follower, Followee: input.UserID})
	if err == nil && !created {
		return nil, problem(graph.UserErrorCodeAlreadyFollowing, "you follow this user already", "userId"), nil
	}
	return written(user, err)
}

func (r *Resolver) unfollow(ctx context.Context, input graph.UnfollowInput) (*clients.User, []*graph.UserError, error) {
	follower, err := asSelf(ctx, input.FollowerID)
	if err != nil {
		return nil, nil, err
	}
	user, userErrors, err := r.visibleUser(ctx, input.UserID)
	if user == nil {
		return nil, userErrors, err
	}
	err = r.Clients.Followers.Unfollow(ctx, clients.Pair{Follower: follower, Followee: input.UserID})
	if failed, ok := asServiceError(err); ok && failed.Kind == clients.KindNotFound {
		return nil, problem(graph.UserErrorCodeNotFollowing, "you do not follow this user", "userId"), nil
	}
	return written(user, err)
}

// visibleUser gives a user that the viewer may see, nil beside a userError when there is none.
func (r *Resolver) visibleUser(ctx context.Context, id clients.UserID) (*clients.User, []*graph.UserError, error) {
	user, ok, err := current(ctx, r.Clients.Users.ByIDs, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !ok || !auth.CanSee(load(ctx).viewer, userEntity(user)):
		return nil, problem(graph.UserErrorCodeNotFound, "there is no such user", "userId"), nil
	}
	return user, nil, nil
}
