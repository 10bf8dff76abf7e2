package resolvers

import (
	"context"
	"encoding/json"
	"fmt"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/event"
	"tributary/internal/work"
)

func (r *Resolver) jobProgress(ctx context.Context, id clients.GlobalID, after *string) (<-chan *graph.JobProgress, error) {
	return heardOfWork(ctx, r, id, clients.KindJob, after, func(now *work.Record, d event.Delivery) *graph.JobProgress {
		return &graph.JobProgress{Job: now, At: d.Time, Cursor: d.Cursor}
	})
}

func (r *Resolver) sagaProgress(ctx context.Context, id clients.GlobalID, after *string) (<-chan *graph.SagaProgress, error) {
	return heardOfWork(ctx, r, id, clients.KindSaga, after, func(now *work.Record, d event.Delivery) *graph.SagaProgress {
		return &graph.SagaProgress{Saga: now, At: d.Time, Cursor: d.Cursor}
	})
}

// heardOfWork tells what becomes of a piece of work to those who may see it, asked anew for each event. Work that is not there, or not
// for the viewer, is refused when the subscription begins: nothing would ever come of it.
func heardOfWork[P any](ctx context.Context, r *Resolver, id clients.GlobalID, kind clients.Kind, after *string, told func(*work.Record, event.Delivery) *P) (<-chan *P, error) {
	now, err := r.record(ctx, id, kind)
	if err != nil {
		return nil, err
	}
	if event.OpeningFrom(ctx) != nil && now == nil && after == nil {
		return nil, fmt.Errorf("%w: there is no such %s", errInput, kind)
	}
	return hear(ctx, []string{"entity:" + string(kind) + "/" + id.ID}, after, func(d event.Delivery) (*P, error) {
		if now == nil && !auth.CanSee(load(ctx).viewer, auth.Entity{OwnerID: toldOwner(d)}) {
			return nil, nil
		}
		return told(now, d), nil
	})
}

// toldOwner is whose the work was that an event tells of; it may be gone by now.
func toldOwner(d event.Delivery) string {
	var data struct {
		OwnerID string `json:"ownerId"`
	}
	_ = json.Unmarshal(d.Data, &data) // redacted, or not ours: nobody's
	return data.OwnerID
}
