package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
)

// reaction is what the gateway itself does about events: at least once for each, in order for each subject, and for as long as it takes.
type reaction struct {
	types []string
	// erased: it is also for events whose data was erased since.
	erased bool
	do     func(d *durable, ctx context.Context, e event.Event) dispatch.Result
}

const reactionPrefix = "on_"

// on holds the reactions by the ids of their consumers. A reaction that changes its meaning gets another id, and so begins anew.
var reactions = map[string]reaction{
	reactionPrefix + "welcome":  {types: []string{"user.created"}, do: (*durable).welcome},
	reactionPrefix + "accounts": {types: []string{"user.frozen", "user.deleted", "user.restored"}, erased: true, do: (*durable).followAccount},
}

func isReaction(c dispatch.Consumer) bool { return strings.HasPrefix(c.ID, reactionPrefix) }

// consumerKind is the kind of a consumer in metrics.
func consumerKind(c dispatch.Consumer) string {
	if isReaction(c) {
		return "reaction"
	}
	return "webhook"
}

// send hands an event to an endpoint, or to a reaction.
func (d *durable) send(ctx context.Context, c dispatch.Consumer, e event.Event, attempt int) dispatch.Result {
	if webhook.Is(c) {
		return d.sender.Send(ctx, c, e, attempt)
	}
	react, known := reactions[c.ID]
	if !known {
		return dispatch.Result{Skipped: true} // of another version of this program, which runs beside this one
	}
	if e.Data == nil && !react.erased {
		return dispatch.Result{Skipped: true} // erased: there is nobody to do something about
	}
	return react.do(d, ctx, e)
}

// errKept says that a consumer is there already.
var errKept = errors.New("it is there")

// keepReactions has the reactions' consumers stand in the store: they get the events from the time when they were first there.
func (d *durable) keepReactions(ctx context.Context) error {
	for id, react := range reactions {
		for {
			err := d.keepReaction(ctx, id, react)
			if err == nil {
				break
			}
			d.log.WarnContext(ctx, "a reaction to events cannot be set up", "reaction", id, "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
		}
	}
	d.dispatcher.Wake()
	return nil
}

func (d *durable) keepReaction(ctx context.Context, id string, react reaction) error {
	bounds, err := d.events.log.Bounds(ctx)
	if err != nil {
		return err
	}
	_, err = d.consumers.Change(ctx, id, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
		if c != nil {
			return nil, errKept
		}
		return &dispatch.Consumer{
			ID: id, Types: react.types, Config: []byte("{}"), State: dispatch.Active, LogID: bounds.ID, Position: bounds.Last,
			CreatedAt: time.Now().UTC(),
		}, nil
	})
	if errors.Is(err, errKept) {
		return nil
	}
	return err
}
