package resolvers

import (
	"context"

	"tributary/clients"
)

// What the loaders read by. None of these functions closes over anything, so that a response pays for the loaders it uses alone.

func readUsers(ctx context.Context, c *clients.Clients, ids []clients.UserID) map[clients.UserID]clients.Answer[*clients.User] {
	return c.Users.ByIDs(ctx, ids)
}

func readHandles(ctx context.Context, c *clients.Clients, handles []string) map[string]clients.Answer[*clients.User] {
	return c.Users.ByHandles(ctx, handles)
}

func readPosts(ctx context.Context, c *clients.Clients, ids []clients.PostID) map[clients.PostID]clients.Answer[*clients.Post] {
	return c.Posts.ByIDs(ctx, ids)
}

func readComments(ctx context.Context, c *clients.Clients, ids []clients.CommentID) map[clients.CommentID]clients.Answer[*clients.Comment] {
	return c.Comments.ByIDs(ctx, ids)
}

func readEdges(ctx context.Context, c *clients.Clients, pairs []clients.Pair) map[clients.Pair]clients.Answer[clients.Follow] {
	return c.Followers.Edges(ctx, pairs)
}

func readPostsByAuthor(ctx context.Context, c *clients.Clients, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[*clients.Post]] {
	return c.Posts.ByAuthors(ctx, authors, a.Visibility, a.Page)
}

func readCommentsByAuthor(ctx context.Context, c *clients.Clients, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[*clients.Comment]] {
	return c.Comments.ByAuthors(ctx, authors, a.Page)
}

func readCommentsByPost(ctx context.Context, c *clients.Clients, posts []clients.PostID, a listArgs) map[clients.PostID]clients.Answer[clients.Window[*clients.Comment]] {
	return c.Comments.ByPosts(ctx, posts, a.TopLevel, a.Page)
}

func readReplies(ctx context.Context, c *clients.Clients, parents []clients.CommentID, a listArgs) map[clients.CommentID]clients.Answer[clients.Window[*clients.Comment]] {
	return c.Comments.Replies(ctx, parents, a.Page)
}

func readFollowers(ctx context.Context, c *clients.Clients, users []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[clients.Follow]] {
	return c.Followers.Followers(ctx, users, a.Page)
}

func readFollowing(ctx context.Context, c *clients.Clients, users []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[clients.Window[clients.Follow]] {
	return c.Followers.Following(ctx, users, a.Page)
}

func readPostCounts(ctx context.Context, c *clients.Clients, authors []clients.UserID, a listArgs) map[clients.UserID]clients.Answer[int] {
	return c.Posts.Counts(ctx, authors, a.Visibility)
}

func readCommentCounts(ctx context.Context, c *clients.Clients, authors []clients.UserID) map[clients.UserID]clients.Answer[int] {
	return c.Comments.CountsByAuthors(ctx, authors)
}

func readCommentCountsByPost(ctx context.Context, c *clients.Clients, posts []clients.PostID) map[clients.PostID]clients.Answer[int] {
	return c.Comments.CountsByPosts(ctx, posts)
}

func readFollowCounts(ctx context.Context, c *clients.Clients, users []clients.UserID) map[clients.UserID]clients.Answer[clients.FollowCounts] {
	return c.Followers.Counts(ctx, users)
}
