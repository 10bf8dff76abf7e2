package resolvers

import (
	"context"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
)

func (r *Resolver) createPost(ctx context.Context, input graph.CreatePostInput) (*clients.Post, []*graph.UserError, error) {
	author, err := asSelf(ctx, input.AuthorID)
	if err != nil {
		return nil, nil, err
	}
	status := clients.PostDraft
	if input.Publish {
		status = clients.PostPublished
	}
	post, err := r.Clients.Posts.Create(ctx, clients.NewPost{AuthorID: author, Title: input.Title, Body: input.Body, Status: status})
	return written(post, err)
}

func (r *Resolver) updatePost(ctx context.Context, id clients.PostID, version *int, patch clients.PostPatch) (*clients.Post, []*graph.UserError, error) {
	post, userErrors, err := r.ownPost(ctx, id)
	if post == nil {
		return nil, userErrors, err
	}
	return update(version, post.Version, func(version int) (*clients.Post, error) {
		return r.Clients.Posts.Update(ctx, id, version, patch)
	})
}

func (r *Resolver) publishPost(ctx context.Context, input graph.PublishPostInput) (*clients.Post, []*graph.UserError, error) {
	post, userErrors, err := r.ownPost(ctx, input.ID)
	switch {
	case post == nil:
		return nil, userErrors, err
	case post.Status == clients.PostPublished && (input.Version == nil || *input.Version == post.Version):
		return post, none(), nil
	}
	published := clients.PostPublished
	return update(input.Version, post.Version, func(version int) (*clients.Post, error) {
		return r.Clients.Posts.Update(ctx, input.ID, version, clients.PostPatch{Status: &published})
	})
}

func (r *Resolver) deletePost(ctx context.Context, id clients.PostID) (*clients.PostID, []*graph.UserError, error) {
	post, userErrors, err := r.ownPost(ctx, id)
	if post == nil {
		return nil, userErrors, err
	}
	return written(&id, r.Clients.Posts.Delete(ctx, post))
}

// ownPost gives a post that the viewer may write; nil beside a userError when the viewer cannot even see it.
func (r *Resolver) ownPost(ctx context.Context, id clients.PostID) (*clients.Post, []*graph.UserError, error) {
	v := load(ctx).viewer
	if v.Anonymous() {
		return nil, nil, auth.ErrUnauthenticated
	}
	post, userErrors, err := r.visiblePost(ctx, id, "id")
	if post == nil {
		return nil, userErrors, err
	}
	if err := auth.RequireOwner(v, string(post.AuthorID)); err != nil {
		return nil, nil, err
	}
	return post, nil, nil
}

// visiblePost gives a post that the viewer may see, nil beside a userError about that member when there is none.
func (r *Resolver) visiblePost(ctx context.Context, id clients.PostID, member string) (*clients.Post, []*graph.UserError, error) {
	post, ok, err := current(ctx, r.Clients.Posts.ByIDs, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !ok || !auth.CanSee(load(ctx).viewer, postEntity(post)):
		return nil, problem(graph.UserErrorCodeNotFound, "there is no such post", member), nil
	}
	return post, nil, nil
}
