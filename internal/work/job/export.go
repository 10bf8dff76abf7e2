// Package job holds the work that a user asks for and that is done later or takes long: data exports and scheduled posts.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"tributary/clients"
	"tributary/internal/work"
	"tributary/internal/work/upstream"
)

const exportName = "dataExport.v1"

// Options are what the jobs work on.
type Options struct {
	Clients *clients.Clients
	Exports *Exports // nil: there is nowhere to keep exports, and none can be asked for
	// Completed, if not nil, tells others of an export that can be fetched. It is repeated until it succeeds.
	Completed func(ctx context.Context, r work.Record) error
	Retry     work.Retry // of each step; the zero value: 10 attempts within about ten minutes
}

// Definitions are all jobs, for the engine to register.
func Definitions(o Options) []work.Definition {
	if o.Retry == (work.Retry{}) {
		o.Retry = work.Retry{Attempts: 10, First: time.Second, Most: 2 * time.Minute}
	}
	all := []work.Definition{schedulePost(o)}
	if o.Exports != nil {
		all = append(all, dataExport(o))
	}
	return all
}

// Exported is the Output of an export.
type Exported struct {
	Bytes int64 `json:"bytes"` // of the archive
}

// dataExport gathers everything that a user owns into one archive. The user is the owner of the record.
func dataExport(o Options) work.Definition {
	return work.Definition{Name: exportName, Kind: work.Job, Retry: o.Retry, Steps: []work.StepDefinition{
		{Name: "gather", Do: func(ctx context.Context, call *work.Call) error {
			ctx = clients.WithCaller(ctx, clients.Caller{Actor: clients.UserID(call.Record.OwnerID), RequestID: call.Record.ID})
			g := gathering{clients: o.Clients, user: clients.UserID(call.Record.OwnerID), progress: call.Progress}
			return explain(g.run(ctx, o.Exports.part(call.Record)))
		}},
		{Name: "pack", Do: func(ctx context.Context, call *work.Call) error {
			size, err := o.Exports.pack(ctx, call.Record)
			if err != nil {
				return explain(err)
			}
			return call.SetOutput(Exported{Bytes: size})
		}},
		{Name: "announce", Do: func(ctx context.Context, call *work.Call) error {
			if err := os.RemoveAll(o.Exports.part(call.Record)); err != nil {
				return explain(err)
			}
			if o.Completed == nil {
				return nil
			}
			return o.Completed(ctx, call.Record)
		}},
	}}
}

// explain keeps paths from callers.
func explain(err error) error {
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return work.Explain(err, "EXPORT_STORE_FAILED", "the export cannot be written")
	}
	return upstream.Explain(err)
}

// The refusals of an export.
var (
	ErrExportStoreMissing = errors.New("there is nowhere to keep exports")
	ErrExportRunning      = errors.New("an export of the account is under way already")
)

// StartExport starts an export of everything that a user owns, asked for by an actor. While one is under way that one comes back
// with ErrExportRunning. ErrExportStoreMissing where nothing was configured to keep them in.
func StartExport(ctx context.Context, engine *work.Engine, ownerID, actorID string) (work.Record, error) {
	found, err := engine.List(ctx, work.Filter{Kind: work.Job, Name: exportName, OwnerID: ownerID}, "", 1)
	if err != nil {
		return work.Record{}, fmt.Errorf("start an export: %w", err)
	}
	key := ownerID + "/first"
	if len(found) > 0 {
		if !found[0].State.Ended() {
			return found[0], ErrExportRunning
		}
		key = ownerID + "/" + found[0].ID
	}
	r, created, err := engine.Start(ctx, work.Order{Name: exportName, Key: key, OwnerID: ownerID, ActorID: actorID})
	switch {
	case errors.Is(err, work.ErrUndefined):
		return work.Record{}, ErrExportStoreMissing
	case err == nil && !created:
		return r, ErrExportRunning
	}
	return r, err
}

// Erase takes away what jobs keep of a person: what has not begun is cancelled, archives are removed, and the payload of what has
// ended is redacted. While a job of the person runs the error says so, and it is to be called again. exports may be nil.
func Erase(ctx context.Context, engine *work.Engine, exports *Exports, ownerID string) error {
	under, err := engine.List(ctx, work.Filter{Kind: work.Job, OwnerID: ownerID, States: open()}, "", erasePage)
	if err != nil {
		return err
	}
	for _, r := range under {
		if _, err := engine.Cancel(ctx, r.ID); err != nil && !errors.Is(err, work.ErrTooLate) {
			return err
		}
	}
	if exports != nil {
		if err := exports.RemoveOf(ownerID); err != nil {
			return err
		}
	}
	if err := engine.Redact(ctx, ownerID); err != nil {
		return err
	}
	if len(under) > 0 {
		return errStillRunning
	}
	return nil
}

// erasePage is how many jobs one call of Erase cancels; the next one goes on.
const erasePage = 200

var errStillRunning = work.Explain(errors.New("a job of the account has not ended"), "BUSY", "a job of the account has not ended")

// decode reads the input of a job.
func decode[In any](r work.Record) (in In, err error) {
	if err = json.Unmarshal(r.Input, &in); err != nil {
		err = work.Permanent(fmt.Errorf("input of %s: %w", r.Name, err))
	}
	return in, err
}
