package dispatch

import (
	"context"
	"time"

	"tributary/internal/event"
)

// Send hands one event to a consumer and tells what came of it. attempt counts from 1. It is called concurrently, ends soon after its
// context does, and may be called again with an event that it has handed over: the receiver knows it by its source and ID.
type Send func(ctx context.Context, consumer Consumer, e event.Event, attempt int) Result

// Result is what came of an attempt. The zero Result is a failure that is tried again.
type Result struct {
	Delivered  bool          // the receiver has it
	Skipped    bool          // it was not for this receiver: settled, and nothing is written to the log of deliveries
	Dead       bool          // it failed and always will: it is written down as failed, and the next one is taken up
	Gone       bool          // the receiver wants nothing any more: the consumer is disabled, unless it is one of Options.Durable
	RetryAfter time.Duration // the receiver asks for this rest at least; at most the last of the schedule's is granted
	Status     int           // as in Delivery
	Excerpt    string        // as in Delivery
	Problem    string        // as in Delivery
}

// settled says whether the event needs no further attempt.
func (r Result) settled() bool { return r.Delivered || r.Skipped || r.Dead }

// outcome is what is written down of the attempt.
func (r Result) outcome() Outcome {
	if r.Delivered {
		return Delivered
	}
	return Refused
}
