package work

import (
	"context"
	"log/slog"
	"time"
)

const (
	sweepRest = 2 * time.Second // after what time of nothing work that was just written down is launched again
	allRest   = time.Minute     // at least, between the beginnings of two looks at all that has not ended
	openPage  = 200             // of what has not ended, how much is looked at in one sweep; the first one looks at all
	cleanRest = time.Hour       // between two removals of what ended long ago
	sweepPart = 20              // a sweep is followed by a rest of so many times as long as it took, up to allRest: much that waits takes little of a core
)

// sweep makes good what a crash or a lost second of Redis has left undone: records without an instance that drives them, decisions
// that no instance was told of. It returns when the engine's context ends.
func (e *run) sweep(clean func(context.Context, time.Time) error) {
	var looked, cleaned time.Time
	after := "" // while a look is under way, the last record of its page
	for {
		now := time.Now()
		e.swept("work cannot be swept", e.sweepDue())
		if first := looked.IsZero(); first || after != "" || now.Sub(looked) >= allRest {
			if after == "" {
				looked = now
			}
			var err error
			after, err = e.sweepOpen(after, first)
			e.swept("work cannot be swept", err)
		}
		rest := min(max(sweepRest, sweepPart*time.Since(now)), allRest)
		if now.Sub(cleaned) >= cleanRest {
			cleaned = now
			_, err := e.store.Clean(e.ctx, e.now().Add(-e.options.Retention), e.options.Keep)
			e.swept("ended work cannot be removed", err)
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

// sweepDue launches what is pending for long, and wakes what rests though it is to be taken back.
func (e *run) sweepDue() error {
	before := e.now().Add(-sweepRest)
	return e.each(e.ctx, Filter{Due: true}, func(r Record) error {
		if r.UpdatedAt.After(before) {
			return nil
		}
		return e.drive(r)
	})
}

// sweepOpen has a page of what has not ended driven, or all of it, from behind the record with an id, empty for the start. It returns
// the id that the next page is behind, empty at the end and with an error.
func (e *run) sweepOpen(after string, all bool) (string, error) {
	for {
		page, err := e.store.List(e.ctx, Filter{States: open()}, after, openPage)
		if err != nil {
			return "", err
		}
		for _, r := range page {
			if err := e.drive(r); err != nil {
				return "", err
			}
		}
		if len(page) < openPage {
			return "", nil
		}
		if after = page[openPage-1].ID; !all {
			return after, nil
		}
	}
}

// drive launches a record, or wakes it if it rests though it is to be taken back. Making an instance that is there changes nothing.
func (e *run) drive(r Record) error {
	if due(r) && r.Decision == TakeBack {
		e.wake(e.ctx, r)
		return nil
	}
	return e.create(e.ctx, e.client.Load(), r)
}
