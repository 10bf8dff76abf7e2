package work

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Order is what is asked for by Start.
type Order struct {
	Name    string    // of a registered Definition
	Key     string    // at most one record of the name has it while it is kept, ended or not; empty: none
	OwnerID string    // whom it belongs to
	ActorID string    // who asks for it
	Input   any       // as JSON at most MaxPayload
	RunAt   time.Time // when its first step may begin; zero: at once
}

// The errors of the engine.
var (
	ErrUndefined = errors.New("there is no work of this name")
	ErrTooLate   = errors.New("it is too late to take this work back")
	ErrNotFailed = errors.New("only a failed job can be tried again")
)

// Start writes work down and sets it going. When it returns without an error the work will be done, whatever happens; also while the
// engine does not run yet. If there is work with the name and key already, that one is returned and created is false. ErrUndefined if
// the name is not registered, ErrTooLarge if the input is too large.
func (e *Engine) Start(ctx context.Context, order Order) (r Record, created bool, err error) {
	d, known := e.definitions[order.Name]
	if !known {
		return Record{}, false, ErrUndefined
	}
	input, err := json.Marshal(order.Input)
	if err != nil {
		return Record{}, false, fmt.Errorf("work: input: %w", err)
	}
	now := e.now()
	r = Record{
		ID: rand.Text(), Kind: d.Kind, Name: d.Name, Key: order.Key, OwnerID: order.OwnerID, ActorID: order.ActorID, Input: input,
		State: Pending, Steps: make([]Step, len(d.Steps)), RunAt: order.RunAt, Attempts: 1, CreatedAt: now, UpdatedAt: now,
	}
	for i, step := range d.Steps {
		r.Steps[i] = Step{Name: step.Name, State: StepPending}
	}
	if r, created, err = e.store.Create(ctx, r); err != nil {
		return Record{}, false, fmt.Errorf("work: start: %w", err)
	}
	if created {
		e.launch(ctx, r)
	}
	return r, created, nil
}

// Get returns a record; ErrUnknown if there is none.
func (e *Engine) Get(ctx context.Context, id string) (Record, error) { return e.store.Get(ctx, id) }

// List returns records as Store.List does.
func (e *Engine) List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error) {
	return e.store.List(ctx, filter, after, limit)
}

// Cancel takes work back: a saga until its final step begins, or, without one, until it is completed; a job before its first step, or
// while it waits for its time in front of one. A step that is under way ends first; no other begins, all that was done or may have
// been done is undone, and it ends as Compensated, or as Cancelled if there was nothing. Cancel competes with the step that makes it
// too late: exactly one wins. ErrTooLate after that one; ErrUnknown if there is no such work. Work that is on its way back already, or
// was taken back before, is returned as it is.
func (e *Engine) Cancel(ctx context.Context, id string) (Record, error) {
	rests := false
	r, err := e.store.Update(ctx, id, func(r *Record) error {
		rests = r.State == Pending || r.State == Waiting || !r.RunAt.IsZero() && revocable(*r)
		return takeBack(r, e.now())
	})
	if err == nil && rests { // behind a step that is under way its end is enough
		e.wake(ctx, r)
	}
	return r, err
}

// Retry lets a failed job go on at the step that failed, with new attempts. ErrNotFailed for any other, ErrUnknown if there is none.
func (e *Engine) Retry(ctx context.Context, id string) (Record, error) {
	r, err := e.store.Update(ctx, id, func(r *Record) error { return again(r, e.now()) })
	if err == nil {
		e.launch(ctx, r)
	}
	return r, err
}

// Redact takes the input and output away from all ended work of an owner. After an error it may be called again.
func (e *Engine) Redact(ctx context.Context, ownerID string) error {
	if ownerID == "" {
		return nil
	}
	filter := Filter{OwnerID: ownerID, States: ends()}
	return e.each(ctx, filter, func(r Record) error {
		_, err := e.store.Update(ctx, r.ID, func(r *Record) error {
			if !r.State.Ended() || r.Input == nil && r.Output == nil {
				return nil
			}
			if r.Announced == r.Revision { // nobody needs to be told of this
				r.Announced++
			}
			r.Input, r.Output = nil, nil
			return nil
		})
		if errors.Is(err, ErrUnknown) {
			return nil
		}
		return err
	})
}

func ends() []State { return []State{Completed, Compensated, Cancelled, Failed} }
func open() []State { return []State{Pending, Waiting, Running, Compensating, Stuck} }

// each calls do for all records that a filter picks, page by page.
func (e *Engine) each(ctx context.Context, filter Filter, do func(Record) error) error {
	const page = 200
	after := ""
	for {
		records, err := e.store.List(ctx, filter, after, page)
		if err != nil {
			return err
		}
		next := ""
		if len(records) == page {
			next = records[page-1].ID
		}
		for _, r := range records {
			if err := do(r); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}
