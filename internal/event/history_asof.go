package event

import (
	"context"
	"errors"
	"time"
)

// ErrHistoryExpired says that the log does not reach back to what a subject was then: its first event stands for all before it.
var ErrHistoryExpired = errors.New("the history does not reach back so far")

// historyRead is how many events of a subject are read at a time.
const historyRead = 500

// AsOf returns the state that a subject had at a time, and whether there was one: not before it was made, nor where the log does
// not know it; a deleted one is there, and Deleted. A service's clock may go back: the state is that in front of the first event
// that is later than the time. A snapshot's state stood since the updatedAt or followedAt that it tells; for a time before that
// the error is ErrHistoryExpired, unless the subject was not yet made. What Compact left tells the state since its own time alone.
// The history is read in pages from its start on, until the time.
func AsOf(ctx context.Context, log Log, subject string, at time.Time) (State, bool, error) {
	var expired bool
	state, err := foldUntil(ctx, log, subject, func(e Event, first bool) bool {
		if !first || !e.Snapshot() && !e.compacted() {
			return e.Time.After(at)
		}
		made, since := snapshotTimes(e)
		if e.compacted() {
			since = e.Time
		}
		expired = since.After(at) && e.Version > 1 && !at.Before(made)
		return since.After(at)
	})
	if err == nil && expired {
		err = ErrHistoryExpired
	}
	return state, state.Version > 0, err
}

// snapshotTimes is when the subject of a snapshot was made, the zero time if it does not say, and since when it has been so.
func snapshotTimes(e Event) (made, since time.Time) {
	since = e.Time
	data, err := decodeObject(e.Data)
	if err != nil {
		return made, since
	}
	instant := func(name string) (time.Time, bool) {
		text, _ := data[name].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		return at, err == nil
	}
	for _, name := range []string{"updatedAt", "followedAt"} {
		if at, ok := instant(name); ok && at.Before(since) {
			since = at
		}
	}
	made, _ = instant("createdAt")
	return made, since
}

// foldUntil folds the events of a subject, a page at a time, up to the first one for which stop is true; nil for never.
func foldUntil(ctx context.Context, log Log, subject string, stop func(e Event, first bool) bool) (State, error) {
	var f folding
	for {
		page, err := log.ReadSubject(ctx, subject, f.Version, 0, historyRead, false)
		if err != nil {
			return State{}, err
		}
		for _, e := range page {
			if e.compacted() && e.Version > f.Version+1 { // between two pages; it stands for the one read before too
				f = folding{}
			}
			if stop != nil && stop(e, f.Version == 0) {
				return f.state(), nil
			}
			if err := f.apply(e); err != nil {
				return State{}, err
			}
		}
		if len(page) < historyRead {
			return f.state(), nil
		}
	}
}
