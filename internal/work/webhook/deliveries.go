package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// Delivery is one attempt to deliver an event, as the endpoint's owner sees it.
type Delivery struct {
	Number      int64  // in the log of its endpoint, from 1
	EventID     string // the webhook-id of every attempt; empty where Outcome is dispatch.Lost
	EventType   string
	Subject     string
	Attempt     int // from 1
	IsManual    bool
	At          time.Time
	Took        time.Duration
	Outcome     dispatch.Outcome
	Status      int    // of the answer; 0: there was none
	Excerpt     string // of the answer
	Problem     string // one of the problems of this package, or dispatch's EVENTS_LOST; empty: none
	NextRetryAt *time.Time
}

func fromDelivery(d dispatch.Delivery) Delivery {
	made := Delivery{
		Number: d.Number, EventType: d.Type, Subject: d.Subject, Attempt: d.Attempt, IsManual: d.Manual, At: d.At, Took: d.Took,
		Outcome: d.Outcome, Status: d.Status, Excerpt: d.Excerpt, Problem: d.Problem, NextRetryAt: some(d.NextRetry),
	}
	if d.EventID != "" {
		made.EventID = messageID(event.Event{Source: d.Source, ID: d.EventID})
	}
	return made
}

const maxDeliveries = 100 // in one page

// Deliveries returns up to limit deliveries, at most 100, with numbers below before (0: no bound), the latest first.
func (e *Endpoints) Deliveries(ctx context.Context, caller Caller, id string, before int64, limit int) ([]Delivery, error) {
	if _, _, err := e.find(ctx, caller, id); err != nil {
		return nil, err
	}
	kept, err := e.store.Deliveries(ctx, id, before, min(limit, maxDeliveries))
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	deliveries := make([]Delivery, 0, len(kept))
	for _, d := range kept {
		deliveries = append(deliveries, fromDelivery(d))
	}
	return deliveries, nil
}

// Ping sends an event of the type webhook.ping now, in whichever state the endpoint is, and tells what came of it. CodeBusy while
// as many pings and repetitions of the caller are under way as may be; admins have no such bound.
func (e *Endpoints) Ping(ctx context.Context, caller Caller, id string) (Delivery, error) {
	if _, _, err := e.find(ctx, caller, id); err != nil {
		return Delivery{}, err
	}
	return e.deliver(ctx, caller, id, event.Event{
		ID: rand.Text(), Source: event.SourceGateway, Type: TypePing, Subject: "webhook/" + id, Version: 1,
		Time: e.options.Now().UTC().Truncate(time.Millisecond), Data: []byte(`{}`),
	})
}

// Redeliver sends the event of a delivery once more, now, in whichever state the endpoint is, and tells what came of it.
// CodeBusy as with Ping.
func (e *Endpoints) Redeliver(ctx context.Context, caller Caller, id string, number int64) (Delivery, error) {
	if _, _, err := e.find(ctx, caller, id); err != nil {
		return Delivery{}, err
	}
	var before []dispatch.Delivery
	var err error
	if number > 0 && number+1 > 0 {
		before, err = e.store.Deliveries(ctx, id, number+1, 1)
	}
	switch {
	case err != nil:
		return Delivery{}, fmt.Errorf("read delivery: %w", err)
	case len(before) == 0 || before[0].Number != number:
		return Delivery{}, refuse("delivery", CodeNotFound, "There is no such delivery, or it is no longer kept.")
	case before[0].Type == TypePing:
		return Delivery{}, refuse("delivery", CodeInvalid, "A ping is not repeated: send another one.")
	}
	events, err := e.log.Read(ctx, max(before[0].Position-1, 0), 1)
	if err != nil && !errors.Is(err, event.ErrTrimmed) {
		return Delivery{}, fmt.Errorf("read event: %w", err)
	}
	// In another log the position may be another event's.
	if len(events) == 0 || events[0].ID != before[0].EventID || events[0].Source != before[0].Source {
		return Delivery{}, refuse("delivery", CodeNotFound, "The event is no longer kept.")
	}
	return e.deliver(ctx, caller, id, events[0])
}

func (e *Endpoints) deliver(ctx context.Context, caller Caller, id string, of event.Event) (Delivery, error) {
	if !caller.Admin {
		if !e.byHand.take(caller.UserID) {
			return Delivery{}, refuse("", CodeBusy, "As many pings and repetitions of yours are under way as may be: wait for one to end.")
		}
		defer e.byHand.leave(caller.UserID)
	}
	made, err := e.dispatcher.Deliver(ctx, id, of)
	if errors.Is(err, dispatch.ErrUnknown) {
		return Delivery{}, unknownEndpoint()
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("deliver: %w", err)
	}
	return fromDelivery(made), nil
}
