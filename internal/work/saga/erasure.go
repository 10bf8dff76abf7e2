package saga

import (
	"context"
	"encoding/json"
	"strings"

	"tributary/internal/event"
	"tributary/internal/work"
)

// erasure takes what the gateway itself keeps of a person. The services no longer tell which comments were theirs once these are
// anonymised, but the log does: its events name their authors until they are redacted. So the log is walked, page by page, however
// many subjects it has; what an attempt has redacted is not found again by the next one.
type erasure struct{ Options }

const (
	subjectPage = 500 // subjects of the log in memory at a time
	eventPage   = 100 // events of one subject
)

// history redacts everything of a person in the log.
func (e erasure) history(ctx context.Context, call *work.Call, in deleteInput) error {
	id, seen := string(in.User), int64(0)
	for after := ""; ; {
		page, err := e.History.Subjects(ctx, after, subjectPage)
		if err != nil {
			return err
		}
		for _, subject := range page {
			if err := e.subject(ctx, subject, id); err != nil {
				return err
			}
		}
		seen += int64(len(page))
		call.Progress(ctx, seen, 0)
		if len(page) < subjectPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// rest goes through the log once more, for what the purges told and what came in late, and takes away what else is kept.
func (e erasure) rest(ctx context.Context, call *work.Call, in deleteInput) error {
	if err := e.history(ctx, call, in); err != nil {
		return err
	}
	if e.Erase == nil {
		return nil
	}
	return e.Erase(ctx, string(in.User))
}

// subject redacts a subject of the log if it is the person's: the account, an edge at either end of which it stands, and whatever
// was theirs at any time.
func (e erasure) subject(ctx context.Context, subject, id string) error {
	kind, name, _ := strings.Cut(subject, "/")
	follower, followee, _ := strings.Cut(name, ":")
	whole := kind == "user" && name == id || kind == "follow" && (follower == id || followee == id)
	if !whole && (kind == "user" || kind == "follow") {
		return nil
	}
	for after := int64(0); ; {
		events, err := e.History.ReadSubject(ctx, subject, after, 0, eventPage, false)
		if err != nil {
			return err
		}
		for _, one := range events {
			if whole && (one.Data != nil || one.Actor != "") || names(one, id) {
				return e.History.Redact(ctx, subject)
			}
		}
		if len(events) < eventPage {
			return nil
		}
		after = events[len(events)-1].Version
	}
}

// names tells whether an event says that its subject is or was somebody's.
func names(e event.Event, id string) bool {
	var of struct {
		AuthorID         string `json:"authorId"`
		PreviousAuthorID string `json:"previousAuthorId"`
	}
	return len(e.Data) > 0 && json.Unmarshal(e.Data, &of) == nil && (of.AuthorID == id || of.PreviousAuthorID == id)
}
