package resolvers

import (
	"context"
	"errors"
	"time"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/work"
	"tributary/internal/work/job"
)

func (r *Resolver) requestDataExport(ctx context.Context) (*work.Record, []*graph.UserError, error) {
	v := load(ctx).viewer
	if err := auth.RequireUser(v); err != nil {
		return nil, nil, err
	}
	if r.Work == nil {
		return nil, nil, errWorkDisabled
	}
	if err := RequireAccount(ctx, loaded, clients.UserID(v.UserID)); err != nil {
		return nil, nil, err
	}
	export, err := job.StartExport(ctx, r.Work, v.UserID, v.UserID)
	switch {
	case errors.Is(err, job.ErrExportStoreMissing):
		return nil, problem(graph.UserErrorCodeExportStoreMissing, "this server has no place to keep exports in"), nil
	case err != nil && !errors.Is(err, job.ErrExportRunning):
		return nil, nil, err
	}
	return &export, none(), nil
}

func (r *Resolver) schedulePost(ctx context.Context, input graph.SchedulePostInput) (*work.Record, []*graph.UserError, error) {
	author, err := asSelf(ctx, input.AuthorID)
	if err != nil {
		return nil, nil, err
	}
	if r.Work == nil {
		return nil, nil, errWorkDisabled
	}
	scheduled, err := job.SchedulePost(ctx, r.Work, string(author), string(author), input.Title, input.Body, input.PublishAt, time.Now())
	wrong, ok := errors.AsType[*job.InputError](err)
	switch {
	case err == nil:
		return &scheduled, none(), nil
	case errors.Is(err, job.ErrInThePast):
		return nil, problem(graph.UserErrorCodeInThePast, err.Error(), "publishAt"), nil
	case errors.Is(err, job.ErrKeyReused):
		return nil, problem(graph.UserErrorCodeIdempotencyKeyReused, "this Idempotency-Key was used for another request"), nil
	case errors.Is(err, job.ErrTooMany):
		return nil, problem(graph.UserErrorCodeTooMany, err.Error()), nil
	case errors.Is(err, job.ErrTooFar):
		return nil, problem(graph.UserErrorCodeTooFar, err.Error(), "publishAt"), nil
	case ok && wrong.Code == "REQUIRED":
		return nil, problem(graph.UserErrorCodeRequired, "it is required", wrong.Field), nil
	case ok:
		return nil, problem(graph.UserErrorCodeTooLong, "it is longer than a post may be", wrong.Field), nil
	}
	return nil, nil, err
}

// exportURL is where its owner can fetch an export: nil for anybody else, for other jobs, and while it cannot be fetched.
func (r *Resolver) exportURL(ctx context.Context, of *work.Record) *string {
	if r.Exports == nil || !load(ctx).viewer.Is(of.OwnerID) {
		return nil
	}
	link, _ := r.Exports.URL(*of)
	return unlessZero(link)
}
