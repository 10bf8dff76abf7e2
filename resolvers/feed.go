package resolvers

import (
	"context"
	"fmt"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/relay"
)

// feedAuthors bounds how many of those whom a viewer follows a feed is made of: those followed last.
const feedAuthors = 5000

// postsOf pages the published posts of the given authors, nil for those of everybody.
func (r *Resolver) postsOf(ctx context.Context, args relay.Args, authorIDs []*clients.GlobalID) (*relay.PostConnection, error) {
	if len(authorIDs) > maxIDs {
		return nil, fmt.Errorf("%w: at most %d ids at once", errInput, maxIDs)
	}
	if authorIDs != nil && len(authorIDs) == 0 {
		return relay.Posts(args, clients.Window[*clients.Post]{}), nil
	}
	authors := make([]clients.UserID, len(authorIDs))
	for i, id := range authorIDs {
		if id.Kind != clients.KindUser {
			return nil, fmt.Errorf("%w: want a %s id, not a %s id", clients.ErrMalformedID, clients.KindUser, id.Kind)
		}
		authors[i] = clients.UserID(id.ID)
	}
	return list(ctx, r.listPosts(ctx, authors, args.Page), args, relay.Posts)
}

func (r *Resolver) listPosts(ctx context.Context, authors []clients.UserID, page clients.Page) clients.Answer[clients.Window[*clients.Post]] {
	return outside(ctx, func() clients.Answer[clients.Window[*clients.Post]] {
		return r.Clients.Posts.List(ctx, authors, clients.VisibilityPublic, page)
	})
}

// feed pages the published posts of those whom the viewer follows.
func (r *Resolver) feed(ctx context.Context, args relay.Args) (*relay.PostConnection, error) {
	v := load(ctx).viewer
	if err := auth.RequireUser(v); err != nil {
		return nil, err
	}
	authors, stale, err := r.followees(ctx, clients.UserID(v.UserID))
	if err != nil {
		return nil, err
	}
	if len(authors) == 0 {
		return relay.Posts(args, clients.Window[*clients.Post]{}), nil
	}
	posts := r.listPosts(ctx, authors, args.Page)
	posts.Stale = older(posts.Stale, stale)
	return list(ctx, posts, args, relay.Posts)
}

// followees reads whom a user follows, page by page up to feedAuthors; stale is the outage when that came from the cache.
func (r *Resolver) followees(ctx context.Context, user clients.UserID) (ids []clients.UserID, stale *clients.Outage, err error) {
	page := clients.Page{Limit: 500}
	for len(ids) < feedAuthors {
		answer := outside(ctx, func() clients.Answer[clients.Window[clients.Follow]] {
			return r.Clients.Followers.Following(ctx, []clients.UserID{user}, page)[user]
		})
		if answer.Err != nil {
			return nil, nil, answer.Err
		}
		stale = older(stale, answer.Stale)
		for _, f := range answer.Value.Items {
			ids = append(ids, f.FolloweeID)
			page.After = clients.CursorAt(f.FollowedAt, string(f.FolloweeID))
		}
		if !answer.Value.Next || len(answer.Value.Items) == 0 {
			break
		}
	}
	return ids, stale, nil
}

// followedBy says of each user whether the viewer follows them; nil where the viewer is no user.
func followedBy(ctx context.Context, v auth.Viewer, users []*clients.User) ([]*bool, error) {
	if v.UserID == "" {
		return make([]*bool, len(users)), nil
	}
	return eachOr(ctx, &load(ctx).edge, users, func(u *clients.User) (clients.Pair, bool) {
		return clients.Pair{Follower: clients.UserID(v.UserID), Followee: u.ID}, true
	}, func(_ clients.Follow, stands bool) *bool { return &stands })
}
