package saga

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/clients"
	"tributary/internal/work"
)

// Accounts starts the sagas about accounts and takes them back. Its methods are safe for concurrent use. Engine and Clients are
// required. Who may ask for what is for the caller to see to.
type Accounts struct {
	Engine  *work.Engine // with Definitions registered
	Clients *clients.Clients
	Grace   time.Duration    // how long a deletion can be taken back, scaled already; what has begun keeps its own
	Now     func() time.Time // nil: time.Now
}

// The refusals of sagas about accounts.
var (
	ErrUnknownUser     = errors.New("there is no such account")
	ErrUnknownTarget   = errors.New("there is no account to merge into")
	ErrSameAccount     = errors.New("an account cannot be merged with itself")
	ErrAlreadyDeleting = errors.New("the account is being deleted already")
	ErrBusy            = errors.New("another change of the account is under way")
	ErrNotDeleting     = errors.New("the account is not being deleted")
	ErrOrderedByOther  = errors.New("somebody else ordered the deletion of the account")
	ErrTooLate         = errors.New("it is too late to restore the account")
)

// DeleteAccount starts the deletion of an account, asked for by an actor. ErrUnknownUser, ErrAlreadyDeleting, or ErrBusy during a
// merge. Any other error, such as a *clients.Error, is an outage; when it comes from the engine the saga may have begun.
func (a Accounts) DeleteAccount(ctx context.Context, userID, actorID string) (work.Record, error) {
	open, err := concerning(ctx, a.Engine, []string{userID})
	switch {
	case err != nil:
		return work.Record{}, fmt.Errorf("delete an account: %w", err)
	case slices.ContainsFunc(open, deletes):
		return work.Record{}, ErrAlreadyDeleting
	case len(open) > 0:
		return work.Record{}, ErrBusy
	}
	user, err := a.user(ctx, userID)
	if err != nil {
		return work.Record{}, err
	}
	if user == nil {
		return work.Record{}, ErrUnknownUser
	}
	in := deleteInput{User: user.ID, Frozen: user.Status == clients.UserFrozen, PurgeAt: a.now().Add(a.Grace).UTC()}
	return a.start(ctx, deleteAccountName, userID, actorID, in, ErrAlreadyDeleting)
}

// RestoreAccount takes the deletion of an account back, from when it is asked for until the erasure begins; it returns the saga as it
// turns around, also when it has done so already. A step that is under way ends first. ErrNotDeleting, also once the account is
// restored; ErrTooLate once the erasure has begun or is done.
func (a Accounts) RestoreAccount(ctx context.Context, userID string) (work.Record, error) {
	return a.restore(ctx, userID, func(work.Record) error { return nil })
}

// RestoreOwnAccount is RestoreAccount for whom the account is: ErrOrderedByOther while it is being deleted by somebody else's order, which
// its record names as the actor.
func (a Accounts) RestoreOwnAccount(ctx context.Context, userID string) (work.Record, error) {
	return a.restore(ctx, userID, func(r work.Record) error {
		if !r.State.Ended() && r.ActorID != userID {
			return ErrOrderedByOther
		}
		return nil
	})
}

// restore takes the last deletion back, if allow has nothing against it.
func (a Accounts) restore(ctx context.Context, userID string, allow func(work.Record) error) (work.Record, error) {
	last, err := a.latest(ctx, deleteAccountName, userID)
	switch {
	case err != nil:
		return work.Record{}, fmt.Errorf("restore an account: %w", err)
	case last == nil:
		return work.Record{}, ErrNotDeleting
	}
	if err := allow(*last); err != nil {
		return work.Record{}, err
	}
	r, err := a.Engine.Cancel(ctx, last.ID)
	if errors.Is(err, work.ErrTooLate) {
		return a.late(ctx, last.ID)
	}
	if errors.Is(err, work.ErrUnknown) || err == nil && r.State.Ended() {
		return work.Record{}, ErrNotDeleting
	}
	if err != nil {
		return work.Record{}, fmt.Errorf("restore an account: %w", err)
	}
	return r, nil
}

// late says why a deletion cannot be taken back.
func (a Accounts) late(ctx context.Context, id string) (work.Record, error) {
	r, err := a.Engine.Get(ctx, id)
	switch {
	case err != nil:
		return work.Record{}, fmt.Errorf("restore an account: %w", err)
	case r.Decision == work.Proceed:
		return work.Record{}, ErrTooLate
	default: // it has undone itself, since a step failed
		return work.Record{}, ErrNotDeleting
	}
}

// MergeAccounts starts giving everything of one account to another, asked for by an actor. ErrSameAccount, ErrUnknownUser,
// ErrUnknownTarget, or ErrBusy while either is in another saga. Other errors are as with DeleteAccount.
func (a Accounts) MergeAccounts(ctx context.Context, sourceID, targetID, actorID string) (work.Record, error) {
	if sourceID == targetID {
		return work.Record{}, ErrSameAccount
	}
	open, err := concerning(ctx, a.Engine, []string{sourceID, targetID})
	switch {
	case err != nil:
		return work.Record{}, fmt.Errorf("merge accounts: %w", err)
	case len(open) > 0:
		return work.Record{}, ErrBusy
	}
	source, err := a.user(ctx, sourceID)
	if err != nil {
		return work.Record{}, err
	}
	target, err := a.user(ctx, targetID)
	switch {
	case err != nil:
		return work.Record{}, err
	case source == nil:
		return work.Record{}, ErrUnknownUser
	case target == nil:
		return work.Record{}, ErrUnknownTarget
	}
	in := mergeInput{Source: source.ID, Target: target.ID, Frozen: source.Status == clients.UserFrozen}
	return a.start(ctx, mergeAccountsName, sourceID, actorID, in, ErrBusy)
}

func (a Accounts) user(ctx context.Context, id string) (*clients.User, error) {
	return current(ctx, a.Clients, clients.UserID(id))
}

// start starts a saga of an account behind its last one of the name: whoever else saw the same last one asks for the same key, and
// exactly one is created.
func (a Accounts) start(ctx context.Context, name, ownerID, actorID string, in any, taken error) (work.Record, error) {
	last, err := a.latest(ctx, name, ownerID)
	if err != nil {
		return work.Record{}, err
	}
	key := ownerID + "/first"
	if last != nil {
		if !last.State.Ended() { // somebody was faster
			return work.Record{}, taken
		}
		key = ownerID + "/" + last.ID
	}
	r, created, err := a.Engine.Start(ctx, work.Order{Name: name, Key: key, OwnerID: ownerID, ActorID: actorID, Input: in})
	switch {
	case err != nil:
		return work.Record{}, err
	case !created:
		return work.Record{}, taken
	}
	return r, nil
}

// latest is the last saga of a name about an account; nil if there is none.
func (a Accounts) latest(ctx context.Context, name, ownerID string) (*work.Record, error) {
	found, err := a.Engine.List(ctx, work.Filter{Kind: work.Saga, Name: name, OwnerID: ownerID}, "", 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func (a Accounts) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func deletes(r work.Record) bool { return r.Name == deleteAccountName }

// input reads the input of a saga.
func input[In any](r work.Record) (in In, err error) {
	if err = json.Unmarshal(r.Input, &in); err != nil {
		err = fmt.Errorf("input of %s: %w", r.Name, err)
	}
	return in, err
}
