package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// Options are the bounds of Endpoints. What is zero has its default.
type Options struct {
	MaxPerOwner int              // default 20; admins' endpoints count for MaxTotal alone
	MaxTotal    int              // default 1,000
	Scale       float64          // multiplies how long a secret outlives its rotation; default 1, smaller for tests
	Now         func() time.Time // default time.Now
	// Admit refuses callers who may make no endpoint, whatever their scopes; Create returns its error wrapped. nil: none is refused.
	Admit func(ctx context.Context, caller Caller) error
	// Supports says whether an endpoint may be pinned to a version of the schema: nil, or why not. nil: only to version 1.
	Supports func(version int) error
}

// rotationTime is how long the secret before a rotation signs too.
const rotationTime = 24 * time.Hour

// Endpoints is the administration of endpoints. What a caller may not see does not exist for it. Requests that are refused for what
// they ask are an *Error; other errors are of the store or the log. It is safe for concurrent use, also by several processes.
type Endpoints struct {
	store      dispatch.Store
	log        event.Log
	dispatcher *dispatch.Dispatcher
	targets    *Targets
	options    Options
	byHand     turns
}

// New makes an administration of the endpoints in a store, which the dispatcher delivers from the log to. It closes none of them.
func New(store dispatch.Store, log event.Log, dispatcher *dispatch.Dispatcher, targets *Targets, options Options) *Endpoints {
	options.MaxPerOwner = cmp.Or(options.MaxPerOwner, 20)
	options.MaxTotal = cmp.Or(options.MaxTotal, 1000)
	options.Scale = cmp.Or(options.Scale, 1)
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Admit == nil {
		options.Admit = func(context.Context, Caller) error { return nil }
	}
	if options.Supports == nil {
		options.Supports = onlyFirst
	}
	return &Endpoints{store: store, log: log, dispatcher: dispatcher, targets: targets, options: options}
}

func onlyFirst(version int) error {
	if version != firstVersion {
		return errors.New("there is no such version")
	}
	return nil
}

// Get returns an endpoint; CodeNotFound if there is none for the caller.
func (e *Endpoints) Get(ctx context.Context, caller Caller, id string) (Endpoint, error) {
	c, kept, err := e.find(ctx, caller, id)
	if err != nil {
		return Endpoint{}, err
	}
	return kept.endpoint(*c, e.options.Now()), nil
}

// List returns the caller's endpoints, for an admin all of them, in the order of their making.
func (e *Endpoints) List(ctx context.Context, caller Caller) ([]Endpoint, error) {
	consumers, err := e.store.Consumers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	var found []Endpoint
	now := e.options.Now()
	for _, c := range consumers {
		if endpoint, ok := FromConsumer(c, now); ok && caller.sees(endpoint.OwnerID) {
			found = append(found, endpoint)
		}
	}
	return found, nil
}

// find returns the consumer that an endpoint is.
func (e *Endpoints) find(ctx context.Context, caller Caller, id string) (*dispatch.Consumer, config, error) {
	c, err := look(ctx, e.store, id)
	if err != nil {
		return nil, config{}, fmt.Errorf("find endpoint: %w", err)
	}
	kept, err := e.owned(caller, c)
	return c, kept, err
}

// owned reads what is kept of an endpoint, if it exists for the caller.
func (e *Endpoints) owned(caller Caller, c *dispatch.Consumer) (config, error) {
	if c == nil || !Is(*c) || c.Of != "" {
		return config{}, unknownEndpoint()
	}
	kept, err := readConfig(*c)
	if err == nil && !caller.sees(kept.OwnerID) {
		err = unknownEndpoint()
	}
	return kept, err
}

// count returns how many endpoints there are, and how many are an owner's. Those made behind the one with the id do not count.
func (e *Endpoints) count(ctx context.Context, owner, id string) (total, owned int, err error) {
	all, err := e.List(ctx, Caller{Admin: true})
	if err != nil {
		return 0, 0, err
	}
	if at := slices.IndexFunc(all, func(each Endpoint) bool { return each.ID == id }); at >= 0 {
		all = all[:at]
	}
	for _, each := range all {
		if each.OwnerID == owner {
			owned++
		}
	}
	return len(all), owned, nil
}

// room says whether an owner may have one more endpoint, or the one with the id beside those made before it.
func (e *Endpoints) room(ctx context.Context, owner, id string) error {
	total, owned, err := e.count(ctx, owner, id)
	switch {
	case err != nil:
		return err
	case owner != "" && owned >= e.options.MaxPerOwner:
		return refuse("", CodeTooMany, fmt.Sprintf("There may be %d webhooks of one owner: delete one first.", e.options.MaxPerOwner))
	case total >= e.options.MaxTotal:
		return refuse("", CodeTooMany, fmt.Sprintf("There may be %d webhooks in all.", e.options.MaxTotal))
	}
	return nil
}

func newID() string { return idPrefix + strings.ToLower(rand.Text()) }

var errLooked = errors.New("the consumer was only looked at")

// look returns a consumer, nil if there is none.
func look(ctx context.Context, store dispatch.Store, id string) (found *dispatch.Consumer, err error) {
	_, err = store.Change(ctx, id, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
		found = c
		return nil, errLooked
	})
	if !errors.Is(err, errLooked) {
		return nil, err
	}
	return found, nil
}
