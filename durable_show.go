package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/internal/auth"
	"tributary/internal/event"
	"tributary/internal/work/webhook"
)

// showing decides what the owner of an endpoint may see of events, by the rule that queries follow.
type showing struct {
	log event.Log
}

// told are the members of events that decide who may see them.
type told struct {
	AuthorID, PostID, OwnerID, Status string
}

// show implements webhook.SenderOptions.Show: an admin's endpoint gets everything, a user's what they could have seen when it happened.
func (s *showing) show(ctx context.Context, endpoint webhook.Endpoint, e event.Event) (json.RawMessage, bool, error) {
	if endpoint.OwnerID == "" {
		return e.Data, true, nil
	}
	viewer := auth.Viewer{UserID: endpoint.OwnerID}
	kind, id, _ := strings.Cut(e.Subject, "/")
	var names told
	if e.Data != nil {
		if err := json.Unmarshal(e.Data, &names); err != nil {
			return nil, false, fmt.Errorf("data of event %d: %w", e.Position, err)
		}
	}
	switch kind {
	case "user":
		data, err := withoutEmail(e.Data, viewer.Is(id))
		return data, true, err
	case "post":
		shown, err := s.post(ctx, viewer, e.Subject, names.AuthorID, e.Time)
		return e.Data, shown, err
	case "comment":
		if viewer.Is(names.AuthorID) {
			return e.Data, true, nil
		}
		shown, err := s.post(ctx, viewer, "post/"+names.PostID, "", e.Time)
		return e.Data, shown, err
	case "follow":
		return e.Data, true, nil
	}
	return e.Data, viewer.Is(names.OwnerID), nil // the gateway's own
}

// post says whether a viewer could see a post right before or after something happened to it, or under it.
func (s *showing) post(ctx context.Context, viewer auth.Viewer, subject, authorID string, at time.Time) (bool, error) {
	if viewer.Is(authorID) {
		return true, nil
	}
	statuses, err := event.Statuses(ctx, s.log, subject, []time.Time{at.Add(-time.Nanosecond), at})
	return slices.Contains(statuses, "published"), err
}

// withoutEmail leaves out what is the owner's alone.
func withoutEmail(data json.RawMessage, owned bool) (json.RawMessage, error) {
	if owned || data == nil {
		return data, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	delete(members, "email")
	return json.Marshal(members)
}
