package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// late is how long after it happened an event may reach the log for a replay to find it for sure.
const late = time.Hour

// replayConfig is what Consumer.Config holds of a replay: the time whose events it sends.
type replayConfig struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Replay is a repetition that was begun.
type Replay struct {
	Endpoint Endpoint
	ID       string // of its consumer; empty: there was nothing to repeat
	Events   int64  // of the log that it goes through: those of the time that the endpoint wants are sent
}

const replaySuffix = "~replay"

func replayID(endpoint string) string { return endpoint + replaySuffix }

// Replay sends the events that happened from a time on, and before another (zero: now), once more, in order, beside the new ones.
// What the endpoint has not been sent for the first time is left to its turn. One replay of an endpoint may be under way; it ends when
// the endpoint is disabled or deleted.
func (e *Endpoints) Replay(ctx context.Context, caller Caller, id string, from, to time.Time) (Replay, error) {
	c, kept, err := e.find(ctx, caller, id)
	if err != nil {
		return Replay{}, err
	}
	now := e.options.Now()
	if to.IsZero() {
		to = now
	}
	endpoint := kept.endpoint(*c, now)
	switch {
	case c.State == dispatch.Disabled:
		return Replay{}, refuse("id", CodeInvalid, "The webhook is disabled: enable it first.")
	case from.After(now):
		return Replay{}, refuse("from", CodeInvalid, "The time lies in the future.")
	case !from.Before(to):
		return Replay{}, refuse("to", CodeInvalid, "The end has to be after the beginning.")
	}
	bounds, err := e.log.Bounds(ctx)
	if err != nil {
		return Replay{}, fmt.Errorf("find the log's ends: %w", err)
	}
	after, until, err := e.stretch(ctx, bounds, from, to)
	if err != nil {
		return Replay{}, err
	}
	if c.LogID == bounds.ID {
		until = min(until, c.Position)
	}
	if after >= until {
		return Replay{Endpoint: endpoint}, nil
	}
	made := dispatch.Consumer{
		Types: c.Types, State: dispatch.Active, LogID: bounds.ID, Position: after, Until: until, Of: id, CreatedAt: now.UTC().Truncate(time.Microsecond),
	}
	if made.Config, err = json.Marshal(replayConfig{from.UTC(), to.UTC()}); err != nil {
		return Replay{}, fmt.Errorf("write replay: %w", err)
	}
	_, err = e.store.Change(ctx, replayID(id), func(before *dispatch.Consumer) (*dispatch.Consumer, error) {
		if before != nil {
			return nil, refuse("id", CodeBusy, "A replay of the webhook is under way: wait for its end.")
		}
		return &made, nil
	})
	if err != nil {
		return Replay{}, fmt.Errorf("create replay: %w", err)
	}
	e.dispatcher.Wake()
	return Replay{endpoint, replayID(id), until - after}, nil
}

// stretch returns the part of the log, behind one position and up to another, that has the events of a time. The log is ordered by
// when they came in, and each came in at most late after it happened: what happened at a time lies between those that happened so
// much before and after it.
func (e *Endpoints) stretch(ctx context.Context, bounds event.Bounds, from, to time.Time) (after, until int64, err error) {
	first := max(bounds.First, 1)
	count := int(bounds.Last - first + 1)
	search := func(at time.Time) int64 {
		return first + int64(sort.Search(count, func(i int) bool {
			if err != nil {
				return false
			}
			var reached bool
			reached, err = e.reached(ctx, first+int64(i), at)
			return reached
		}))
	}
	after, until = search(from.Add(-late))-1, search(to.Add(late))-1
	return after, until, err
}

// reached says whether the first event at a position or behind it happened at a time or later. Snapshots are passed over: they tell
// of times long before they came in. Behind the last event every time is reached; what is gone meanwhile lies before any.
func (e *Endpoints) reached(ctx context.Context, position int64, at time.Time) (bool, error) {
	const page = 500
	for after, limit := position-1, 1; ; limit = page {
		events, err := e.log.Read(ctx, after, limit)
		switch {
		case errors.Is(err, event.ErrTrimmed):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("read events: %w", err)
		case len(events) == 0:
			return true, nil
		}
		for _, each := range events {
			if !each.Snapshot() {
				return !each.Time.Before(at), nil
			}
			after = each.Position
		}
	}
}
