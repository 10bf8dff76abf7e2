package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tributary/internal/work/dispatch"
)

const maxDescription = 200 // characters

// NewEndpoint is what an endpoint is made of.
type NewEndpoint struct {
	URL         string   // https, and http where Targets allow it; at most 2,048 bytes, no user, no fragment
	EventTypes  []string // 1 to 50 of EventTypes, all of a kind such as post.*, or *
	Secret      string   // whsec_ and 24 to 64 bytes in base64; empty: one is made
	Description string   // at most 200 characters on one line
	Version     *int     // of the schema, that payloads are to keep to; nil: the first
	Key         string   // idempotency key: as long as it is there, a caller has one endpoint under it; empty: none
}

func (n NewEndpoint) version() int {
	if n.Version == nil {
		return firstVersion
	}
	return *n.Version
}

// Create makes an endpoint that gets the events from now on. It is the caller's; an admin's has no owner and is shown everything. With
// which of the two rights it was made is settled here for good. The secret cannot be told again: it is empty where the endpoint was there
// already under its key.
func (e *Endpoints) Create(ctx context.Context, caller Caller, n NewEndpoint) (_ Endpoint, secret string, err error) {
	kept, version := config{OwnerID: caller.UserID}, n.version()
	if caller.Admin {
		kept.OwnerID, kept.MakerID = "", caller.UserID
	} else if caller.UserID == "" {
		return Endpoint{}, "", refuse("", CodeInvalid, "A webhook needs an owner: a user, or an admin.")
	}
	if err := e.options.Admit(ctx, caller); err != nil {
		return Endpoint{}, "", fmt.Errorf("create endpoint: %w", err)
	}
	id := newID()
	if n.Key != "" {
		id, kept.Request = keyedID(caller, n.Key), n.digest()
		if made, found, err := e.repeated(ctx, caller, id, kept.Request); found || err != nil {
			return made, "", err
		}
	}
	c := dispatch.Consumer{State: dispatch.Active, CreatedAt: e.options.Now().UTC().Truncate(time.Microsecond)}
	if err := e.apply(ctx, &c, &kept, Update{URL: &n.URL, EventTypes: n.EventTypes, Description: &n.Description, Version: &version}); err != nil {
		return Endpoint{}, "", err
	}
	chosen, refusal := chooseSecret(n.Secret)
	if refusal != nil {
		return Endpoint{}, "", refusal
	}
	kept.Secret = chosen
	if err := e.room(ctx, kept.OwnerID, ""); err != nil {
		return Endpoint{}, "", err
	}
	made, err := e.insert(ctx, id, c, kept)
	if errors.Is(err, errMade) {
		made, found, err := e.repeated(ctx, caller, id, kept.Request)
		if !found && err == nil { // and is gone again
			err = unknownEndpoint()
		}
		return made, "", err
	}
	if err != nil {
		return Endpoint{}, "", err
	}
	e.dispatcher.Wake()
	return kept.endpoint(*made, e.options.Now()), string(chosen), nil
}

// insert writes an endpoint down; errMade if there is one of the id. Of several that are made at once, those that come after the last
// for which there is room go again.
func (e *Endpoints) insert(ctx context.Context, id string, c dispatch.Consumer, kept config) (*dispatch.Consumer, error) {
	bounds, err := e.log.Bounds(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the log's end: %w", err)
	}
	c.LogID, c.Position = bounds.ID, bounds.Last
	if c.Config, err = kept.write(); err != nil {
		return nil, fmt.Errorf("write endpoint: %w", err)
	}
	made, err := e.store.Change(ctx, id, func(before *dispatch.Consumer) (*dispatch.Consumer, error) {
		if before != nil {
			return nil, errMade
		}
		return &c, nil
	})
	if err != nil {
		return nil, fmt.Errorf("create endpoint: %w", err)
	}
	if err := e.room(ctx, kept.OwnerID, id); err != nil {
		return nil, errors.Join(err, e.remove(context.WithoutCancel(ctx), id))
	}
	return made, nil
}

// Update is what to change of an endpoint; what is nil stays.
type Update struct {
	URL         *string
	EventTypes  []string
	Description *string
	Version     *int  // of the schema
	Enabled     *bool // true: it gets what it missed, as far as it is kept; false: nothing until it is enabled
}

// apply checks an update and makes it, but for Enabled.
func (e *Endpoints) apply(ctx context.Context, c *dispatch.Consumer, kept *config, u Update) error {
	if u.URL != nil {
		target, refusal := e.targets.check(*u.URL)
		if refusal == nil {
			refusal = e.targets.checkName(ctx, target)
		}
		if refusal != nil {
			return refusal
		}
		kept.URL = *u.URL
	}
	if u.EventTypes != nil || c.Types == nil {
		types, refusal := checkTypes(u.EventTypes)
		if refusal != nil {
			return refusal
		}
		c.Types = types
	}
	if u.Description != nil {
		description := strings.TrimSpace(*u.Description)
		if utf8.RuneCountInString(description) > maxDescription || !utf8.ValidString(description) || strings.ContainsFunc(description, unicode.IsControl) {
			return refuse("description", CodeInvalid, "A description has at most 200 characters on one line.")
		}
		kept.Description = description
	}
	if u.Version != nil && (*u.Version != kept.Version || kept.Version == 0) { // one that it has may have ended meanwhile
		if err := e.options.Supports(*u.Version); err != nil {
			return refuse("version", CodeInvalid, "A webhook can be pinned to versions of the schema that have not ended: see /versions.")
		}
		kept.Version = *u.Version
	}
	return nil
}
