package resolvers

import (
	"context"
	"errors"

	"tributary/clients"
	"tributary/graph"
	"tributary/internal/work/webhook"
)

// refused tells what of a command about a webhook the person who asked can mend; any other failure stays an error. The members that it
// names stand within those of the path.
func refused(err error, path ...string) ([]*graph.UserError, error) {
	refusal, ok := errors.AsType[*webhook.Error](err)
	if !ok {
		return nil, err
	}
	var field []string
	if refusal.Field != "" {
		field = append(path, refusal.Field)
	}
	return []*graph.UserError{{Field: field, Message: refusal.Message, Code: graph.UserErrorCode(refusal.Code)}}, nil
}

// onWebhook runs a command on the webhook of an id.
func onWebhook[V any](ctx context.Context, r *Resolver, global clients.GlobalID, path []string, do func(e *webhook.Endpoints, caller webhook.Caller, id string) (V, error)) (*V, []*graph.UserError, error) {
	endpoints, caller, err := r.endpoints(ctx)
	if err != nil {
		return nil, nil, err
	}
	id, err := webhookID(global)
	if err != nil {
		return nil, nil, err
	}
	done, err := do(endpoints, caller, id)
	if err != nil {
		problems, err := refused(err, path...)
		return nil, problems, err
	}
	return &done, none(), nil
}

func (r *Resolver) createWebhook(ctx context.Context, input graph.CreateWebhookInput) (*graph.WebhookPayload, error) {
	endpoints, caller, err := r.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	wanted := webhook.NewEndpoint{URL: input.URL, EventTypes: input.EventTypes, Key: clients.CallerFrom(ctx).IdempotencyKey, Version: input.Version}
	if wanted.Version == nil {
		wanted.Version = new(r.Versions.Of(ctx))
	}
	if input.Secret != nil {
		if *input.Secret == "" {
			return &graph.WebhookPayload{UserErrors: problem(graph.UserErrorCodeInvalid, "leave the secret out to have one made", "secret")}, nil
		}
		wanted.Secret = *input.Secret
	}
	if input.Description != nil {
		wanted.Description = *input.Description
	}
	made, secret, err := endpoints.Create(ctx, caller, wanted)
	if err != nil {
		problems, err := refused(err, "input")
		return payload(err, &graph.WebhookPayload{UserErrors: problems})
	}
	return &graph.WebhookPayload{Webhook: &made, Secret: unlessZero(secret), UserErrors: none()}, nil
}

func (r *Resolver) updateWebhook(ctx context.Context, input graph.UpdateWebhookInput) (*webhook.Endpoint, []*graph.UserError, error) {
	return onWebhook(ctx, r, input.ID, []string{"input"}, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Endpoint, error) {
		return e.Update(ctx, caller, id, webhook.Update{
			URL: input.URL, EventTypes: input.EventTypes, Description: input.Description, Version: input.Version, Enabled: input.Enabled,
		})
	})
}

func (r *Resolver) rotateWebhookSecret(ctx context.Context, global clients.GlobalID, given *string) (*graph.WebhookPayload, error) {
	if given != nil && *given == "" {
		return &graph.WebhookPayload{UserErrors: argument("secret", graph.UserErrorCodeInvalid, "leave the secret out to have one made")}, nil
	}
	var secret *string
	changed, problems, err := onWebhook(ctx, r, global, nil, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Endpoint, error) {
		chosen, _ := deref(given)
		changed, made, err := e.RotateSecret(ctx, caller, id, chosen)
		if err == nil {
			secret = &made
		}
		return changed, err
	})
	return payload(err, &graph.WebhookPayload{Webhook: changed, Secret: secret, UserErrors: problems})
}

// deleteWebhook gives the webhook as it was.
func (r *Resolver) deleteWebhook(ctx context.Context, global clients.GlobalID) (*webhook.Endpoint, []*graph.UserError, error) {
	return onWebhook(ctx, r, global, nil, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Endpoint, error) {
		was, err := e.Get(ctx, caller, id)
		if err != nil {
			return was, err
		}
		return was, e.Delete(ctx, caller, id)
	})
}

func (r *Resolver) pingWebhook(ctx context.Context, global clients.GlobalID) (*webhook.Delivery, []*graph.UserError, error) {
	return onWebhook(ctx, r, global, nil, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Delivery, error) {
		return e.Ping(ctx, caller, id)
	})
}

func (r *Resolver) redeliverWebhook(ctx context.Context, global clients.GlobalID, number int) (*webhook.Delivery, []*graph.UserError, error) {
	return onWebhook(ctx, r, global, nil, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Delivery, error) {
		return e.Redeliver(ctx, caller, id, int64(number))
	})
}

func (r *Resolver) replayWebhook(ctx context.Context, input graph.ReplayWebhookInput) (*graph.WebhookReplayPayload, error) {
	begun, problems, err := onWebhook(ctx, r, input.ID, []string{"input"}, func(e *webhook.Endpoints, caller webhook.Caller, id string) (webhook.Replay, error) {
		to, _ := deref(input.To)
		return e.Replay(ctx, caller, id, input.From, to)
	})
	if begun == nil {
		return payload(err, &graph.WebhookReplayPayload{UserErrors: problems})
	}
	events := int(begun.Events)
	return &graph.WebhookReplayPayload{Webhook: &begun.Endpoint, Events: &events, UserErrors: problems}, nil
}
