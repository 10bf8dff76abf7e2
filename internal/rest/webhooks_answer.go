package rest

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"tributary/internal/work/webhook"
)

// endpoint is a webhook in JSON. Times are RFC 3339.
type endpoint struct {
	ID                  string     `json:"id"`
	URL                 string     `json:"url"`
	Events              []string   `json:"events"`
	Description         string     `json:"description"`
	Version             int        `json:"version"` // of the schema, that its payloads keep to
	State               string     `json:"state"`
	Reason              *string    `json:"reason"`
	OwnerID             *string    `json:"ownerId"` // as the graph has it; null for an admin's
	PreviousSecretUntil *time.Time `json:"previousSecretUntil"`
	FailingSince        *time.Time `json:"failingSince"`
	RetryAt             *time.Time `json:"retryAt"`
	CreatedAt           time.Time  `json:"createdAt"`
	Secret              string     `json:"secret,omitempty"` // in the answer to its making alone
}

func shown(e webhook.Endpoint) endpoint {
	made := endpoint{
		ID: e.ID, URL: e.URL, Events: e.EventTypes, Description: e.Description, Version: e.Version, State: string(e.State), Reason: e.Reason,
		PreviousSecretUntil: e.PreviousSecretUntil, FailingSince: e.FailingSince, RetryAt: e.RetryAt, CreatedAt: e.CreatedAt,
	}
	if e.OwnerID != "" {
		owner := "user_" + e.OwnerID
		made.OwnerID = &owner
	}
	return made
}

func answer(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", mediaJSON)
	write(w, status, body)
	return nil
}

func (h *Webhooks) create(w http.ResponseWriter, r *http.Request, from asker, _ string) error {
	wanted, err := readWebhook(w, r)
	if err != nil {
		return err
	}
	n := webhook.NewEndpoint{URL: wanted.URL, EventTypes: wanted.Events, Description: wanted.Description, Version: cmp.Or(wanted.Version, from.version), Key: r.Header.Get("Idempotency-Key")}
	if wanted.Secret != nil {
		if *wanted.Secret == "" {
			return &webhook.Error{Field: "secret", Code: webhook.CodeInvalid, Message: "Leave the secret out to have one made."}
		}
		n.Secret = *wanted.Secret
	}
	made, secret, err := h.Endpoints.Create(r.Context(), from.Caller, n)
	if err != nil {
		return err
	}
	body := shown(made)
	body.Secret = secret
	w.Header().Set("Location", PathWebhooks+"/"+made.ID)
	return answer(w, http.StatusCreated, body)
}

func (h *Webhooks) get(w http.ResponseWriter, r *http.Request, from asker, id string) error {
	found, err := h.Endpoints.Get(r.Context(), from.Caller, id)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, shown(found))
}

func (h *Webhooks) delete(w http.ResponseWriter, r *http.Request, from asker, id string) error {
	if err := h.Endpoints.Delete(r.Context(), from.Caller, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const (
	standardPage = 50
	maxPage      = 100
)

// list answers with a page, and with the address of the next one where there is one.
func (h *Webhooks) list(w http.ResponseWriter, r *http.Request, from asker, _ string) error {
	limit, after, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	found, err := h.Endpoints.List(r.Context(), from.Caller)
	if err != nil {
		return err
	}
	if after != "" {
		at := slices.IndexFunc(found, func(e webhook.Endpoint) bool { return e.ID == after })
		if at < 0 {
			return badRequest("after must be the id of one of the webhooks.")
		}
		found = found[at+1:]
	}
	page := struct {
		Webhooks []endpoint `json:"webhooks"`
		Next     *string    `json:"next"` // what to send as after for the next page; null on the last one
	}{Webhooks: []endpoint{}}
	for _, e := range found[:min(limit, len(found))] {
		page.Webhooks = append(page.Webhooks, shown(e))
	}
	if len(found) > limit {
		page.Next = &found[limit-1].ID
		next := url.Values{"limit": {strconv.Itoa(limit)}, "after": {*page.Next}}
		w.Header().Set("Link", "<"+PathWebhooks+"?"+next.Encode()+`>; rel="next"`)
	}
	return answer(w, http.StatusOK, page)
}

func pageOf(query url.Values) (limit int, after string, err error) {
	limit = standardPage
	if query.Has("limit") {
		if limit, err = strconv.Atoi(query.Get("limit")); err != nil || limit < 1 || limit > maxPage {
			return 0, "", badRequest("limit must be from 1 to 100.")
		}
	}
	return limit, query.Get("after"), nil
}
