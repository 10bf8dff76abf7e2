package resolvers

import (
	"context"
	"errors"
	"fmt"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/relay"
	"tributary/internal/work"
)

// maxWorkPage bounds a page of jobs, sagas and webhooks.
const maxWorkPage = 100

// listArguments reads the arguments of a list whose cursors are the ids of its members.
func listArguments(first *int, after *string) (limit int, start string, err error) {
	if first == nil || *first < 1 || *first > maxWorkPage {
		return 0, "", fmt.Errorf("%w: first must be from 1 to %d", relay.ErrPaging, maxWorkPage)
	}
	if after != nil {
		start = *after
	}
	return *first, start, nil
}

// errCursor refuses a cursor that names nothing of the list.
func errCursor() error { return fmt.Errorf("%w: not one of this list", clients.ErrMalformedCursor) }

// records reads a page of work that a filter picks, and one record more where there are more.
func (r *Resolver) records(ctx context.Context, filter work.Filter, first *int, after *string) ([]work.Record, int, error) {
	limit, start, err := listArguments(first, after)
	if err != nil {
		return nil, 0, err
	}
	if r.Work == nil {
		return nil, 0, errWorkDisabled
	}
	found, err := r.Work.List(ctx, filter, start, limit+1)
	if err == nil && len(found) == 0 && start != "" {
		if _, err = r.Work.Get(ctx, start); errors.Is(err, work.ErrUnknown) {
			err = errCursor()
		}
	}
	return found, limit, err
}

// pageInfo tells of a page of so many edges.
func pageInfo(edges int, cursor func(i int) string, more bool, after *string) *relay.PageInfo {
	info := &relay.PageInfo{HasNextPage: more, HasPreviousPage: after != nil && *after != ""}
	if edges > 0 {
		info.Start, info.End = relay.At(cursor(0)), relay.At(cursor(edges-1))
	}
	return info
}

func (r *Resolver) jobs(ctx context.Context, first *int, after *string, states []work.State, owner *clients.GlobalID) (*graph.JobConnection, error) {
	filter := work.Filter{Kind: work.Job, States: states}
	if owner != nil {
		if err := wantKind(*owner, clients.KindUser); err != nil {
			return nil, err
		}
		filter.OwnerID = owner.ID
	}
	found, limit, err := r.records(ctx, filter, first, after)
	if err != nil {
		return nil, err
	}
	page := &graph.JobConnection{Edges: []*graph.JobEdge{}, Nodes: []*work.Record{}}
	for _, job := range found[:min(len(found), limit)] {
		page.Nodes = append(page.Nodes, &job)
		page.Edges = append(page.Edges, &graph.JobEdge{Cursor: job.ID, Node: &job})
	}
	page.PageInfo = pageInfo(len(page.Edges), func(i int) string { return page.Edges[i].Cursor }, len(found) > limit, after)
	return page, nil
}

func (r *Resolver) sagas(ctx context.Context, first *int, after *string, states []work.State) (*graph.SagaConnection, error) {
	found, limit, err := r.records(ctx, work.Filter{Kind: work.Saga, States: states}, first, after)
	if err != nil {
		return nil, err
	}
	page := &graph.SagaConnection{Edges: []*graph.SagaEdge{}, Nodes: []*work.Record{}}
	for _, saga := range found[:min(len(found), limit)] {
		page.Nodes = append(page.Nodes, &saga)
		page.Edges = append(page.Edges, &graph.SagaEdge{Cursor: saga.ID, Node: &saga})
	}
	page.PageInfo = pageInfo(len(page.Edges), func(i int) string { return page.Edges[i].Cursor }, len(found) > limit, after)
	return page, nil
}
