package dispatch

import (
	"encoding/json"
	"fmt"
	"time"
)

// progress is what Store.Progress moves of a consumer. It is kept apart from the rest, so that a store moves it without reading
// the rest.
type progress struct {
	State        State     `json:"state"`
	Reason       string    `json:"reason,omitempty"`
	LogID        string    `json:"logId"`
	Position     int64     `json:"position"`
	Attempts     int       `json:"attempts,omitempty"`
	FailingSince time.Time `json:"failingSince,omitzero"`
	RetryAt      time.Time `json:"retryAt,omitzero"`
}

func progressOf(c Consumer) progress {
	return progress{
		State: c.State, Reason: c.Reason, LogID: c.LogID, Position: c.Position,
		Attempts: c.Attempts, FailingSince: c.FailingSince, RetryAt: c.RetryAt,
	}
}

// writeProgress is the progress of a consumer as stores keep it.
func writeProgress(c Consumer) ([]byte, error) { return json.Marshal(progressOf(c)) }

// writeFixed is the rest of a consumer as stores keep it.
func writeFixed(c Consumer) ([]byte, error) {
	c.Deliveries, c.Revision = 0, 0
	return json.Marshal(c)
}

// readConsumer puts a consumer together from what stores keep.
func readConsumer(fixed, moved []byte, revision, deliveries int64) (Consumer, error) {
	var c Consumer
	var p progress
	if err := json.Unmarshal(fixed, &c); err != nil {
		return Consumer{}, fmt.Errorf("kept consumer: %w", err)
	}
	if err := json.Unmarshal(moved, &p); err != nil {
		return Consumer{}, fmt.Errorf("progress of consumer %s: %w", c.ID, err)
	}
	c.State, c.Reason, c.LogID, c.Position = p.State, p.Reason, p.LogID, p.Position
	c.Attempts, c.FailingSince, c.RetryAt = p.Attempts, p.FailingSince, p.RetryAt
	c.Revision, c.Deliveries = revision, deliveries
	return c, nil
}

func readDelivery(number int64, record []byte) (Delivery, error) {
	var d Delivery
	if err := json.Unmarshal(record, &d); err != nil {
		return Delivery{}, fmt.Errorf("kept delivery: %w", err)
	}
	d.Number = number
	return d, nil
}
