package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tributary/clients"
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

// show implements webhook.SenderOptions.Show: an admin's endpoint gets everything, a user's what they could have seen when it happened,
// and of what they can see no more by now, since events may be sent late and again, what it was about alone. While the account is
// frozen or gone neither gets anything.
func (s *showing) show(ctx context.Context, endpoint webhook.Endpoint, e event.Event) (json.RawMessage, bool, error) {
	if inactive, err := s.inactive(ctx, endpoint.Account()); err != nil || inactive {
		return nil, false, cmp.Or(err, webhook.ErrAccount)
	}
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
		return s.user(ctx, viewer.Is(id), e)
	case "post":
		return s.post(ctx, viewer, e.Subject, names.AuthorID, e)
	case "comment":
		return s.comment(ctx, viewer, names, e)
	case "follow":
		return e.Data, true, nil
	}
	return e.Data, viewer.Is(names.OwnerID), nil // the gateway's own
}

// user shows everybody what users are, but for the email, and of those who are gone or frozen by now the id and the status alone.
func (s *showing) user(ctx context.Context, owned bool, e event.Event) (json.RawMessage, bool, error) {
	if owned || e.Data == nil {
		return e.Data, true, nil
	}
	seen, err := s.statuses(ctx, e.Subject, e.Time)
	if err != nil {
		return nil, false, err
	}
	hidden := seen.now == gone || seen.now == frozen
	data, err := picked(e.Data, func(name string) bool { return name != "email" && (!hidden || isName(name)) })
	return data, true, err
}

// post shows an event of a post, or of something under it, to its author, and to those who could see the post right before or after
// it: all of it where they can see the post now, else what it was about alone.
func (s *showing) post(ctx context.Context, viewer auth.Viewer, subject, authorID string, e event.Event) (json.RawMessage, bool, error) {
	if viewer.Is(authorID) {
		return e.Data, true, nil
	}
	seen, err := s.statuses(ctx, subject, e.Time)
	if err != nil || !slices.Contains(seen.then[:], published) {
		return nil, false, err
	}
	if seen.now == published {
		return e.Data, true, nil
	}
	data, err := picked(e.Data, isName)
	return data, true, err
}

// comment goes by its post; what comments said that are deleted by now is shown to their authors alone.
func (s *showing) comment(ctx context.Context, viewer auth.Viewer, names told, e event.Event) (json.RawMessage, bool, error) {
	if viewer.Is(names.AuthorID) {
		return e.Data, true, nil
	}
	data, shown, err := s.post(ctx, viewer, "post/"+names.PostID, "", e)
	if err != nil || !shown {
		return nil, false, err
	}
	seen, err := s.statuses(ctx, e.Subject, e.Time)
	if err == nil && seen.now == gone {
		data, err = picked(data, isName)
	}
	return data, err == nil, err
}

// The statuses that decide.
const (
	published = "published"
	gone      = "deleted"
	frozen    = string(clients.UserFrozen)
)

// standing is the statuses of a subject right before and after a time, and now.
type standing struct {
	then [2]string
	now  string
}

// forever is behind all events, in seconds since 1970.
const forever = 1 << 40

func (s *showing) statuses(ctx context.Context, subject string, at time.Time) (standing, error) {
	statuses, err := event.Statuses(ctx, s.log, subject, []time.Time{at.Add(-time.Nanosecond), at, time.Unix(forever, 0)})
	if err != nil {
		return standing{}, err
	}
	return standing{[2]string(statuses), statuses[2]}, nil
}

// isName says whether a member tells what an event is about, and nothing that somebody wrote.
func isName(member string) bool {
	switch member {
	case "id", "authorId", "postId", "parentId", "status":
		return true
	}
	return false
}

// picked leaves out the members that are not wanted.
func picked(data json.RawMessage, wanted func(member string) bool) (json.RawMessage, error) {
	if data == nil {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	maps.DeleteFunc(members, func(member string, _ json.RawMessage) bool { return !wanted(member) })
	return json.Marshal(members)
}
