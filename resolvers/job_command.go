package resolvers

import (
	"context"
	"errors"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/work"
)

// argument is a userError about an argument of a mutation that has no input object.
func argument(name string, code graph.UserErrorCode, message string) []*graph.UserError {
	return []*graph.UserError{{Field: []string{name}, Message: message, Code: code}}
}

func (r *Resolver) cancelJob(ctx context.Context, id clients.GlobalID) (*work.Record, []*graph.UserError, error) {
	return r.changeJob(ctx, id, func(ctx context.Context, id string) (work.Record, error) { return r.Work.Cancel(ctx, id) })
}

func (r *Resolver) retryJob(ctx context.Context, id clients.GlobalID) (*work.Record, []*graph.UserError, error) {
	return r.changeJob(ctx, id, func(ctx context.Context, id string) (work.Record, error) { return r.Work.Retry(ctx, id) })
}

// changeJob changes a job that the viewer may see.
func (r *Resolver) changeJob(ctx context.Context, id clients.GlobalID, change func(context.Context, string) (work.Record, error)) (*work.Record, []*graph.UserError, error) {
	job, err := r.record(ctx, id, clients.KindJob)
	if err != nil {
		return nil, nil, err
	}
	if job == nil {
		return nil, argument("id", graph.UserErrorCodeNotFound, "there is no such job"), nil
	}
	changed, err := change(ctx, job.ID)
	switch {
	case errors.Is(err, work.ErrUnknown):
		return nil, argument("id", graph.UserErrorCodeNotFound, "there is no such job"), nil
	case errors.Is(err, work.ErrTooLate):
		return nil, argument("id", graph.UserErrorCodeTooLate, "it has begun, or ended: it can no longer be taken back"), nil
	case errors.Is(err, work.ErrNotFailed):
		return nil, argument("id", graph.UserErrorCodeNotFailed, "only a job that has failed can be tried again"), nil
	case err != nil:
		return nil, nil, err
	}
	return &changed, none(), nil
}
