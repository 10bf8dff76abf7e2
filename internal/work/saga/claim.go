package saga

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"tributary/clients"
	"tributary/internal/work"
)

// An account can be in one saga at a time. Whoever starts one looks first, but two may look at once, on two replicas; so the first
// step of each saga looks again, once its record is there for the others to see. It gives way to an older one, and to one that has
// passed this step; while a later one is just at it, it waits for what that one comes to. So one goes on, and never both.

// errBusy ends a saga that finds another one at work on its accounts.
var errBusy = work.Permanent(work.Explain(errors.New("another saga is at work on the account"), codeBusy, messageBusy))

// errUndecided has a saga look again in a moment.
var errUndecided = work.Explain(errors.New("a later saga about the account has not made up its mind"), codeBusy, messageBusy)

const (
	codeBusy    = "BUSY"
	messageBusy = "another change of the account is under way"
)

// claim is the step that makes sure of it. It changes nothing, so there is nothing to take back.
func claim[In subject](store work.Store) work.StepDefinition {
	return work.StepDefinition{Name: "claimAccount", Do: doing(func(ctx context.Context, call *work.Call, in In) error {
		others, err := concerning(ctx, store, in.occupied())
		if err != nil {
			return err
		}
		return yields(call.Record, others)
	})}
}

// yields says whether a saga has to give way to others about the same accounts.
func yields(mine work.Record, others []work.Record) (err error) {
	for _, other := range others {
		switch claimed := other.Steps[0].State; {
		case other.ID == mine.ID:
		case before(other, mine), claimed == work.StepDone:
			return errBusy
		case claimed == work.StepRunning:
			err = errUndecided
		}
	}
	return err
}

func before(a, b work.Record) bool {
	return a.CreatedAt.Before(b.CreatedAt) || a.CreatedAt.Equal(b.CreatedAt) && a.ID < b.ID
}

// lister is where records are looked up: a work.Store or a *work.Engine.
type lister interface {
	List(ctx context.Context, filter work.Filter, after string, limit int) ([]work.Record, error)
}

// concerning are the sagas under way that work on any of the accounts: those of their own, and merges into them.
func concerning(ctx context.Context, records lister, accounts []string) (found []work.Record, err error) {
	for _, account := range accounts {
		own, err := records.List(ctx, work.Filter{Kind: work.Saga, OwnerID: account, States: underway()}, "", listed)
		if err != nil {
			return nil, err
		}
		found = append(found, own...)
	}
	for after := ""; ; {
		merges, err := records.List(ctx, work.Filter{Name: mergeAccountsName, States: underway()}, after, listed)
		if err != nil {
			return nil, err
		}
		for _, r := range merges {
			var in mergeInput
			if json.Unmarshal(r.Input, &in) == nil && slices.Contains(accounts, string(in.Target)) {
				found = append(found, r)
			}
		}
		if len(merges) < listed {
			return found, nil
		}
		after = merges[len(merges)-1].ID
	}
}

// listed is how many records are looked at at a time.
const listed = 100

func underway() []work.State {
	return []work.State{work.Pending, work.Waiting, work.Running, work.Compensating, work.Stuck}
}

// ids makes strings of account ids.
func ids(of ...clients.UserID) []string {
	texts := make([]string, len(of))
	for i, id := range of {
		texts[i] = string(id)
	}
	return texts
}
