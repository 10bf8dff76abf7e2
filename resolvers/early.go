package resolvers

import (
	"context"

	"tributary/clients"
	"tributary/internal/engine"
)

// Early tells the tables which root fields say by their arguments, or by who asks, what object they give, and which edges need nothing of it but its
// id: those begin beside it. What they would show to nobody else stays so: an edge is answered only if the object came, to this viewer.
// Of a provisional object nothing but the id may be read, so an edge that asks for its author or its status is not among them.
func Early(t *engine.Tables) {
	t.Early("Query", "user", func(_ context.Context, args map[string]any) (any, bool) {
		id, _ := args["id"].(*clients.GlobalID)
		handle, _ := args["handle"].(*string)
		if id == nil || handle != nil || id.Kind != clients.KindUser {
			return nil, false
		}
		return provisional(*id)
	})
	t.Early("Query", "viewer", func(ctx context.Context, _ map[string]any) (any, bool) {
		id := load(ctx).viewer.UserID
		return &clients.User{ID: clients.UserID(id)}, id != ""
	})
	for field, kind := range map[string]clients.Kind{"post": clients.KindPost, "comment": clients.KindComment, "node": ""} {
		t.Early("Query", field, func(_ context.Context, args map[string]any) (any, bool) {
			id, _ := args["id"].(clients.GlobalID)
			if kind != "" && id.Kind != kind {
				return nil, false
			}
			return provisional(id)
		})
	}
	t.ByKey("User", "posts", "comments", "followers", "following", "stats", "activity", "followedByViewer", "viewerIsFollowing")
	t.ByKey("Post", "comments", "commentCount")
	t.ByKey("Comment", "replies")
}

// provisional is an object of which only the id is known.
func provisional(id clients.GlobalID) (any, bool) {
	switch id.Kind {
	case clients.KindUser:
		return &clients.User{ID: clients.UserID(id.ID)}, true
	case clients.KindPost:
		return &clients.Post{ID: clients.PostID(id.ID)}, true
	case clients.KindComment:
		return &clients.Comment{ID: clients.CommentID(id.ID)}, true
	}
	return nil, false
}

type earlyKey struct{}

// earlyOf is the context that ends when what began early in ctx is dropped; nil when it did not begin early.
func earlyOf(ctx context.Context) context.Context {
	early, _ := ctx.Value(earlyKey{}).(context.Context)
	return early
}

// Fork gives the fields that begin early below a provisional object a scope of their own, with the response's loaders. What they report
// as degraded is the response's once it is adopted.
func (r *Resolver) Fork(ctx context.Context, obj any) (own context.Context, adopt func(context.Context)) {
	outer := load(ctx)
	s := &scope{loaders: outer.loaders, viewer: outer.viewer, report: &report{}, outer: outer}
	if post, ok := obj.(*clients.Post); ok {
		s.below = post.ID
	}
	own = context.WithValue(context.WithValue(ctx, earlyKey{}, ctx), scopeKey{}, s)
	return own, func(ctx context.Context) {
		for _, d := range s.report.entries {
			outer.report.add(ctx, d)
		}
	}
}

// whole is the scope of the response.
func (s *scope) whole() *scope {
	if s.outer != nil {
		return s.outer
	}
	return s
}
