// Package dispatch takes events from the log to those who must have them: at least once, in order for each subject, from a place that
// survives any crash. Webhooks are its consumers, and reactions inside the gateway.
package dispatch

import (
	"encoding/json"
	"time"
)

// State is whether a consumer gets events.
type State string

// The states of consumers.
const (
	Active   State = "ACTIVE"
	Failing  State = "FAILING"  // the last delivery failed: one is tried again on a schedule while the rest waits in the log
	Disabled State = "DISABLED" // gets nothing until it is enabled
)

// The reasons for which consumers are disabled.
const (
	ReasonGone      = "GONE"            // the receiver said that it wants nothing any more
	ReasonTooLong   = "FAILED_TOO_LONG" // nothing was delivered for Options.GiveUp
	ReasonByRequest = "BY_REQUEST"
)

// Consumer is one that gets events, and how far it has come.
type Consumer struct {
	ID       string          `json:"id"`
	Types    []string        `json:"types,omitempty"` // of events that it wants, such as post.published or post.*; none: all
	Config   json.RawMessage `json:"config"`          // its sender's own
	State    State           `json:"state"`
	Reason   string          `json:"reason,omitempty"` // why it is disabled: one of the reasons below
	LogID    string          `json:"logId"`            // of the log that Position stands in: event.Bounds.ID; empty: the present one
	Position int64           `json:"position"`         // all events up to it have been delivered or were not wanted
	Until    int64           `json:"until,omitempty"`  // it ends behind this position: a replay; 0: never
	Of       string          `json:"of,omitempty"`     // of a replay: the consumer whose events it repeats

	Attempts     int       `json:"attempts,omitempty"`    // that have failed in a row for the event behind Position
	FailingSince time.Time `json:"failingSince,omitzero"` //
	RetryAt      time.Time `json:"retryAt,omitzero"`      // when the next attempt is due
	CreatedAt    time.Time `json:"createdAt"`             //
	Revision     int64     `json:"revision"`              // grows by one with each change of anything above but the progress
	Deliveries   int64     `json:"deliveries"`            // how many were written to its log, and so the number of the last one
}

// Outcome is how a delivery ended.
type Outcome string

// The outcomes of deliveries.
const (
	Delivered Outcome = "DELIVERED"
	Refused   Outcome = "FAILED"
	Lost      Outcome = "LOST" // the events up to Position were no longer in the log
)

// Delivery is one attempt to hand over an event, as it is kept in the log of its consumer.
type Delivery struct {
	Number    int64         `json:"number"` // in the log of its consumer, from 1
	EventID   string        `json:"eventId"`
	Source    string        `json:"source"`
	Type      string        `json:"type"`
	Subject   string        `json:"subject"`
	Position  int64         `json:"position"`
	Attempt   int           `json:"attempt"`          // from 1
	Manual    bool          `json:"manual,omitempty"` // asked for by hand: a repetition or a ping
	At        time.Time     `json:"at"`
	Took      time.Duration `json:"took"`
	Outcome   Outcome       `json:"outcome"`
	Status    int           `json:"status,omitempty"`  // what the receiver answered; 0: nothing
	Excerpt   string        `json:"excerpt,omitempty"` // of its answer, valid UTF-8 of at most 1 KB
	Problem   string        `json:"problem,omitempty"` // why it failed, for the consumer's owner: a code such as TIMEOUT
	NextRetry time.Time     `json:"nextRetry,omitzero"`
}
