package resolvers

import (
	"context"
	"sync"

	"tributary/clients"
	"tributary/internal/auth"
)

// loaders are the batches of one response, one for each way of reading.
type loaders struct {
	user     *loader[clients.UserID, *clients.User]
	handle   *loader[string, *clients.User]
	post     *loader[clients.PostID, *clients.Post]
	comment  *loader[clients.CommentID, *clients.Comment]
	edge     *loader[clients.Pair, clients.Follow]
	activity *loader[listOf[clients.UserID], clients.Window[clients.ActivityItem]]

	postsByAuthor    *loader[listOf[clients.UserID], clients.Window[*clients.Post]]
	commentsByAuthor *loader[listOf[clients.UserID], clients.Window[*clients.Comment]]
	commentsByPost   *loader[listOf[clients.PostID], clients.Window[*clients.Comment]]
	replies          *loader[listOf[clients.CommentID], clients.Window[*clients.Comment]]
	followers        *loader[listOf[clients.UserID], clients.Window[clients.Follow]]
	following        *loader[listOf[clients.UserID], clients.Window[clients.Follow]]

	postCount          *loader[listOf[clients.UserID], int]
	commentCount       *loader[clients.UserID, int]
	commentCountByPost *loader[clients.PostID, int]
	followCounts       *loader[clients.UserID, clients.FollowCounts]
}

// newLoaders makes the loaders of one response for this viewer.
func newLoaders(how loading, c *clients.Clients, v auth.Viewer) *loaders {
	seesUser := func(u *clients.User) bool { return auth.CanSee(v, userEntity(u)) }
	seesPost := func(p *clients.Post) bool { return auth.CanSee(v, postEntity(p)) }
	return &loaders{
		user:     newLoader(how, c.Users.ByIDs, seesUser),
		handle:   newLoader(how, c.Users.ByHandles, seesUser),
		post:     newLoader(how, c.Posts.ByIDs, seesPost),
		comment:  newLoader(how, c.Comments.ByIDs, nil),
		edge:     newLoader(how, c.Followers.Edges, nil),
		activity: newLoader(how, listed(activity(c)), nil),

		postsByAuthor: newLoader(how, listed(func(ctx context.Context, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[*clients.Post]] {
			return c.Posts.ByAuthors(ctx, authors, a.Visibility, a.Page)
		}), nil),
		commentsByAuthor: newLoader(how, listed(func(ctx context.Context, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[*clients.Comment]] {
			return c.Comments.ByAuthors(ctx, authors, a.Page)
		}), nil),
		commentsByPost: newLoader(how, listed(func(ctx context.Context, posts []clients.PostID, a listArgs) map[clients.PostID]clients.Answer[clients.Window[*clients.Comment]] {
			return c.Comments.ByPosts(ctx, posts, a.TopLevel, a.Page)
		}), nil),
		replies: newLoader(how, listed(func(ctx context.Context, parents []clients.CommentID, a listArgs) map[clients.CommentID]clients.Answer[clients.Window[*clients.Comment]] {
			return c.Comments.Replies(ctx, parents, a.Page)
		}), nil),
		followers: newLoader(how, listed(func(ctx context.Context, users []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[clients.Follow]] {
			return c.Followers.Followers(ctx, users, a.Page)
		}), nil),
		following: newLoader(how, listed(func(ctx context.Context, users []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[clients.Follow]] {
			return c.Followers.Following(ctx, users, a.Page)
		}), nil),

		postCount: newLoader(how, listed(func(ctx context.Context, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[int] {
			return c.Posts.Counts(ctx, authors, a.Visibility)
		}), nil),
		commentCount:       newLoader(how, c.Comments.CountsByAuthors, nil),
		commentCountByPost: newLoader(how, c.Comments.CountsByPosts, nil),
		followCounts:       newLoader(how, c.Followers.Counts, nil),
	}
}

// listArgs are the arguments of a list, whoever it belongs to; each list uses those that it has.
type listArgs struct {
	Page       clients.Page
	Visibility clients.Visibility
	TopLevel   bool
}

// listOf is the key of one list: whose, and which part of it.
type listOf[ID comparable] struct {
	ID ID
	listArgs
}

// listed reads lists: one call for each set of arguments among the keys, all at once.
func listed[ID comparable, V any](fetch func(context.Context, []ID, listArgs) map[ID]clients.Answer[V]) read[listOf[ID], V] {
	return func(ctx context.Context, keys []listOf[ID]) map[listOf[ID]]clients.Answer[V] {
		byArgs := map[listArgs][]ID{}
		for _, key := range keys {
			byArgs[key.listArgs] = append(byArgs[key.listArgs], key.ID)
		}
		answers := make(map[listOf[ID]]clients.Answer[V], len(keys))
		var mu sync.Mutex
		var reads []func()
		for args, ids := range byArgs {
			reads = append(reads, func() {
				found := fetch(ctx, ids, args)
				mu.Lock()
				defer mu.Unlock()
				for id, answer := range found {
					answers[listOf[ID]{id, args}] = answer
				}
			})
		}
		together(reads...)
		return answers
	}
}

// together runs functions side by side and waits for all. A panic of one is the caller's, who can recover it.
func together(functions ...func()) {
	if len(functions) == 1 {
		functions[0]()
		return
	}
	panics := make(chan any, len(functions))
	var running sync.WaitGroup
	for _, function := range functions {
		running.Go(func() {
			defer func() {
				if value := recover(); value != nil {
					panics <- value
				}
			}()
			function()
		})
	}
	running.Wait()
	select {
	case value := <-panics:
		panic(value)
	default:
	}
}
