package event

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Log is where events are kept, in one order that all replicas see alike. Its methods are safe for concurrent use; after an error
// that is not one of those named, nothing is known of what the call did.
type Log interface {
	// Append adds a batch of one source in order, all of it or nothing, and returns the highest sequence of the source so far,
	// that of skipped events included. Events whose (source, id) is known are skipped. Of the others each must have the version
	// behind that of its subject, or be a snapshot: of a subject that is not known at any version from 1, which is added, or of
	// a known one at no newer version, which is skipped. Else the error is a *GapError: also for a snapshot that is newer, in
	// front of which the events that lead to it have to come. An empty batch is a heartbeat. The events are in the log for good
	// when it returns.
	Append(ctx context.Context, source string, batch []Event) (sequence int64, err error)
	// Read returns up to limit events behind a position, none at the end. ErrTrimmed: the next ones are gone, or the log has
	// lost what the position stood behind.
	Read(ctx context.Context, after int64, limit int) ([]Event, error)
	// ReadSubject returns up to limit events of a subject with versions in (after, before), before 0 for no bound, the oldest
	// first, or with backward the newest first. Trimming does not touch them.
	ReadSubject(ctx context.Context, subject string, after, before int64, limit int, backward bool) ([]Event, error)
	// Wait returns nil once there is an event behind the position, or the error of ctx. It may return early.
	Wait(ctx context.Context, after int64) error
	// Bounds tells what the log holds.
	Bounds(ctx context.Context) (Bounds, error)
}

// Keeper is the upkeep of a log; every Log of this package is one.
type Keeper interface {
	// Redact takes the data and the actors' names of all events of a subject out of the log, for good: the envelopes stay.
	Redact(ctx context.Context, subject string) error
	// Trim takes the events that the log took in up to a time, by its own clock, out of what Read reads. ReadSubject still has
	// them, and they are still known to Append.
	Trim(ctx context.Context, before time.Time) error
	// Compact replaces the first events of a subject by one that tells the state they lead to, and returns how many; it takes up
	// to 500 at a time, so it is to be called until there were 0. It takes those that happened up to a time, none behind one that
	// is later, and none that Read still has. The one event has the source, position, version and time of the last that it
	// stands for, and no sequence and actor. It is a snapshot; of a deleted subject it is the deletion, with the names of what it
	// was about alone; of a redacted one it has no data. Append may not know the replaced events' ids any more and then refuses
	// them for their versions. It is done at once or not at all, whatever else is done to the subject meanwhile. The error wraps
	// ErrBrokenHistory for events that do not follow from each other, which stay.
	Compact(ctx context.Context, subject string, before time.Time) (replaced int, err error)
	// Live returns when each source was last heard of, by a batch or a heartbeat.
	Live(ctx context.Context) (map[string]time.Time, error)
	// Close gives up what the log holds open.
	Close() error
}

// Bounds are the ends of a log.
type Bounds struct {
	ID    string // of the log, made at random when it was created
	First int64  // position of the first event that Read still has; Last+1 when there is none
	Last  int64  // position of the last event; 0 for an empty log
}

// ErrTrimmed says that events were taken out of the log that a reader has not seen yet.
var ErrTrimmed = errors.New("the events that come next are no longer kept")

// GapError is the refusal of a batch with an event that does not follow its subject's last one.
type GapError struct {
	Index    int   // of the event in the batch, from 0
	Expected int64 // the version that the subject's next event has
}

func (e *GapError) Error() string {
	return fmt.Sprintf("event %d does not follow: version %d is next", e.Index, e.Expected)
}
