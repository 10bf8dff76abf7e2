package saga

import (
	"context"
	"errors"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

// freeze is the step that keeps an account from being used while a saga is at work on it. An account that is unknown or deleted
// cannot be frozen, which ends the saga.
func freeze[In subject](name string, services *clients.Clients) work.StepDefinition {
	return work.StepDefinition{
		Name: name,
		Do: doing(func(ctx context.Context, call *work.Call, in In) error {
			_, err := services.Users.Freeze(ctx, in.account(), under(call))
			return err
		}),
		Undo: doing(func(ctx context.Context, call *work.Call, in In) error {
			return thaw(ctx, services, call, in)
		}),
	}
}

// thaw lets an account be used again. One that was frozen before stays so: whoever froze it did not mean the saga. One that
// somebody deleted meanwhile stays deleted, though the service would restore that first; the freeze that it refuses leaves the fence.
func thaw(ctx context.Context, services *clients.Clients, call *work.Call, in subject) error {
	if in.frozen() {
		return nil // a late freeze changes nothing
	}
	user, err := current(ctx, services, in.account())
	if err != nil {
		return err
	}
	if user == nil {
		_, err := services.Users.Freeze(ctx, in.account(), clients.BulkOptions{Key: call.Key + "/fence", Fence: call.Fence})
		switch {
		case upstream.Is(err, clients.KindNotFound):
			return nil
		case err != nil:
			return err
		}
	}
	_, err = services.Users.Restore(ctx, in.account(), under(call))
	if upstream.Is(err, clients.KindConflict) || upstream.Is(err, clients.KindNotFound) { // not frozen, or purged: the fence stands all the same
		return nil
	}
	return err
}

// errStale keeps decisions from being made on what a service said some time ago.
var errStale = work.Explain(errors.New("the service does not answer, and what is known of the account is old"),
	string(clients.Unavailable), "the user service gave no usable answer")

// current reads an account anew; nil without an error if it is unknown or deleted.
func current(ctx context.Context, services *clients.Clients, id clients.UserID) (*clients.User, error) {
	services.Apply([]clients.Change{{Kind: "user", ID: string(id), Type: "user.updated"}}) // whatever is cached
	a, found := services.Users.ByIDs(ctx, []clients.UserID{id})[id]
	switch {
	case !found:
		return nil, nil
	case a.Err != nil:
		return nil, a.Err
	case a.Stale != nil:
		return nil, errStale
	}
	return a.Value, nil
}
