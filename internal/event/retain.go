package event

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	retainEvery = time.Hour
	retainPage  = 100                    // subjects that are read at a time
	retainPause = 200 * time.Millisecond // after as much work as looking at retainPage subjects
	retainCost  = 10                     // what compacting costs, in subjects looked at
)

// Retainer takes out of a log what is to be kept no longer. Its fields are not changed while it runs; one log may have several,
// which only do some work twice without Turn.
type Retainer struct {
	Log interface {
		Log
		Keeper
		SubjectLister
	}
	Events  time.Duration // for how long Read has events; 0 for ever
	History time.Duration // for how long the events of a subject are kept one by one; 0 for ever. Only what Read no longer has is compacted
	Every   time.Duration // from one round to the next; 0 for an hour
	// Turn says whether this replica is to do a round: to one of all replicas within the time given. Nil is always.
	Turn     func(ctx context.Context, every time.Duration) (bool, error)
	Observer RetainObserver
	Logger   *slog.Logger // hears of each round that did something, or failed
}

// RetainObserver is told what was taken out of the log. Nil functions are not called.
type RetainObserver struct {
	Trimmed   func(events int) // so many events are read by subject alone from now on
	Compacted func(events int) // so many events were replaced by one
}

// retained is what one round did.
type retained struct {
	trimmed            int64
	subjects, replaced int
	broken             int // subjects whose events do not follow from each other
	work               int // since the last pause
}

// Run does a round at once and then each time that Every has passed, until ctx ends; then it returns nil, as it does at once where
// Events are kept for ever. It looks at about 500 subjects a second, compacts up to 50, and holds 500 events at most. What fails is logged and tried again in the next round.
func (r *Retainer) Run(ctx context.Context) error {
	if r.Events <= 0 {
		return nil
	}
	every := cmp.Or(max(r.Every, 0), retainEvery)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		done, err := r.round(ctx, every)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.Logger.Warn("event retention failed, to be tried again", "error", err.Error(), "in", every.String())
		case done.trimmed > 0 || done.replaced > 0 || done.broken > 0:
			r.Logger.Info("event retention", "trimmed", done.trimmed, "subjects", done.subjects, "compacted", done.replaced, "broken", done.broken)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *Retainer) round(ctx context.Context, every time.Duration) (done retained, err error) {
	if r.Turn != nil {
		// A little less than lies between rounds, or this replica would come too early for its own next turn.
		if mine, err := r.Turn(ctx, every*9/10); err != nil || !mine {
			return done, err
		}
	}
	if done.trimmed, err = r.trim(ctx, time.Now().Add(-r.Events)); err != nil || r.History <= 0 {
		return done, err
	}
	return done, r.walk(ctx, &done, time.Now().Add(-r.History))
}

func (r *Retainer) trim(ctx context.Context, before time.Time) (int64, error) {
	had, err := r.Log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.Log.Trim(ctx, before); err != nil {
		return 0, err
	}
	has, err := r.Log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	trimmed := has.First - had.First
	if trimmed > 0 && r.Observer.Trimmed != nil {
		r.Observer.Trimmed(int(trimmed))
	}
	return trimmed, nil
}

// walk compacts all subjects, some after the other.
func (r *Retainer) walk(ctx context.Context, done *retained, before time.Time) error {
	for after := ""; ; {
		page, err := r.Log.Subjects(ctx, after, retainPage)
		if err != nil {
			return err
		}
		for _, subject := range page {
			done.subjects++
			if err := r.subject(ctx, done, subject, before); errors.Is(err, ErrBrokenHistory) {
				done.broken++
			} else if err != nil {
				return err
			}
		}
		if len(page) < retainPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// subject compacts one subject. Most were compacted before or are younger, which their first events tell.
func (r *Retainer) subject(ctx context.Context, done *retained, subject string, before time.Time) error {
	first, err := r.Log.ReadSubject(ctx, subject, 0, 0, 2, false)
	if err != nil {
		return err
	}
	if err := done.spend(ctx, 1); err != nil {
		return err
	}
	if len(first) > 0 && (first[0].Snapshot() || first[0].compacted()) {
		first = first[1:]
	}
	if len(first) == 0 || first[0].Time.After(before) {
		return nil
	}
	for {
		n, err := r.Log.Compact(ctx, subject, before)
		if err != nil || n == 0 {
			return err
		}
		done.replaced += n
		if r.Observer.Compacted != nil {
			r.Observer.Compacted(n)
		}
		if err := done.spend(ctx, retainCost); err != nil {
			return err
		}
	}
}

// spend pauses when enough was done. The error is that of ctx.
func (d *retained) spend(ctx context.Context, work int) error {
	if d.work += work; d.work < retainPage {
		return nil
	}
	d.work = 0
	return wait(ctx, retainPause)
}
