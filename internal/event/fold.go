package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// State is what is known of a subject after one of its events.
type State struct {
	Subject  string          // empty where there was no event
	Version  int64           // of the last event
	Time     time.Time       // of the last event
	Deleted  bool            // it was deleted or removed; JSON is what it was before, or its names alone once that is compacted
	Redacted bool            // data was taken out of the log, and no event that carries all came after that: JSON is nil
	JSON     json.RawMessage // an object without null members, whose version is Version
}

// ErrBrokenHistory is wrapped where the events of a subject do not follow from each other: a version is missing, the first
// event builds on something unknown, or data is no object.
var ErrBrokenHistory = errors.New("the events do not follow from each other")

// Fold makes the state that events of one subject lead to. They come in the order of their versions, from the first that the log
// has: an event that carries all, what Compact left, or version 1. No events make the zero State. The error wraps ErrBrokenHistory.
func Fold(events []Event) (State, error) {
	var f folding
	for _, e := range events {
		if err := f.apply(e); err != nil {
			return State{}, err
		}
	}
	return f.state(), nil
}

// folding is a State in the making.
type folding struct {
	State
	members map[string]any // nil while nothing is known
}

// bearing is how an event bears on the state.
type bearing int

const (
	patches bearing = iota // its data is a merge patch
	whole                  // its data is all of the state, which stands from now on
	ends                   // its subject is gone; its data names it
)

func (e Event) bearing() bearing {
	_, verb, _ := strings.Cut(e.Type, ".")
	switch verb {
	case "created", "restored", "added", "snapshot":
		return whole
	case "deleted", "removed":
		return ends
	}
	return patches
}

// previousAuthor is the member of data that tells of a move: the authorId before. It is no part of the state.
const previousAuthor = "previousAuthorId"

// named says whether events carry a member whether it changed or not.
func named(name string) bool {
	switch name {
	case "id", "authorId", "postId", "parentId", "followerId", "followeeId":
		return true
	}
	return false
}

func (f *folding) apply(e Event) error {
	first, how := f.Version == 0, e.bearing()
	switch {
	case first && how != whole && e.Version != 1 && !e.compacted():
		return fmt.Errorf("%s: the first event, version %d, builds on something unknown: %w", e.Subject, e.Version, ErrBrokenHistory)
	case !first && (e.Subject != f.Subject || e.Version != f.Version+1):
		return fmt.Errorf("%s version %d stands behind %s version %d: %w", e.Subject, e.Version, f.Subject, f.Version, ErrBrokenHistory)
	}
	if err := f.take(e.Data, how); err != nil {
		return fmt.Errorf("%s version %d: %w: %w", e.Subject, e.Version, err, ErrBrokenHistory)
	}
	f.Subject, f.Version, f.Time = e.Subject, e.Version, e.Time
	switch how { // what becomes of a deleted subject does not bring it back, unless it is restored
	case ends:
		f.Deleted = true
	case whole: // a snapshot may be of what is deleted
		f.Deleted = f.members["status"] == "deleted"
	}
	return nil
}

func (f *folding) take(raw json.RawMessage, how bearing) error {
	if raw == nil {
		f.members, f.Redacted = nil, true
		return nil
	}
	data, err := decodeObject(raw)
	if err != nil {
		return err
	}
	delete(data, previousAuthor)
	switch {
	case how == whole:
		f.members, f.Redacted = mergeValue(nil, data).(map[string]any), false
	case f.Redacted, how == ends && f.members != nil: // the names of what is gone are those it had
	default:
		f.members = mergeValue(f.members, data).(map[string]any)
	}
	return nil
}

func (f *folding) state() State {
	s := f.State
	if f.members != nil {
		f.members["version"] = json.Number(strconv.FormatInt(f.Version, 10)) // whether a patch carries it or not
		s.JSON = encodeJSON(f.members)
	}
	return s
}
