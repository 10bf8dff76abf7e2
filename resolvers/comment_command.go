package resolvers

import (
	"context"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
)

func (r *Resolver) addComment(ctx context.Context, input graph.AddCommentInput) (*clients.Comment, []*graph.UserError, error) {
	author, err := asSelf(ctx, input.AuthorID)
	if err != nil {
		return nil, nil, err
	}
	post, userErrors, err := r.visiblePost(ctx, input.PostID, "postId")
	if post == nil {
		return nil, userErrors, err
	}
	comment, err := r.Clients.Comments.Create(ctx, clients.NewComment{
		PostID: input.PostID, ParentID: input.ParentID, AuthorID: author, Body: input.Body,
	})
	return written(comment, err)
}

func (r *Resolver) updateComment(ctx context.Context, input graph.UpdateCommentInput) (*clients.Comment, []*graph.UserError, error) {
	comment, userErrors, err := r.ownComment(ctx, input.ID)
	if comment == nil {
		return nil, userErrors, err
	}
	return update(input.Version, comment.Version, func(version int) (*clients.Comment, error) {
		return r.Clients.Comments.Update(ctx, comment, version, input.Body)
	})
}

func (r *Resolver) deleteComment(ctx context.Context, id clients.CommentID) (*clients.CommentID, []*graph.UserError, error) {
	comment, userErrors, err := r.ownComment(ctx, id)
	if comment == nil {
		return nil, userErrors, err
	}
	return written(&id, r.Clients.Comments.Delete(ctx, comment))
}

// ownComment gives a standing comment that the viewer may write, nil beside a userError when there is none.
func (r *Resolver) ownComment(ctx context.Context, id clients.CommentID) (*clients.Comment, []*graph.UserError, error) {
	v := load(ctx).viewer
	if v.Anonymous() {
		return nil, nil, auth.ErrUnauthenticated
	}
	comment, ok, err := current(ctx, r.Clients.Comments.ByIDs, id)
	switch {
	case err != nil:
		return nil, nil, err
	case !ok || comment.IsDeleted():
		return nil, problem(graph.UserErrorCodeNotFound, "there is no such comment", "id"), nil
	}
	author, _ := deref(comment.AuthorID)
	if err := auth.RequireOwner(v, string(author)); err != nil {
		return nil, nil, err
	}
	return comment, nil, nil
}
