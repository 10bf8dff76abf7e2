// Package rest answers what programs without GraphQL ask for: users and their profiles, and the registration of webhooks.
package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/work/webhook"
)

// ScopeWebhooks lets a user register webhooks.
const ScopeWebhooks = "webhooks"

// PathWebhooks is where Webhooks answers, and everything below it.
const PathWebhooks = "/api/webhooks"

// The methods of Webhooks, as Allow lists them: on all of them, and on one.
const (
	MethodsWebhooks = "GET, HEAD, POST"
	MethodsWebhook  = "GET, HEAD, DELETE"
)

// The prices of requests, in points.
const (
	priceRead  = 1
	priceWrite = 10
)

// Webhooks registers webhooks over plain HTTP, with the rights and the refusals of the graph:
//
//	POST   /api/webhooks       {"url", "events", "secret"?, "description"?, "version"?}: 201, the one answer that has the secret; the same without it
//	                           when it comes again under its Idempotency-Key
//	GET    /api/webhooks       ?limit, from 1 to 100, and ?after, the id of the last one that was seen
//	GET    /api/webhooks/{id}
//	DELETE /api/webhooks/{id}  204
//
// Refusals are problem documents (RFC 9457) with a code. All fields but Charge and Choose are required. It is safe for concurrent use.
type Webhooks struct {
	Endpoints *webhook.Endpoints
	// Identify tells who asks and from where; an error that wraps auth.ErrUnavailable says that this cannot be told now.
	Identify func(*http.Request) (auth.Viewer, netip.Addr, error)
	// Charge takes the price of a request, and tells what the caller has left in fields for the header. If the caller cannot pay, ok is
	// false and wait is after how long they can. nil: nothing is charged.
	Charge func(ctx context.Context, viewer auth.Viewer, ip netip.Addr, points int64) (fields http.Header, wait time.Duration, ok bool)
	// Choose tells in which version of the schema a request is, or why in none. An endpoint is pinned to it unless its body names another;
	// nil: the first.
	Choose func(r *http.Request, viewer auth.Viewer) (*operation.View, *operation.VersionError)
	Logger *slog.Logger
}

// ServeHTTP answers one request. It must be mounted with the path whole.
func (h *Webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	id, one := strings.CutPrefix(r.URL.Path, PathWebhooks+"/")
	answer := h.answerer(r.Method, one)
	switch {
	case !one && id != PathWebhooks, one && (id == "" || strings.Contains(id, "/")):
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is nothing here.")
		return
	case answer == nil:
		w.Header().Set("Allow", map[bool]string{false: MethodsWebhooks, true: MethodsWebhook}[one])
		refuse(w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This cannot be done here.")
		return
	}
	from, ok := h.admit(w, r)
	if !ok {
		return
	}
	if err := answer(w, r, from, id); err != nil {
		h.failed(w, r, err)
	}
}

type answerer func(w http.ResponseWriter, r *http.Request, from asker, id string) error

// asker is who asks, and in which version of the schema; nil for the first.
type asker struct {
	webhook.Caller
	version *int
}

// answerer is what answers a method, on one webhook or on all of them; nil for none.
func (h *Webhooks) answerer(method string, one bool) answerer {
	switch method {
	case http.MethodGet, http.MethodHead:
		if one {
			return h.get
		}
		return h.list
	case http.MethodPost:
		if !one {
			return h.create
		}
	case http.MethodDelete:
		if one {
			return h.delete
		}
	}
	return nil
}

// admit tells who asks and takes the price. If they may not, it has answered.
func (h *Webhooks) admit(w http.ResponseWriter, r *http.Request) (asker, bool) {
	viewer, ip, err := h.Identify(r)
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "Who calls cannot be checked now: come back in a moment.")
		return asker{}, false
	case err != nil:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHENTICATED", "The token or key is not valid here: get a new one.")
		return asker{}, false
	}
	if !h.charge(w, r, viewer, ip) {
		return asker{}, false
	}
	switch {
	case viewer.Anonymous():
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "UNAUTHENTICATED", "This needs a token: send Authorization: Bearer …")
		return asker{}, false
	case !viewer.Admin() && (!viewer.HasScopes(ScopeWebhooks) || viewer.UserID == ""):
		refuse(w, http.StatusForbidden, "FORBIDDEN", "This is not allowed to you.")
		return asker{}, false
	}
	from := asker{Caller: webhook.Caller{UserID: viewer.UserID, Admin: viewer.Admin()}}
	if h.Choose != nil {
		view, wrong := h.Choose(r, viewer)
		if wrong != nil {
			setFields(w.Header(), wrong.Header)
			refuse(w, wrong.Status, wrong.Code, sentence(wrong.Message))
			return asker{}, false
		}
		from.version = &view.Version.Number
	}
	return from, true
}

func (h *Webhooks) charge(w http.ResponseWriter, r *http.Request, viewer auth.Viewer, ip netip.Addr) bool {
	if h.Charge == nil {
		return true
	}
	price := int64(priceRead)
	if r.Method == http.MethodPost || r.Method == http.MethodDelete {
		price = priceWrite
	}
	fields, wait, ok := h.Charge(r.Context(), viewer, ip, price)
	for name, values := range fields {
		w.Header()[name] = values
	}
	if !ok {
		w.Header().Set("Retry-After", seconds(wait))
		refuse(w, http.StatusTooManyRequests, "THROTTLED", "This costs more than may be spent now: come back later.")
	}
	return ok
}

// failed answers for an error: with a refusal's own words, or without any of the cause's, which goes to the log.
func (h *Webhooks) failed(w http.ResponseWriter, r *http.Request, err error) {
	if refusal, ok := errors.AsType[*webhook.Error](err); ok {
		refuseInput(w, refusal)
		return
	}
	if malformed, ok := errors.AsType[*requestError](err); ok {
		if malformed.status == http.StatusUnsupportedMediaType {
			w.Header().Set("Accept-Post", mediaJSON)
		}
		refuse(w, malformed.status, malformed.code, malformed.detail)
		return
	}
	if errors.Is(err, auth.ErrForbidden) { // the account is frozen or gone
		refuse(w, http.StatusForbidden, "FORBIDDEN", "This is not allowed to you.")
		return
	}
	if r.Context().Err() == nil {
		h.Logger.ErrorContext(r.Context(), "a webhook cannot be administered", "error", err)
	}
	refuse(w, http.StatusInternalServerError, "INTERNAL", "Something went wrong on our side.")
}
