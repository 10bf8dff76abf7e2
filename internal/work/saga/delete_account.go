package saga

import (
	"context"
	"time"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

const deleteAccountName = "deleteAccount.v1"

// deleteInput is what the deletion of an account works on.
type deleteInput struct {
	User    clients.UserID `json:"userId"`
	Frozen  bool           `json:"frozen,omitempty"` // before the saga
	PurgeAt time.Time      `json:"purgeAt"`          // until then it can be taken back
}

func (in deleteInput) account() clients.UserID { return in.User }
func (in deleteInput) occupied() []string      { return ids(in.User) }
func (in deleteInput) frozen() bool            { return in.Frozen }

// deleteAccount takes an account out of sight at once, and erases it for good when the grace period is over.
func deleteAccount(o Options) work.Definition {
	c, erasure := o.Clients, erasure{o}
	return work.Definition{Name: deleteAccountName, Kind: work.Saga, Retry: o.Retry, Steps: []work.StepDefinition{
		claim[deleteInput](o.Store),
		freeze[deleteInput]("freezeUser", c),
		{Name: "hidePosts", Do: all[deleteInput](c.Posts.HideByAuthor), Undo: all[deleteInput](c.Posts.RestoreByAuthor)},
		{Name: "anonymiseComments", Do: all[deleteInput](c.Comments.AnonymiseByAuthor), Undo: all[deleteInput](c.Comments.RestoreByAuthor)},
		{Name: "removeFollows", Do: all[deleteInput](c.Followers.RemoveAll), Undo: all[deleteInput](c.Followers.RestoreAll)},
		{Name: "eraseHistory", Do: doing(erasure.history), Wait: purgeAt, Final: true},
		{Name: "purgeComments", Do: all[deleteInput](c.Comments.PurgeByAuthor)},
		{Name: "purgeFollows", Do: all[deleteInput](c.Followers.PurgeAll)},
		{Name: "purgePosts", Do: all[deleteInput](c.Posts.PurgeByAuthor)},
		{Name: "purgeUser", Do: doing(func(ctx context.Context, call *work.Call, in deleteInput) error {
			err := c.Users.Purge(ctx, in.User, under(call))
			if upstream.Is(err, clients.KindNotFound) { // purged already
				return nil
			}
			return err
		})},
		{Name: "eraseRest", Do: doing(erasure.rest)},
	}}
}

// purgeAt is when the grace period of a deletion ends, as it was promised when it began.
func purgeAt(r work.Record) time.Time {
	in, _ := input[deleteInput](r) // its steps refuse what cannot be read
	return in.PurgeAt
}
