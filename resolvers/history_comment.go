package resolvers

import (
	"context"
	"slices"
	"time"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/event"
)

// commentHistory is history but for what was not to be seen: of a comment that was deleted only admins read what it said, and what
// happened while its post was not published only its author, the post's and admins do.
func (r *Resolver) commentHistory(ctx context.Context, c *clients.Comment, first *int, after *string) (*graph.HistoryConnection, error) {
	if c.IsDeleted() && !load(ctx).viewer.Admin() {
		if _, _, err := historyPage(first, after); err != nil {
			return nil, err
		}
		return newHistoryPage(false, after).connection(0), nil
	}
	return r.historyOf(ctx, string(clients.KindComment)+"/"+string(c.ID), false, first, after, func(changes []event.Change) ([]event.Change, error) {
		times := make([]time.Time, len(changes))
		for i, change := range changes {
			times[i] = change.Event.Time
		}
		shown, err := r.commentShown(ctx, c, times)
		if err != nil {
			return nil, err
		}
		var kept []event.Change
		for i, change := range changes {
			if shown[i] {
				kept = append(kept, change)
			}
		}
		return kept, nil
	})
}

// commentAsOf is asOf for a comment, as far as commentHistory would tell of it.
func (r *Resolver) commentAsOf(ctx context.Context, c *clients.Comment, at time.Time) (*clients.Comment, error) {
	if c.IsDeleted() && !load(ctx).viewer.Admin() {
		return nil, nil
	}
	was, err := asOf[clients.Comment](ctx, r, clients.KindComment, string(c.ID), at)
	if was == nil {
		return nil, err
	}
	shown, err := r.commentShown(ctx, c, []time.Time{at})
	if err != nil || !shown[0] {
		return nil, err
	}
	return was, nil
}

// commentShown says of each time whether the viewer could see the comment then, and can now: whoever owns it or its post sees it
// always, everybody else while the post is published. It reads the log once, and not at all for its author and admins.
func (r *Resolver) commentShown(ctx context.Context, c *clients.Comment, times []time.Time) ([]bool, error) {
	if len(times) == 0 {
		return nil, nil
	}
	v, shown := load(ctx).viewer, make([]bool, len(times))
	author, _ := deref(c.AuthorID)
	owned := auth.CanSee(v, auth.Entity{OwnerID: string(author)})
	if !owned {
		post, _, err := one(ctx, &load(ctx).post, c.PostID)
		if post == nil { // deleted, hidden, or its service is down
			return shown, err
		}
		owned = auth.CanSee(v, auth.Entity{OwnerID: string(post.AuthorID)})
	}
	if owned {
		return slices.Repeat([]bool{true}, len(times)), nil
	}
	statuses, err := event.Statuses(ctx, r.Log, string(clients.KindPost)+"/"+string(c.PostID), times)
	for i, status := range statuses {
		shown[i] = status == string(clients.PostPublished)
	}
	return shown, err
}
