package webhook

import (
	"context"
	"errors"
	"fmt"

	"tributary/internal/work/dispatch"
)

// ReasonAccount is the reason for which an endpoint is disabled while the account whose rights it has is frozen or gone.
const ReasonAccount = "ACCOUNT_INACTIVE"

// ErrAccount is what SenderOptions.Show says when the account whose rights an endpoint has is frozen or gone: nothing is delivered, and
// nothing is passed over.
var ErrAccount = errors.New("the account of the endpoint is frozen or gone")

// errSettled says that an endpoint is as it should be already.
var errSettled = errors.New("the endpoint is left as it is")

// FollowAccount has the endpoints that have an account's rights stop, when the account is inactive, or go on if they were stopped for
// that: they then get what they missed, as far as it is kept. It may be repeated.
func (e *Endpoints) FollowAccount(ctx context.Context, userID string, inactive bool) error {
	all, err := e.List(ctx, Caller{Admin: true})
	for _, endpoint := range all {
		if userID == "" || endpoint.Account() != userID {
			continue
		}
		_, changeErr := e.store.Change(ctx, endpoint.ID, func(c *dispatch.Consumer) (*dispatch.Consumer, error) {
			return follow(c, userID, inactive)
		})
		if changeErr != nil && !errors.Is(changeErr, errSettled) {
			err = errors.Join(err, fmt.Errorf("follow an account: %w", changeErr))
		}
	}
	e.dispatcher.Wake()
	return err
}

// follow stops an endpoint of an account or has it go on; errSettled where there is nothing to do.
func follow(c *dispatch.Consumer, userID string, inactive bool) (*dispatch.Consumer, error) {
	if c == nil { // removed meanwhile
		return nil, errSettled
	}
	kept, err := readConfig(*c)
	switch {
	case err != nil:
		return nil, err
	case kept.endpoint(*c, c.CreatedAt).Account() != userID: // taken over meanwhile
		return nil, errSettled
	case inactive && c.State != dispatch.Disabled:
		disable(c, ReasonAccount)
	case !inactive && c.State == dispatch.Disabled && c.Reason == ReasonAccount:
		activate(c)
	default:
		return nil, errSettled
	}
	return c, nil
}

// takeOver enables what was stopped with an account: an admin's endpoint for another admin, who answers for it from then on.
func takeOver(c *dispatch.Consumer, kept *config, caller Caller) error {
	if kept.OwnerID != "" || !caller.Admin || caller.UserID == kept.MakerID {
		return refuse("enabled", CodeInvalid, "The account whose rights the webhook has is frozen or gone: it goes on with the account.")
	}
	kept.MakerID = caller.UserID
	activate(c)
	return nil
}
