package saga

import (
	"context"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

const mergeAccountsName = "mergeAccounts.v1"

// mergeInput is what a merge works on.
type mergeInput struct {
	Source clients.UserID `json:"sourceId"`
	Target clients.UserID `json:"targetId"`
	Frozen bool           `json:"frozen,omitempty"` // the source, before the saga
}

func (in mergeInput) account() clients.UserID { return in.Source }
func (in mergeInput) occupied() []string      { return ids(in.Source, in.Target) }
func (in mergeInput) frozen() bool            { return in.Frozen }

// mergeAccounts gives everything of one account to another and closes it, or leaves both as they were.
func mergeAccounts(o Options) work.Definition {
	c := o.Clients
	return work.Definition{Name: mergeAccountsName, Kind: work.Saga, Retry: o.Retry, Steps: []work.StepDefinition{
		claim[mergeInput](o.Store),
		freeze[mergeInput]("freezeSource", c),
		{Name: "transferPosts", Do: transfer(c.Posts.TransferByAuthor), Undo: all[mergeInput](c.Posts.RestoreByAuthor)},
		{Name: "transferComments", Do: transfer(c.Comments.TransferByAuthor), Undo: all[mergeInput](c.Comments.RestoreByAuthor)},
		{Name: "transferFollows", Do: transfer(c.Followers.TransferAll), Undo: all[mergeInput](c.Followers.RestoreAll)},
		{Name: "closeSource", Do: doing(func(ctx context.Context, _ *work.Call, in mergeInput) error {
			return closeAccount(ctx, c, in.Source)
		}), Final: true},
	}}
}

// transfer makes a step of a write that gives everything of the source in one service to the target.
func transfer(write func(ctx context.Context, from, to clients.UserID, o clients.BulkOptions) (int64, error)) func(context.Context, *work.Call) error {
	return doing(func(ctx context.Context, call *work.Call, in mergeInput) error {
		_, err := write(ctx, in.Source, in.Target, under(call))
		return err
	})
}

// closeAccount deletes an account that has nothing left. Its key is derived from that of the step, which is the caller's.
func closeAccount(ctx context.Context, services *clients.Clients, id clients.UserID) error {
	user, err := current(ctx, services, id)
	if err != nil || user == nil { // nil: closed already
		return err
	}
	err = services.Users.Delete(ctx, user)
	if upstream.Is(err, clients.KindNotFound) {
		return nil
	}
	return err
}
