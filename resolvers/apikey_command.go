package resolvers

import (
	"context"
	"errors"
	"fmt"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/auth"
	"tributary/internal/relay"
)

// maxKeys bounds a page of API keys.
const maxKeys = 100

// apiKeys pages the API keys. The cursor of a key is its id.
func (r *Resolver) apiKeys(ctx context.Context, first *int, after *string) (*graph.APIKeyConnection, error) {
	if first == nil || *first < 1 || *first > maxKeys {
		return nil, fmt.Errorf("%w: first must be from 1 to %d", relay.ErrPaging, maxKeys)
	}
	start := ""
	if after != nil {
		start = *after
	}
	keys, err := r.Keys.List(ctx, start, *first+1)
	if errors.Is(err, auth.ErrInvalidInput) {
		return nil, fmt.Errorf("%w: not one of this list", clients.ErrMalformedCursor)
	}
	if err != nil {
		return nil, err
	}
	page := &graph.APIKeyConnection{PageInfo: &relay.PageInfo{HasNextPage: len(keys) > *first, HasPreviousPage: start != ""}}
	for _, key := range keys[:min(len(keys), *first)] {
		page.Nodes = append(page.Nodes, &key)
		page.Edges = append(page.Edges, &graph.APIKeyEdge{Cursor: key.ID, Node: &key})
	}
	if n := len(page.Edges); n > 0 {
		page.PageInfo.Start, page.PageInfo.End = relay.At(page.Edges[0].Cursor), relay.At(page.Edges[n-1].Cursor)
	}
	return page, nil
}

func (r *Resolver) createAPIKey(ctx context.Context, input graph.CreateAPIKeyInput) (*graph.CreateAPIKeyPayload, error) {
	wanted := auth.NewKey{Name: input.Name, Scopes: input.Scopes, ExpiresAt: input.ExpiresAt, CreatedBy: load(ctx).viewer.UserID}
	if input.UserID != nil {
		_, ok, err := current(ctx, r.Clients.Users.ByIDs, *input.UserID)
		if err != nil {
			return nil, err
		}
		if !ok {
			return &graph.CreateAPIKeyPayload{UserErrors: problem(graph.UserErrorCodeNotFound, "there is no such user", "userId")}, nil
		}
		wanted.UserID = string(*input.UserID)
	}
	if input.Version != nil {
		if err := r.Versions.Supports(*input.Version); err != nil {
			return &graph.CreateAPIKeyPayload{UserErrors: problem(graph.UserErrorCodeInvalid, "an API key can be pinned to versions of the schema that have not ended: see /versions", "version")}, nil
		}
		wanted.Version = *input.Version
	}
	key, secret, err := r.Keys.Create(ctx, wanted)
	if wrong, ok := errors.AsType[*auth.InputError](err); ok {
		return &graph.CreateAPIKeyPayload{UserErrors: problem(graph.UserErrorCodeInvalid, wrong.Message, memberOf(wrong)...)}, nil
	}
	if err != nil {
		return nil, err
	}
	return &graph.CreateAPIKeyPayload{APIKey: &key, Secret: &secret, UserErrors: none()}, nil
}

// memberOf is the member of the input that is at fault, none for the request as a whole.
func memberOf(wrong *auth.InputError) []string {
	if wrong.Field == "" {
		return nil
	}
	return []string{wrong.Field}
}

func (r *Resolver) revokeAPIKey(ctx context.Context, id string) (*graph.RevokeAPIKeyPayload, error) {
	key, ok, err := r.Keys.Revoke(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return &graph.RevokeAPIKeyPayload{UserErrors: problem(graph.UserErrorCodeNotFound, "there is no such key", "id")}, nil
	}
	return &graph.RevokeAPIKeyPayload{APIKey: &key, UserErrors: none()}, nil
}
