package work

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Definition is how a kind of work is done. Running work goes on after an upgrade as long as its Name is registered: whoever changes
// the steps gives them a new version in the name and keeps the old one while work of it runs. Steps are found by their names.
type Definition struct {
	Name  string // with its version, such as deleteAccount.v1
	Kind  Kind
	Steps []StepDefinition
	Retry Retry // of each step
}

// StepDefinition is one step. Do and Undo may run several times, also at once where a process was thought dead, and have to give the
// same: Call.Key makes a write happen once.
type StepDefinition struct {
	Name string
	// Do does it. An error that Permanent made ends the attempts; any other is tried again.
	Do func(ctx context.Context, call *Call) error
	// Undo takes back what Do did, may have done, or may still do late: it fences Call.Fence. It is repeated until it succeeds. nil:
	// there is nothing to take back.
	Undo func(ctx context.Context, call *Call) error
	// Final is the point of no return: from when this step begins the work can no longer be taken back. It and the steps behind it are
	// repeated until they succeed, and never undone.
	Final bool
	// Wait, if not nil, tells until when the work rests in front of this step. Until then a job can be taken back; a saga can until
	// its final step.
	Wait func(Record) time.Time
}

// Retry is how often a step is tried and how long it rests between attempts: First, doubled for each further one up to Most, each
// jittered by a fifth either way.
type Retry struct {
	Attempts    int // in all, from 1; undoing and what is final have no bound
	First, Most time.Duration
}

// Permanent says of an error that trying again is of no use. nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// IsPermanent tells whether Permanent made the error or one that it wraps.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}

// check says what is wrong with a definition.
func (d Definition) check() error {
	switch {
	case d.Name == "" || d.Kind != Job && d.Kind != Saga:
		return fmt.Errorf("work %q: it needs a name and a kind", d.Name)
	case len(d.Steps) == 0 || len(d.Steps) > MaxSteps:
		return fmt.Errorf("work %s: it needs from 1 to %d steps", d.Name, MaxSteps)
	case d.Retry.Attempts < 1 || d.Retry.First <= 0 || d.Retry.Most < d.Retry.First:
		return fmt.Errorf("work %s: it needs at least one attempt and rests that grow", d.Name)
	}
	names := map[string]bool{}
	for _, step := range d.Steps {
		if step.Name == "" || step.Do == nil || names[step.Name] {
			return fmt.Errorf("work %s: each step needs a name of its own and something to do", d.Name)
		}
		names[step.Name] = true
	}
	return nil
}
