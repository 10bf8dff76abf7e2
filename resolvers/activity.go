package resolvers

import (
	"cmp"
	"context"

	"tributary/clients"
	"tributary/internal/relay"
)

// readActivity reads posts and comments of users and merges them by time.
func readActivity(ctx context.Context, c *clients.Clients, users []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[clients.ActivityItem]] {
	postPage, commentPage := relay.ActivityPages(a.Page)
	var posts map[clients.UserID]clients.Answer[clients.Window[*clients.Post]]
	var comments map[clients.UserID]clients.Answer[clients.Window[*clients.Comment]]
	together(
		func() { posts = c.Posts.ByAuthors(ctx, users, a.Visibility, postPage) },
		func() { comments = c.Comments.ByAuthors(ctx, users, commentPage) },
	)
	merged := make(map[clients.UserID]clients.Answer[clients.Window[clients.ActivityItem]], len(users))
	for _, user := range users {
		merged[user] = mergeActivity(posts[user], comments[user], a.Page)
	}
	return merged
}

// mergeActivity needs both halves: a list that lacks one would hide items between others.
func mergeActivity(posts clients.Answer[clients.Window[*clients.Post]], comments clients.Answer[clients.Window[*clients.Comment]], page clients.Page) clients.Answer[clients.Window[clients.ActivityItem]] {
	if err := cmp.Or(posts.Err, comments.Err); err != nil {
		return clients.Answer[clients.Window[clients.ActivityItem]]{Err: err}
	}
	return clients.Answer[clients.Window[clients.ActivityItem]]{
		Value: relay.MergeActivity(posts.Value, comments.Value, page),
		Stale: older(posts.Stale, comments.Stale),
	}
}

// older is the outage whose stale answer is of longer ago; nil counts as fresh.
func older(a, b *clients.Outage) *clients.Outage {
	if a == nil || (b != nil && b.Age > a.Age) {
		return b
	}
	return a
}
