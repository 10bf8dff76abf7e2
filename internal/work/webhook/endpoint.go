// Package webhook delivers events to HTTP endpoints, signed as Standard Webhooks has it
// (https://github.com/standard-webhooks/standard-webhooks): who may register which endpoint, and how one event reaches it. When
// and in which order that happens is dispatch's matter.
package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/internal/work/dispatch"
)

// Endpoint is a place that events are delivered to, as its owner sees it. It holds no secret.
type Endpoint struct {
	ID          string
	OwnerID     string // with whose rights events are shown to it; empty: it was made by an admin's right and is shown everything
	MakerID     string // of one without an owner: the admin who answers for it; empty: that was nobody's account
	URL         string
	EventTypes  []string // such as post.published, post.* or *
	Description string
	Version     int // of the schema, from 1, that its payloads keep to, as it was at its making or changed since
	State       dispatch.State
	Reason      *string // one of dispatch's; nil while it is not disabled

	PreviousSecretUntil *time.Time // until when the secret before the last rotation signs too; nil: it does not
	FailingSince        *time.Time // nil while deliveries succeed
	RetryAt             *time.Time // when the next attempt is due; nil while deliveries succeed
	CreatedAt           time.Time
}

// Account is the account whose rights the endpoint has: its owner's or its maker's; empty: nobody's.
func (e Endpoint) Account() string { return cmp.Or(e.OwnerID, e.MakerID) }

// Caller is who asks: an admin, for whom all endpoints exist, or a user, for whom there are only their own. The zero Caller has none.
type Caller struct {
	UserID string
	Admin  bool
}

func (c Caller) sees(owner string) bool { return c.Admin || (c.UserID != "" && c.UserID == owner) }

// config is what Consumer.Config holds of an endpoint. Times are UTC.
type config struct {
	OwnerID       string    `json:"ownerId,omitempty"`
	MakerID       string    `json:"makerId,omitempty"`
	Request       []byte    `json:"request,omitempty"` // what it was made of under an idempotency key, see digest
	URL           string    `json:"url"`
	Description   string    `json:"description,omitempty"`
	Version       int       `json:"version,omitempty"` // 0: made before there were versions
	Secret        secret    `json:"secret"`
	Previous      secret    `json:"previous,omitempty"` // before the last rotation
	PreviousUntil time.Time `json:"previousUntil,omitzero"`
}

// idPrefix begins the ids of endpoints, so that a store may hold other consumers beside them.
const idPrefix = "wh_"

// Is says whether a consumer is an endpoint, or the replay of one: whether Sender.Send is to deliver to it.
func Is(c dispatch.Consumer) bool { return strings.HasPrefix(c.ID, idPrefix) }

// FromConsumer returns the endpoint that a consumer is; false for a replay and for what is none of this package's. The consumer
// holds the secrets: it is not to be shown or logged.
func FromConsumer(c dispatch.Consumer, now time.Time) (Endpoint, bool) {
	if !Is(c) || c.Of != "" {
		return Endpoint{}, false
	}
	kept, err := readConfig(c)
	if err != nil {
		return Endpoint{}, false
	}
	return kept.endpoint(c, now), true
}

// readConfig does not quote what it cannot read.
func readConfig(c dispatch.Consumer) (kept config, err error) {
	if err := json.Unmarshal(c.Config, &kept); err != nil {
		return config{}, fmt.Errorf("kept endpoint %s is not what was written", c.ID)
	}
	return kept, nil
}

func (k config) write() (json.RawMessage, error) { return json.Marshal(k) }

func (k config) endpoint(c dispatch.Consumer, now time.Time) Endpoint {
	e := Endpoint{
		ID: c.ID, OwnerID: k.OwnerID, MakerID: k.MakerID, URL: k.URL, EventTypes: slices.Clone(c.Types), Description: k.Description,
		Version: k.version(), State: c.State, FailingSince: some(c.FailingSince), RetryAt: some(c.RetryAt), CreatedAt: c.CreatedAt,
	}
	if c.State == dispatch.Disabled {
		e.Reason, e.RetryAt = &c.Reason, nil
	}
	if now.Before(k.PreviousUntil) {
		e.PreviousSecretUntil = some(k.PreviousUntil)
	}
	return e
}

// version is that of payloads. What was made before there were versions keeps to the first.
func (k config) version() int { return cmp.Or(k.Version, firstVersion) }

const firstVersion = 1

// some is nil for no time.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
