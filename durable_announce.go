package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tributary/internal/event"
	"tributary/internal/work"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// announcement is what an event of the gateway's own tells: of jobs and sagas, and of webhooks. Of persons it holds ids alone.
type announcement struct {
	Name    string        `json:"name,omitempty"`
	State   string        `json:"state"`
	OwnerID string        `json:"ownerId,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Steps   []work.Step   `json:"steps,omitempty"`
	Failure *work.Failure `json:"failure,omitempty"`
}

// announce tells of a change of a job or a saga.
func (d *durable) announce(ctx context.Context, r work.Record) error {
	return d.tell(ctx, event.Event{
		ID: r.ID + ":" + strconv.FormatInt(r.Revision, 10), Type: string(r.Kind) + "." + verbOf(r), Subject: string(r.Kind) + "/" + r.ID,
		Time: r.UpdatedAt, Actor: r.ActorID,
	}, announcement{Name: workName(r.Name), State: string(r.State), OwnerID: r.OwnerID, Steps: r.Steps, Failure: r.Failure})
}

// verbOf says what became of a piece of work, in the type of its event.
func verbOf(r work.Record) string {
	switch r.State {
	case work.Completed:
		return "completed"
	case work.Stuck:
		return "stuck"
	case work.Cancelled:
		return "cancelled"
	case work.Failed:
		return "failed"
	case work.Compensated:
		if r.Decision == work.TakeBack {
			return "restored"
		}
		return "failed"
	}
	return "progressed"
}

// workName is the name of a definition without its version.
func workName(name string) string { name, _, _ = strings.Cut(name, "."); return name }

// announceExport tells that an export can be fetched.
func (d *durable) announceExport(ctx context.Context, r work.Record) error {
	return d.tell(ctx, event.Event{
		ID: r.ID + ":export", Type: "export.completed", Subject: "job/" + r.ID, Time: time.Now(), Actor: r.ActorID,
	}, announcement{Name: workName(r.Name), State: string(work.Completed), OwnerID: r.OwnerID})
}

// announceDisabled tells that an endpoint gets nothing any more.
func (d *durable) announceDisabled(ctx context.Context, c dispatch.Consumer) error {
	endpoint, ok := webhook.FromConsumer(c, time.Now())
	if !ok {
		return nil
	}
	return d.tell(ctx, event.Event{
		ID: c.ID + ":disabled:" + strconv.FormatInt(c.Revision, 10), Type: "webhook.disabled", Subject: "webhook/" + c.ID, Time: time.Now(),
	}, announcement{State: string(c.State), OwnerID: endpoint.OwnerID, Reason: c.Reason})
}

func (d *durable) tell(ctx context.Context, e event.Event, what announcement) (err error) {
	e.Time = e.Time.UTC()
	if e.Data, err = json.Marshal(what); err != nil {
		return err
	}
	return event.Announce(ctx, d.events.log, e)
}
