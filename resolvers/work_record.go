package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/work"
)

// errWorkDisabled says that this server takes no part in durable work.
var errWorkDisabled = errors.New("durable work is switched off here")

// kindsOfWork are the kinds of work by the kinds of ids that name it.
var kindsOfWork = map[clients.Kind]work.Kind{clients.KindJob: work.Job, clients.KindSaga: work.Saga}

// record is a piece of work of the id's kind, which has to be this one; nil when there is none for the viewer, who has to own it or to
// be an admin.
func (r *Resolver) record(ctx context.Context, id clients.GlobalID, want clients.Kind) (*work.Record, error) {
	if err := wantKind(id, want); err != nil {
		return nil, err
	}
	if r.Work == nil {
		return nil, errWorkDisabled
	}
	found, err := r.Work.Get(ctx, id.ID)
	switch {
	case errors.Is(err, work.ErrUnknown):
		return nil, nil
	case err != nil:
		return nil, err
	case found.Kind != kindsOfWork[want] || !auth.CanSee(load(ctx).viewer, auth.Entity{OwnerID: found.OwnerID}):
		return nil, nil
	}
	return &found, nil
}

// wantKind refuses an id of another kind.
func wantKind(id clients.GlobalID, want clients.Kind) error {
	if id.Kind != want {
		return fmt.Errorf("%w: want a %s id, not a %s id", clients.ErrMalformedID, want, id.Kind)
	}
	return nil
}

// workName is the name of a definition without its version.
func workName(r *work.Record) string { name, _, _ := strings.Cut(r.Name, "."); return name }

// usersOf are the users that things name by an id that may be empty, nil for nobody and for those who are gone.
func usersOf[P any](ctx context.Context, things []P, id func(P) string) ([]*clients.User, error) {
	return each(ctx, &load(ctx).user, things, func(p P) (clients.UserID, bool) { return clients.UserID(id(p)), id(p) != "" }, same)
}

// ownerID is whose a piece of work is.
func ownerID(r *work.Record) string { return r.OwnerID }

// progress is how much of a job is done, from 0 to 1; nil while that is not known.
func progress(r *work.Record) *float64 {
	switch {
	case r.State == work.Completed:
		return pointer(1.0)
	case r.Total <= 0:
		return nil
	}
	return pointer(max(0, min(1, float64(r.Done)/float64(r.Total))))
}

// attempts is how often the step was tried that was begun last.
func attempts(r *work.Record) int {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		if n := r.Steps[i].Attempts; n > 0 {
			return n
		}
	}
	return 0
}

// postOf is the id of the post that a job has made; false if it has made none.
func postOf(r *work.Record) (clients.PostID, bool) {
	var output struct {
		PostID clients.PostID `json:"postId"`
	}
	if len(r.Output) == 0 || json.Unmarshal(r.Output, &output) != nil || output.PostID == "" {
		return "", false // another job's output may be of any form
	}
	return output.PostID, true
}
