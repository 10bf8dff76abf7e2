package main

import (
	"context"
	"strings"
	"time"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/event"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/webhook"
	"tributary/resolvers"
)

// inactive says whether an account is frozen or gone by now, as far as the log tells; nobody's is not.
func (s *showing) inactive(ctx context.Context, userID string) (bool, error) {
	if userID == "" {
		return false, nil
	}
	seen, err := s.statuses(ctx, "user/"+userID, time.Unix(forever, 0))
	return seen.now == gone || seen.now == frozen, err
}

// admit implements webhook.Options.Admit: who asks may not be frozen or gone. An owner has to be a user; an admin need not be one, whose
// issuer may have accounts of its own.
func (s *showing) admit(services *clients.Clients) func(context.Context, webhook.Caller) error {
	return func(ctx context.Context, caller webhook.Caller) error {
		inactive, err := s.inactive(ctx, caller.UserID)
		switch {
		case err != nil:
			return err
		case inactive:
			return auth.ErrForbidden
		case caller.Admin:
			return nil
		}
		return resolvers.RequireAccount(ctx, services.Users.ByIDs, clients.UserID(caller.UserID))
	}
}

// followAccount stops the webhooks of an account that is frozen or gone, and has them go on when it is back. How the account stands now
// decides, not what the event says: it may come late and again.
func (d *durable) followAccount(ctx context.Context, e event.Event) dispatch.Result {
	_, id, _ := strings.Cut(e.Subject, "/")
	inactive, err := (&showing{log: d.events.log}).inactive(ctx, id)
	if err == nil {
		err = d.webhooks.FollowAccount(ctx, id, inactive)
	}
	if err != nil {
		d.log.WarnContext(ctx, "the webhooks of an account cannot be changed and will be tried again", "event", e.ID, "error", err)
		return dispatch.Result{Problem: webhook.ProblemInternal}
	}
	return dispatch.Result{Delivered: true}
}
