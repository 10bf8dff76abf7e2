package work

import (
	"context"
	"log/slog"
	"time"
)

const (
	sweepRest = 2 * time.Second // after what time of nothing work that was just written down is launched again
	allRest   = time.Minute     // between two looks at all that has not ended
	cleanRest = time.Hour       // between two removals of what ended long ago
	sweepPart = 20              // a sweep is followed by a rest of so many times as long as it took, up to allRest: much that waits takes little of a core
)

// sweep makes good what a crash or a lost second of Redis has left undone: records without an instance that drives them, decisions
// that no instance was told of. It returns when the engine's context ends.
func (e *run) sweep(clean func(context.Context, time.Time) error) {
	var all, cleaned time.Time
	for {
		now := time.Now()
		looked := now.Sub(all) >= allRest
		if looked {
			all = now
		}
		e.swept("work cannot be swept", e.sweepOpen(looked))
		rest := min(max(sweepRest, sweepPart*time.Since(now)), allRest)
		if now.Sub(cleaned) >= cleanRest {
			cleaned = now
			e.swept("ended work cannot be removed", e.removeEnded(e.now().Add(-e.options.Retention)))
			e.swept("ended instances cannot be removed", clean(e.ctx, e.now().Add(-e.options.Retention)))
		}
		if !pause(e.ctx, rest) {
			return
		}
	}
}

func (e *run) swept(what string, err error) {
	if err != nil && e.ctx.Err() == nil {
		e.logger.LogAttrs(e.ctx, slog.LevelWarn, what, slog.Any("error", err))
	}
}

// sweepOpen launches what is pending for long, and with all everything that has not ended: making an instance that is there changes
// nothing. It wakes what rests though it is to be taken back.
func (e *run) sweepOpen(all bool) error {
	states := []State{Pending, Waiting}
	if all {
		states = open()
	}
	c, before := e.client.Load(), e.now().Add(-sweepRest)
	return e.each(e.ctx, Filter{States: states}, func(r Record) error {
		switch {
		case r.UpdatedAt.After(before) && !all:
		case r.Decision == TakeBack && (r.State == Waiting || r.State == Pending):
			e.wake(e.ctx, r)
		case all || r.State == Pending:
			return e.create(e.ctx, c, r)
		}
		return nil
	})
}

// removeEnded deletes records that ended before a time.
func (e *run) removeEnded(before time.Time) error {
	return e.each(e.ctx, Filter{States: ends()}, func(r Record) error {
		if !r.EndedAt.Before(before) {
			return nil
		}
		return e.store.Delete(e.ctx, r.ID)
	})
}
