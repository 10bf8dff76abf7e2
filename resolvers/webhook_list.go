package resolvers

import (
	"context"
	"errors"
	"slices"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/work/webhook"
)

// endpoints is the administration of webhooks, and who asks it: an admin, or a user. Which scope that takes the schema says.
func (r *Resolver) endpoints(ctx context.Context) (*webhook.Endpoints, webhook.Caller, error) {
	v := load(ctx).viewer
	if r.Webhooks == nil {
		return nil, webhook.Caller{}, errWorkDisabled
	}
	if v.Admin() {
		return r.Webhooks, webhook.Caller{UserID: v.UserID, Admin: true}, nil
	}
	return r.Webhooks, webhook.Caller{UserID: v.UserID}, auth.RequireUser(v)
}

// webhookID is the administration's id of a webhook.
func webhookID(id clients.GlobalID) (string, error) {
	return string(id.Kind) + "_" + id.ID, wantKind(id, clients.KindWebhook)
}

func (r *Resolver) webhook(ctx context.Context, global clients.GlobalID) (*webhook.Endpoint, error) {
	endpoints, caller, err := r.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	id, err := webhookID(global)
	if err != nil {
		return nil, err
	}
	found, err := endpoints.Get(ctx, caller, id)
	if err != nil {
		return nil, unlessAbsent(err)
	}
	return &found, nil
}

// unlessAbsent is the error, unless it says that there is no such webhook.
func unlessAbsent(err error) error {
	if refused, ok := errors.AsType[*webhook.Error](err); ok && refused.Code == webhook.CodeNotFound {
		return nil
	}
	return err
}

func (r *Resolver) webhooks(ctx context.Context, first *int, after *string) (*graph.WebhookConnection, error) {
	limit, start, err := listArguments(first, after)
	if err != nil {
		return nil, err
	}
	endpoints, caller, err := r.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	found, err := endpoints.List(ctx, caller)
	if err != nil {
		return nil, err
	}
	if start != "" {
		at := slices.IndexFunc(found, func(e webhook.Endpoint) bool { return e.ID == start })
		if at < 0 {
			return nil, errCursor()
		}
		found = found[at+1:]
	}
	page := &graph.WebhookConnection{Edges: []*graph.WebhookEdge{}, Nodes: []*webhook.Endpoint{}}
	for _, endpoint := range found[:min(len(found), limit)] {
		page.Nodes = append(page.Nodes, &endpoint)
		page.Edges = append(page.Edges, &graph.WebhookEdge{Cursor: endpoint.ID, Node: &endpoint})
	}
	page.PageInfo = pageInfo(len(page.Edges), func(i int) string { return page.Edges[i].Cursor }, len(found) > limit, after)
	return page, nil
}

// deliveries pages the log of a webhook; nil where it is gone meanwhile.
func (r *Resolver) deliveries(ctx context.Context, of *webhook.Endpoint, first *int, after *string) (*graph.WebhookDeliveryConnection, error) {
	limit, before, err := historyPage(first, after)
	if err != nil {
		return nil, err
	}
	endpoints, caller, err := r.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	found, err := endpoints.Deliveries(ctx, caller, of.ID, before, limit)
	if err != nil {
		return nil, unlessAbsent(err)
	}
	page := &graph.WebhookDeliveryConnection{Edges: []*graph.WebhookDeliveryEdge{}, Nodes: []*webhook.Delivery{}}
	for _, delivery := range found {
		page.Nodes = append(page.Nodes, &delivery)
		page.Edges = append(page.Edges, &graph.WebhookDeliveryEdge{Cursor: historyCursor(delivery.Number), Node: &delivery})
	}
	more := false
	if len(found) == limit { // a page is as long as the administration gives at once
		next, err := endpoints.Deliveries(ctx, caller, of.ID, found[limit-1].Number, 1)
		if err != nil {
			return nil, unlessAbsent(err)
		}
		more = len(next) > 0
	}
	page.PageInfo = pageInfo(len(page.Edges), func(i int) string { return page.Edges[i].Cursor }, more, after)
	return page, nil
}
