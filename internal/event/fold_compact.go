package event

import (
	"strconv"
	"strings"
	"time"
)

const (
	// compactedID begins the id of an event that Compact made. Its state stood at its time, and nobody knows for how long before.
	compactedID = "compacted:"
	// compactLimit bounds how many events are held and replaced at a time.
	compactLimit = 500
)

// compacted says whether the event stands for others that are gone.
func (e Event) compacted() bool { return strings.HasPrefix(e.ID, compactedID) }

// compaction makes the event that takes the place of the first n of a subject's events: those that happened up to a time, none behind
// one that is later, and that stand in front of the position first. n is 0 where there is nothing to gain. The error wraps
// ErrBrokenHistory.
func compaction(events []Event, before time.Time, first int64) (to Event, n int, err error) {
	var f folding
	for _, e := range events {
		if e.Time.After(before) || e.Position >= first {
			break
		}
		if err := f.apply(e); err != nil {
			return Event{}, 0, err
		}
		kind, _, _ := strings.Cut(e.Type, ".")
		switch { // the type of a deletion stays, since it outlives redaction
		case !f.Deleted:
			to.Type = kind + SnapshotSuffix
		case e.bearing() == ends:
			to.Type = e.Type
		case e.bearing() == whole: // a snapshot of what was deleted already
			to.Type = kind + ".deleted"
		}
		to.Position, to.Source, to.Subject, to.Time, to.Version = e.Position, e.Source, e.Subject, e.Time, e.Version
		n++
	}
	if n == 0 || n == 1 && (events[0].Snapshot() || events[0].compacted()) {
		return Event{}, 0, nil
	}
	to.ID = compactedID + to.Subject + ":" + strconv.FormatInt(to.Version, 10)
	to.Data = f.remains()
	return to, n, nil
}

// remains is what is kept of a state: all of it, of a deleted subject the names alone, nothing of what is redacted.
func (f *folding) remains() []byte {
	if f.members == nil || !f.Deleted {
		return f.state().JSON
	}
	names := map[string]any{}
	for name, value := range f.members {
		if named(name) {
			names[name] = value
		}
	}
	return encodeJSON(names)
}
