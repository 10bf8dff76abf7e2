package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tributary/internal/work/dispatch"
)

// Update changes an endpoint, all that is asked or nothing. One that fails is tried again at once at a new URL.
func (e *Endpoints) Update(ctx context.Context, caller Caller, id string, u Update) (Endpoint, error) {
	c, kept, err := e.find(ctx, caller, id)
	if err != nil {
		return Endpoint{}, err
	}
	if err := e.apply(ctx, c, &kept, u); err != nil { // may look up a name: not while the store waits
		return Endpoint{}, err
	}
	return e.change(ctx, caller, id, func(now *dispatch.Consumer, fresh *config) error {
		if u.EventTypes != nil {
			now.Types = c.Types
		}
		if u.Description != nil {
			fresh.Description = kept.Description
		}
		if u.Version != nil {
			fresh.Version = kept.Version
		}
		if u.URL != nil && fresh.URL != kept.URL {
			fresh.URL = kept.URL
			if now.State == dispatch.Failing {
				activate(now)
			}
		}
		switch disabled := now.State == dispatch.Disabled; {
		case u.Enabled == nil || *u.Enabled != disabled: // it is so already
		case *u.Enabled && now.Reason == ReasonAccount:
			return takeOver(now, fresh, caller)
		case *u.Enabled:
			activate(now)
		default:
			disable(now, dispatch.ReasonByRequest)
		}
		return nil
	})
}

func activate(c *dispatch.Consumer) {
	c.State, c.Reason, c.Attempts, c.FailingSince, c.RetryAt = dispatch.Active, "", 0, time.Time{}, time.Time{}
}

func disable(c *dispatch.Consumer, reason string) {
	c.State, c.Reason, c.RetryAt = dispatch.Disabled, reason, time.Time{}
}

// RotateSecret gives an endpoint a new secret, made at random if none is given, and returns it; it cannot be told again. For 24 h
// deliveries are signed with both; the one before the last ends at once.
func (e *Endpoints) RotateSecret(ctx context.Context, caller Caller, id, given string) (_ Endpoint, secret string, err error) {
	chosen, refusal := chooseSecret(given)
	if refusal != nil {
		return Endpoint{}, "", refusal
	}
	endpoint, err := e.change(ctx, caller, id, func(_ *dispatch.Consumer, kept *config) error {
		if kept.Secret == chosen {
			return nil // asked twice: the previous one stays valid
		}
		kept.Previous, kept.Secret = kept.Secret, chosen
		kept.PreviousUntil = e.options.Now().UTC().Add(time.Duration(float64(rotationTime) * e.options.Scale))
		return nil
	})
	return endpoint, string(chosen), err
}

// change changes an endpoint. update may be called again.
func (e *Endpoints) change(ctx context.Context, caller Caller, id string, update func(*dispatch.Consumer, *config) error) (Endpoint, error) {
	var kept config
	changed, err := e.store.Change(ctx, id, func(c *dispatch.Consumer) (_ *dispatch.Consumer, err error) {
		if kept, err = e.owned(caller, c); err != nil {
			return nil, err
		}
		if err := update(c, &kept); err != nil {
			return nil, err
		}
		c.Config, err = kept.write()
		return c, err
	})
	if err != nil {
		return Endpoint{}, fmt.Errorf("change endpoint: %w", err)
	}
	e.dispatcher.Wake()
	return kept.endpoint(*changed, e.options.Now()), nil
}

// Delete removes an endpoint with its log of deliveries and a replay that is under way.
func (e *Endpoints) Delete(ctx context.Context, caller Caller, id string) error {
	if _, _, err := e.find(ctx, caller, id); err != nil {
		return err
	}
	return e.remove(ctx, id)
}

// DeleteOwned removes all endpoints of a user, with what was sent to them. It may be repeated.
func (e *Endpoints) DeleteOwned(ctx context.Context, owner string) error {
	all, err := e.List(ctx, Caller{UserID: owner})
	for _, endpoint := range all {
		err = errors.Join(err, e.remove(ctx, endpoint.ID))
	}
	return err
}

// remove removes the replay last: without its endpoint it delivers nothing, and none begins.
func (e *Endpoints) remove(ctx context.Context, id string) error {
	for _, each := range []string{id, replayID(id)} {
		if _, err := e.store.Change(ctx, each, func(*dispatch.Consumer) (*dispatch.Consumer, error) { return nil, nil }); err != nil {
			return fmt.Errorf("delete endpoint: %w", err)
		}
	}
	e.dispatcher.Wake()
	return nil
}
