// Package work is what must not be forgotten: jobs and sagas that survive any crash and can be seen while they run. A durable
// engine carries them out, step by step; a record of each says how far it is.
package work

import (
	"encoding/json"
	"time"
)

// Kind tells jobs from sagas.
type Kind string

// The kinds of work.
const (
	Job  Kind = "job"  // ends as failed when it cannot be done, and can be tried again
	Saga Kind = "saga" // takes back what it did when it cannot be done
)

// State is how far a piece of work is.
type State string

// The states of work. Completed, Compensated, Cancelled and Failed are its ends.
const (
	Pending      State = "PENDING"      // written down, not yet taken up
	Waiting      State = "WAITING"      // for its time: before a job, or during the grace period of a saga
	Running      State = "RUNNING"      // a step is under way, or waits to be tried again
	Compensating State = "COMPENSATING" // what was done is being undone
	Stuck        State = "STUCK"        // what has to succeed has failed for an hour, and is still tried
	Completed    State = "COMPLETED"
	Compensated  State = "COMPENSATED" // undone, since a step could not be done or somebody took the whole back in time
	Cancelled    State = "CANCELLED"   // before anything was done
	Failed       State = "FAILED"      // given up: a dead letter
)

// Ended says whether nothing will happen any more by itself.
func (s State) Ended() bool {
	return s == Completed || s == Compensated || s == Cancelled || s == Failed
}

// Decision is who won where work may be taken back until it goes on: it is set once.
type Decision string

// The decisions.
const (
	Undecided Decision = ""
	Proceed   Decision = "PROCEED" // too late to take it back
	TakeBack  Decision = "TAKE_BACK"
)

// Record is the visible state of one piece of work. It holds no secrets, and of persons only ids.
type Record struct {
	ID        string          `json:"id"` // random, URL-safe, unique among all work
	Kind      Kind            `json:"kind"`
	Name      string          `json:"name"`                // of its Definition, with its version, such as deleteAccount.v1
	Key       string          `json:"key,omitempty"`       // at most one record of a Name has it while it is kept; empty: none
	OwnerID   string          `json:"ownerId,omitempty"`   // the user service's id of whom it belongs to; empty: nobody
	ActorID   string          `json:"actorId,omitempty"`   // who asked for it
	Input     json.RawMessage `json:"input,omitempty"`     // as its Definition reads it
	Output    json.RawMessage `json:"output,omitempty"`    // once it is completed
	State     State           `json:"state"`               //
	Decision  Decision        `json:"decision,omitempty"`  //
	Steps     []Step          `json:"steps"`               // in their order
	Done      int64           `json:"done,omitempty"`      // progress in the unit that the step counts, of
	Total     int64           `json:"total,omitempty"`     // 0: not known
	Failure   *Failure        `json:"failure,omitempty"`   // what went wrong last; stands also after it ended well
	RunAt     time.Time       `json:"runAt,omitzero"`      // until when it waits, or when the next attempt is due
	Troubled  time.Time       `json:"troubled,omitzero"`   // since when what has to succeed has failed
	Attempts  int             `json:"attempts,omitempty"`  // how often it has been tried as a whole: 1, and one more for each retry by hand
	CreatedAt time.Time       `json:"createdAt"`           //
	UpdatedAt time.Time       `json:"updatedAt"`           //
	EndedAt   time.Time       `json:"endedAt,omitzero"`    // zero until then
	Revision  int64           `json:"revision"`            // grows by one with each change, from 1
	Announced int64           `json:"announced,omitempty"` // the last revision that was told as an event
}

// StepState is how far a step is.
type StepState string

// The states of steps.
const (
	StepPending StepState = "PENDING"
	StepRunning StepState = "RUNNING" // under way, or waiting for its next attempt
	StepDone    StepState = "DONE"
	StepFailed  StepState = "FAILED" // given up, or of unknown outcome: it is undone too
	StepUndoing StepState = "UNDOING"
	StepUndone  StepState = "UNDONE"
)

// Step is the visible state of one step.
type Step struct {
	Name     string    `json:"name"`
	State    StepState `json:"state"`
	Attempts int       `json:"attempts,omitempty"` // of doing it
	Undos    int       `json:"undos,omitempty"`    // attempts of undoing it
	Failure  *Failure  `json:"failure,omitempty"`  // the last one
	At       time.Time `json:"at,omitzero"`        // of the last change
}

// Failure is what callers may know of an error.
type Failure struct {
	Code    string    `json:"code"`    // such as SERVICE_UNAVAILABLE
	Message string    `json:"message"` // without addresses, secrets or anything of a person
	At      time.Time `json:"at"`
}

// Filter picks records; the zero value picks all.
type Filter struct {
	Kind    Kind
	OwnerID string
	States  []State // any of them; none: all
	Name    string
	Due     bool // what somebody has to look at: not taken up yet, or waiting though it is to be taken back
}
