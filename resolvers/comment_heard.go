package resolvers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/event"
)

// mayHear says whether the viewer may know of an event about a comment: whoever wrote it, who wrote its post, and admins always, all
// others if its post can be seen now and could be right before or after the event, as in the comment's history. Where the log does
// not know what the post was like then, as before its service has told of it at all, now decides alone. comment is what the viewer
// may read of it now.
func (r *Resolver) mayHear(ctx context.Context, d event.Delivery, comment clients.Node) (bool, error) {
	var names struct{ PostID, AuthorID string }
	if err := json.Unmarshal(d.Data, &names); d.Data != nil && err != nil {
		return false, fmt.Errorf("data of an event of %s: %w", d.Subject, err)
	}
	if c, ok := comment.(*clients.Comment); ok && c != nil {
		author, _ := deref(c.AuthorID)
		names.PostID = string(c.PostID)
		if names.AuthorID == "" {
			names.AuthorID = string(author)
		}
	}
	viewer := load(ctx).viewer
	if auth.CanSee(viewer, auth.Entity{OwnerID: names.AuthorID}) {
		return true, nil
	}
	if names.PostID == "" { // of a comment that has been erased
		return false, nil
	}
	post, _, err := one(ctx, &load(ctx).post, clients.PostID(names.PostID))
	if post == nil {
		return false, err
	}
	if viewer.Is(string(post.AuthorID)) {
		return true, nil
	}
	statuses, err := event.Statuses(ctx, r.Log, string(clients.KindPost)+"/"+names.PostID, []time.Time{d.Time.Add(-time.Nanosecond), d.Time})
	unknown := !slices.ContainsFunc(statuses, func(status string) bool { return status != "" })
	return err == nil && (unknown || slices.Contains(statuses, string(clients.PostPublished))), err
}
