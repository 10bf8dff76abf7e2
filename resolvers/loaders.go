package resolvers

import (
	"context"
	"sync"

	"tributary/clients"
	"tributary/internal/auth"
)

// loaders are the batches of one response, one for each way of reading.
type loaders struct {
	user     loader[clients.UserID, *clients.User]
	handle   loader[string, *clients.User]
	post     loader[clients.PostID, *clients.Post]
	comment  loader[clients.CommentID, *clients.Comment]
	edge     loader[clients.Pair, clients.Follow]
	activity loader[listOf[clients.UserID], clients.Window[clients.ActivityItem]]

	postsByAuthor    loader[listOf[clients.UserID], clients.Window[*clients.Post]]
	commentsByAuthor loader[listOf[clients.UserID], clients.Window[*clients.Comment]]
	commentsByPost   loader[listOf[clients.PostID], clients.Window[*clients.Comment]]
	replies          loader[listOf[clients.CommentID], clients.Window[*clients.Comment]]
	followers        loader[listOf[clients.UserID], clients.Window[clients.Follow]]
	following        loader[listOf[clients.UserID], clients.Window[clients.Follow]]

	postCount          loader[listOf[clients.UserID], int]
	commentCount       loader[clients.UserID, int]
	commentCountByPost loader[clients.PostID, int]
	followCounts       loader[clients.UserID, clients.FollowCounts]
}

// setUp makes the loaders of one response ready, for this viewer.
func (l *loaders) setUp(how *loading, v auth.Viewer) {
	seesUser := func(u *clients.User) bool { return auth.CanSee(v, userEntity(u)) }
	l.user.setUp(how, readUsers, seesUser)
	l.handle.setUp(how, readHandles, seesUser)
	l.post.setUp(how, readPosts, func(p *clients.Post) bool { return auth.CanSee(v, postEntity(p)) })
	l.comment.setUp(how, readComments, nil)
	l.edge.setUp(how, readEdges, nil)
	l.activity.setUp(how, listed(readActivity), nil)

	l.postsByAuthor.setUp(how, listed(readPostsByAuthor), nil)
	l.commentsByAuthor.setUp(how, listed(readCommentsByAuthor), nil)
	l.commentsByPost.setUp(how, listed(readCommentsByPost), nil)
	l.replies.setUp(how, listed(readReplies), nil)
	l.followers.setUp(how, listed(readFollowers), nil)
	l.following.setUp(how, listed(readFollowing), nil)

	l.postCount.setUp(how, listed(readPostCounts), nil)
	l.commentCount.setUp(how, readCommentCounts, nil)
	l.commentCountByPost.setUp(how, readCommentCountsByPost, nil)
	l.followCounts.setUp(how, readFollowCounts, nil)
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
func listed[ID comparable, V any](fetch func(context.Context, *clients.Clients, []ID, listArgs) map[ID]clients.Answer[V]) read[listOf[ID], V] {
	return func(ctx context.Context, c *clients.Clients, keys []listOf[ID]) map[listOf[ID]]clients.Answer[V] {
		byArgs := map[listArgs][]ID{}
		for _, key := range keys {
			byArgs[key.listArgs] = append(byArgs[key.listArgs], key.ID)
		}
		answers := make(map[listOf[ID]]clients.Answer[V], len(keys))
		var mu sync.Mutex
		var reads []func()
		for args, ids := range byArgs {
			reads = append(reads, func() {
				found := fetch(ctx, c, ids, args)
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
