package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/event"
)

// errNoEvent says that a subscription was run as if it were a query.
var errNoEvent = errors.New("a subscription runs for an event")

// hear is the body of every subscription's root field: once it says which topics it is about, and then it answers one event at a
// time. No answer leaves the event out.
func hear[P any](ctx context.Context, topics []string, after *string, answer func(event.Delivery) (*P, error)) (<-chan *P, error) {
	said := make(chan *P, 1)
	defer close(said)
	if opening := event.OpeningFrom(ctx); opening != nil {
		opening.Topics = topics
		if after != nil {
			opening.After = *after
		}
		return said, nil
	}
	delivery, ok := event.DeliveryFrom(ctx)
	if !ok {
		return nil, errNoEvent
	}
	payload, err := answer(delivery)
	if err != nil {
		return nil, err
	}
	if payload != nil {
		said <- payload
	}
	return said, nil
}

// topicsOf names the topic of each id, which must be of the kind.
func topicsOf(topic string, kind clients.Kind, ids ...*clients.GlobalID) ([]string, error) {
	if len(ids) > maxIDs {
		return nil, fmt.Errorf("%w: at most %d ids at once", errInput, maxIDs)
	}
	topics := make([]string, len(ids))
	for i, id := range ids {
		if id.Kind != kind {
			return nil, fmt.Errorf("%w: not an id of a %s", clients.ErrMalformedID, kind)
		}
		topics[i] = topic + ":" + id.ID
	}
	return topics, nil
}

func postAdded(ctx context.Context, authorIDs []*clients.GlobalID, after *string) (<-chan *graph.PostAdded, error) {
	topics := []string{"post.added"}
	if authorIDs != nil {
		var err error
		if topics, err = topicsOf("post.added", clients.KindUser, authorIDs...); err != nil {
			return nil, err
		}
	}
	return hear(ctx, topics, after, func(d event.Delivery) (*graph.PostAdded, error) {
		post, _, err := one(ctx, &load(ctx).post, clients.PostID(idOf(d.Subject)))
		return &graph.PostAdded{Post: post, At: d.Time, Cursor: d.Cursor}, err
	})
}

func commentAdded(ctx context.Context, postID clients.GlobalID, after *string) (<-chan *graph.CommentAdded, error) {
	topics, err := topicsOf("comment.added", clients.KindPost, &postID)
	if err != nil {
		return nil, err
	}
	return hear(ctx, topics, after, func(d event.Delivery) (*graph.CommentAdded, error) {
		// The comments of a post that the caller may not see are nobody's business either.
		if post, _, err := one(ctx, &load(ctx).post, clients.PostID(postID.ID)); post == nil {
			return nil, err
		}
		comment, _, err := one(ctx, &load(ctx).comment, clients.CommentID(idOf(d.Subject)))
		comment, err = readable(ctx, comment, err)
		return &graph.CommentAdded{Comment: comment, At: d.Time, Cursor: d.Cursor}, err
	})
}

func followerAdded(ctx context.Context, userID clients.GlobalID, after *string) (<-chan *graph.FollowerAdded, error) {
	topics, err := topicsOf("follower.added", clients.KindUser, &userID)
	if err != nil {
		return nil, err
	}
	return hear(ctx, topics, after, func(d event.Delivery) (*graph.FollowerAdded, error) {
		followerID, followeeID, _ := strings.Cut(idOf(d.Subject), ":")
		follower, _, err := one(ctx, &load(ctx).user, clients.UserID(followerID))
		if err != nil {
			return nil, err
		}
		user, _, err := one(ctx, &load(ctx).user, clients.UserID(followeeID))
		return &graph.FollowerAdded{Follower: follower, User: user, At: d.Time, Cursor: d.Cursor}, err
	})
}

func (r *Resolver) entityChanged(ctx context.Context, ids []*clients.GlobalID, after *string) (<-chan *graph.EntityChanged, error) {
	if len(ids) > maxIDs {
		return nil, fmt.Errorf("%w: at most %d ids at once", errInput, maxIDs)
	}
	topics := make([]string, len(ids))
	for i, id := range ids {
		if !id.Kind.Entity() {
			return nil, noNode(id.Kind)
		}
		topics[i] = "entity:" + string(id.Kind) + "/" + id.ID
	}
	return hear(ctx, topics, after, func(d event.Delivery) (*graph.EntityChanged, error) {
		id := clients.GlobalID{Kind: clients.Kind(kindOf(d.Subject)), ID: idOf(d.Subject)}
		entity, err := loadNode(ctx, id)
		if err != nil {
			return nil, err
		}
		if shown, err := r.maySee(ctx, d, entity); err != nil || !shown {
			return nil, err
		}
		return &graph.EntityChanged{ID: id, Type: d.Type, Version: int(d.Version), Entity: entity, At: d.Time, Cursor: d.Cursor}, nil
	})
}

// maySee says whether the viewer may know of an event: one about a post, if they could see the post right before or after it, whatever
// it is like now; one about a comment as mayHear has it. Users are everybody's.
func (r *Resolver) maySee(ctx context.Context, d event.Delivery, entity clients.Node) (bool, error) {
	switch clients.Kind(kindOf(d.Subject)) {
	case clients.KindPost:
	case clients.KindComment:
		return r.mayHear(ctx, d, entity)
	default:
		return true, nil
	}
	viewer := load(ctx).viewer
	if post, ok := entity.(*clients.Post); ok && post != nil && auth.CanSee(viewer, auth.Entity{OwnerID: string(post.AuthorID)}) {
		return true, nil
	}
	var names struct{ AuthorID string }
	if err := json.Unmarshal(d.Data, &names); d.Data != nil && err != nil {
		return false, fmt.Errorf("data of an event of %s: %w", d.Subject, err)
	}
	if auth.CanSee(viewer, auth.Entity{OwnerID: names.AuthorID}) {
		return true, nil
	}
	statuses, err := event.Statuses(ctx, r.Log, d.Subject, []time.Time{d.Time.Add(-time.Nanosecond), d.Time})
	return slices.Contains(statuses, string(clients.PostPublished)), err
}

func kindOf(subject string) string { kind, _, _ := strings.Cut(subject, "/"); return kind }
func idOf(subject string) string   { _, id, _ := strings.Cut(subject, "/"); return id }
