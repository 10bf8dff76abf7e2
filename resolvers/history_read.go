package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/engine"
	"tributary/internal/event"
	"tributary/internal/relay"
)

// maxHistoryPage bounds a page of history.
const maxHistoryPage = 100

// historyPage reads the arguments of a list of events. A cursor is the number of the last entry before the page.
func historyPage(first *int, after *string) (limit int, before int64, err error) {
	if first == nil || *first < 1 || *first > maxHistoryPage {
		return 0, 0, fmt.Errorf("%w: first must be from 1 to %d", relay.ErrPaging, maxHistoryPage)
	}
	if after != nil {
		text, ok := strings.CutPrefix(*after, "e")
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || !ok || before < 1 {
			return 0, 0, fmt.Errorf("%w: not one of this list", clients.ErrMalformedCursor)
		}
	}
	return *first, before, nil
}

func historyCursor(number int64) string { return "e" + strconv.FormatInt(number, 10) }

// history pages what happened to an entity, as far as the viewer may know: owner is whom it belongs to.
func (r *Resolver) history(ctx context.Context, kind clients.Kind, id string, owner clients.UserID, first *int, after *string) (*graph.HistoryConnection, error) {
	owned := auth.CanSee(load(ctx).viewer, auth.Entity{OwnerID: string(owner)})
	return r.historyOf(ctx, string(kind)+"/"+id, owned, first, after, func(changes []event.Change) ([]event.Change, error) {
		return slices.DeleteFunc(changes, func(c event.Change) bool { return !owned && !publicly(kind, c) }), nil
	})
}

// historyOf pages what happened to a subject: of each page of changes what shown leaves of them.
func (r *Resolver) historyOf(ctx context.Context, subject string, owned bool, first *int, after *string, shown func([]event.Change) ([]event.Change, error)) (*graph.HistoryConnection, error) {
	limit, before, err := historyPage(first, after)
	if err != nil {
		return nil, err
	}
	var changes []event.Change
	var more bool
	engine.GateFrom(ctx).Outside(func() {
		changes, more, err = event.History(ctx, r.Log, subject, event.HistoryPage{Before: before, Limit: limit, Backward: true})
	})
	if err != nil {
		return nil, err
	}
	var last int64
	if more {
		last = changes[len(changes)-1].Event.Version
	}
	if changes, err = shown(changes); err != nil {
		return nil, err
	}
	page := newHistoryPage(more, after)
	for _, change := range changes {
		page.add(historyEntry(change, owned), change.Event.Version)
	}
	return page.connection(last), nil
}

// publicly says whether everybody may know of a change: one of a post, as long as it is published before or after.
func publicly(kind clients.Kind, change event.Change) bool {
	published := string(clients.PostPublished)
	return kind != clients.KindPost || change.Status == published || change.StatusBefore == published
}

// historyEntry shows a change, to those whom the entity does not belong to without what is the owner's alone.
func historyEntry(change event.Change, owned bool) *graph.HistoryEntry {
	e := change.Event
	entry := &graph.HistoryEntry{
		ID: e.ID, Type: e.Type, At: e.Time, Version: int(e.Version), ActorID: e.Actor, IsRedacted: e.Data == nil,
		EntityID: globalIDOf(e.Subject), Changes: []*graph.FieldChange{}, ValueChanges: []*graph.ValueChange{},
	}
	for _, field := range change.Fields {
		if field.Name != "email" || owned {
			before, after := recorded(field.Before), recorded(field.After)
			entry.ValueChanges = append(entry.ValueChanges, &graph.ValueChange{Field: field.Name, Before: before, After: after})
			entry.Changes = append(entry.Changes, &graph.FieldChange{Field: field.Name, Before: valueOf(before), After: valueOf(after)})
		}
	}
	return entry
}

// recorded is a value as the log has it; nil for one that is not known.
func recorded(raw json.RawMessage) *graph.RecordedValue {
	if raw == nil {
		return nil
	}
	var value any
	_ = json.Unmarshal(raw, &value) // what the log holds is JSON
	return &graph.RecordedValue{Value: value}
}

// valueOf is a recorded value; nil for none, and where it is not known.
func valueOf(r *graph.RecordedValue) any {
	if r == nil {
		return nil
	}
	return r.Value
}

// historyPages gathers entries.
type historyPages struct {
	page graph.HistoryConnection
}

func newHistoryPage(more bool, after *string) *historyPages {
	return &historyPages{graph.HistoryConnection{
		Edges: []*graph.HistoryEdge{}, Nodes: []*graph.HistoryEntry{}, PageInfo: &relay.PageInfo{HasNextPage: more, HasPreviousPage: after != nil},
	}}
}

func (p *historyPages) add(entry *graph.HistoryEntry, number int64) {
	p.page.Nodes = append(p.page.Nodes, entry)
	p.page.Edges = append(p.page.Edges, &graph.HistoryEdge{Cursor: historyCursor(number), Node: entry})
}

// connection gives the page. Where there are more, the next one begins behind the last entry that was looked at, which need not be
// on this page.
func (p *historyPages) connection(last int64) *graph.HistoryConnection {
	info := p.page.PageInfo
	if n := len(p.page.Edges); n > 0 {
		info.Start, info.End = relay.At(p.page.Edges[0].Cursor), relay.At(p.page.Edges[n-1].Cursor)
	}
	if info.HasNextPage {
		cursor := historyCursor(last)
		info.End = relay.At(cursor)
	}
	return &p.page
}

// auditLog pages what happened to anything: all of it for admins, for others what they did themselves.
func (r *Resolver) auditLog(ctx context.Context, filter *graph.AuditFilter, first *int, after *string) (*graph.HistoryConnection, error) {
	limit, before, err := historyPage(first, after)
	if err != nil {
		return nil, err
	}
	wanted, err := auditFilter(load(ctx).viewer, filter)
	if err != nil {
		return nil, err
	}
	var changes []event.Change
	var next int64
	var more bool
	engine.GateFrom(ctx).Outside(func() { changes, next, more, err = event.Audit(ctx, r.Log, wanted, before, limit) })
	if err != nil {
		return nil, err
	}
	page := newHistoryPage(more, after)
	for _, change := range changes {
		page.add(auditEntry(change, load(ctx).viewer), change.Event.Position)
	}
	return page.connection(next), nil
}

// auditEntry shows a change to an admin, or to who did it: without the email of others, and without what comments said, since whether
// they were deleted would have to be read one by one.
func auditEntry(change event.Change, viewer auth.Viewer) *graph.HistoryEntry {
	kind, owner := clients.Kind(kindOf(change.Event.Subject)), ""
	if kind == clients.KindUser {
		owner = idOf(change.Event.Subject)
	}
	entry := historyEntry(change, auth.CanSee(viewer, auth.Entity{OwnerID: owner}))
	if kind == clients.KindComment && !viewer.Admin() {
		entry.Changes = slices.DeleteFunc(entry.Changes, func(c *graph.FieldChange) bool { return c.Field == "body" })
		entry.ValueChanges = slices.DeleteFunc(entry.ValueChanges, func(c *graph.ValueChange) bool { return c.Field == "body" })
	}
	return entry
}

func auditFilter(viewer auth.Viewer, filter *graph.AuditFilter) (event.AuditFilter, error) {
	var wanted event.AuditFilter
	if filter != nil {
		wanted.Types = filter.Types
		if filter.ActorID != nil {
			wanted.Actor = string(*filter.ActorID)
		}
		if filter.EntityID != nil {
			wanted.Subject = subjectOf(*filter.EntityID)
		}
		if filter.From != nil {
			wanted.From = *filter.From
		}
		if filter.To != nil {
			wanted.To = *filter.To
		}
	}
	if viewer.Admin() {
		return wanted, nil
	}
	if wanted.Actor == "" {
		wanted.Actor = viewer.UserID
	}
	return wanted, auth.RequireSelf(viewer, wanted.Actor)
}

// asOf gives an entity's own fields as they were; nil if it did not exist then.
func asOf[V any](ctx context.Context, r *Resolver, kind clients.Kind, id string, at time.Time) (*V, error) {
	var state event.State
	var known bool
	var err error
	engine.GateFrom(ctx).Outside(func() { state, known, err = event.AsOf(ctx, r.Log, string(kind)+"/"+id, at) })
	switch {
	case errors.Is(err, event.ErrHistoryExpired):
		return nil, fmt.Errorf("%w: the history does not reach back to then", errHistoryExpired)
	case err != nil:
		return nil, err
	case !known, state.Deleted, state.Redacted:
		return nil, nil
	}
	v := new(V)
	if err := json.Unmarshal(state.JSON, v); err != nil {
		return nil, fmt.Errorf("state of %s %s: %w", kind, id, err)
	}
	return v, nil
}

func (r *Resolver) userAsOf(ctx context.Context, id clients.UserID, at time.Time) (*clients.User, error) {
	user, err := asOf[clients.User](ctx, r, clients.KindUser, string(id), at)
	if user == nil || !auth.CanSee(load(ctx).viewer, userEntity(user)) {
		return nil, err
	}
	return user, nil
}

func (r *Resolver) postAsOf(ctx context.Context, id clients.PostID, at time.Time) (*clients.Post, error) {
	post, err := asOf[clients.Post](ctx, r, clients.KindPost, string(id), at)
	if post == nil || !auth.CanSee(load(ctx).viewer, postEntity(post)) {
		return nil, err
	}
	return post, nil
}

// webhookSubject begins the subjects of events about webhooks, whose ids have their kind in front also below the graph.
const webhookSubject = "webhook/" + string(clients.KindWebhook) + "_"

// globalIDOf names what an event is about.
func globalIDOf(subject string) clients.GlobalID {
	if id, ok := strings.CutPrefix(subject, webhookSubject); ok {
		return clients.GlobalID{Kind: clients.KindWebhook, ID: id}
	}
	return clients.GlobalID{Kind: clients.Kind(kindOf(subject)), ID: idOf(subject)}
}

// subjectOf is the inverse of globalIDOf.
func subjectOf(id clients.GlobalID) string {
	if id.Kind == clients.KindWebhook {
		return webhookSubject + id.ID
	}
	return string(id.Kind) + "/" + id.ID
}
