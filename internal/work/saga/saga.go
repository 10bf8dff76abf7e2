// Package saga holds the transactions over several services: each a list of steps with what takes them back, in a file of its own.
// docs/sagas.md tells how to write another one.
package saga

import (
	"context"
	"time"

	"tributary/clients"
	"tributary/internal/event"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

// Options are what the sagas work on. All but Erase and Retry is required.
type Options struct {
	Clients *clients.Clients
	Store   work.Store // the one of the engine: accounts are in one saga at a time
	History History
	// Erase takes away what else the gateway keeps of a person: exports, the payload of ended work, and so on. It is repeated until
	// it succeeds, also when it has succeeded before. nil: there is nothing.
	Erase func(ctx context.Context, userID string) error
	Retry work.Retry // of each step; the zero value: 8 attempts within about two minutes
}

// History is the log whose personal data the erasure of an account takes away. Every event.Log of the event package is one.
type History interface {
	event.Log
	event.Keeper
	event.SubjectLister
}

// Definitions are all sagas, for the engine to register.
func Definitions(o Options) []work.Definition {
	if o.Retry == (work.Retry{}) {
		o.Retry = work.Retry{Attempts: 8, First: time.Second, Most: time.Minute}
	}
	return []work.Definition{deleteAccount(o), mergeAccounts(o)}
}

// doing makes a step of a function of the saga's input. The services are called for whoever asked for the saga, the same in each
// attempt, as the same key demands.
func doing[In any](do func(context.Context, *work.Call, In) error) func(context.Context, *work.Call) error {
	return func(ctx context.Context, call *work.Call) error {
		in, err := input[In](call.Record)
		if err != nil {
			return work.Permanent(err)
		}
		ctx = clients.WithCaller(ctx, clients.Caller{
			Actor: clients.UserID(call.Record.ActorID), RequestID: call.Record.ID, IdempotencyKey: call.Key,
		})
		return upstream.Explain(do(ctx, call, in))
	}
}

// under are the keys of a step's write.
func under(call *work.Call) clients.BulkOptions {
	return clients.BulkOptions{Key: call.Key, Fence: call.Fence}
}

// bulk is a write to everything of a user in one service.
type bulk func(context.Context, clients.UserID, clients.BulkOptions) (int64, error)

// all makes a step of a bulk write about the account that a saga is about. It is idempotent, as is its undo, so nothing is
// remembered between them.
func all[In subject](write bulk) func(context.Context, *work.Call) error {
	return doing(func(ctx context.Context, call *work.Call, in In) error {
		_, err := write(ctx, in.account(), under(call))
		return err
	})
}

// subject is the input of a saga: it is about one account.
type subject interface {
	account() clients.UserID
	occupied() []string // every account that no other saga may touch meanwhile
	frozen() bool       // that account was frozen before the saga began
}
