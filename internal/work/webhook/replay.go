package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tributary/internal/work/dispatch"
)

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
	after, until, err := stretch(ctx, e.log, bounds, from, to)
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
