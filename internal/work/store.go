package work

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The bounds of a record.
const (
	MaxPayload = 64 << 10 // of Input and of Output, in bytes
	MaxSteps   = 32
)

// Store keeps the records of work. Its methods are safe for concurrent use, by several processes too. There are two: SQLite for a
// single process and Redis for replicas. What a change or a deletion takes away is in no file and no key any more when it returns;
// only an append-only file of Redis has it until it is rewritten. Times are kept in UTC.
type Store interface {
	// Create writes a new record down for good, as revision 1. If there is one with its Name and Key already, that one is
	// returned instead, and created is false. ErrTooLarge if it is beyond the bounds.
	Create(ctx context.Context, r Record) (kept Record, created bool, err error)
	// Get returns a record; ErrUnknown if there is none.
	Get(ctx context.Context, id string) (Record, error)
	// Update changes a record, all of it or nothing: change is called with the present one, again if somebody else was faster,
	// and what it leaves is kept with the next Revision. An error of change is returned as it is and changes nothing, nor does
	// a change that leaves the record as it was. What is kept is returned. ErrUnknown if there is no such record, ErrTooLarge if
	// it goes beyond the bounds, ErrFixed if it changes what a record is found by: ID, Name, Key, OwnerID, CreatedAt.
	Update(ctx context.Context, id string, change func(*Record) error) (Record, error)
	// List returns up to limit records that a filter picks, the latest created first, from behind the one with the id after,
	// empty for the start; an unknown one gives none.
	List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error)
	// Clean takes ended records away, with their keys: of each owner and kind all but the last keep to end, the first to end first,
	// and then all that ended before a time. Work of nobody goes by the time alone. What is changed meanwhile stays. It returns
	// how many it took away, also beside an error; what was left then is taken by the next call.
	Clean(ctx context.Context, before time.Time, keep int) (removed int, err error)
}

// The errors of stores.
var (
	ErrUnknown  = errors.New("no such work")
	ErrTooLarge = errors.New("a record of work is larger than may be kept")
	ErrFixed    = errors.New("a record of work is found by what this change touches")
)

// encode makes the kept form of a record within the bounds.
func encode(r Record) ([]byte, error) {
	if len(r.Input) > MaxPayload || len(r.Output) > MaxPayload || len(r.Steps) > MaxSteps {
		return nil, ErrTooLarge
	}
	r.RunAt, r.Troubled, r.CreatedAt, r.UpdatedAt, r.EndedAt = r.RunAt.UTC(), r.Troubled.UTC(), r.CreatedAt.UTC(), r.UpdatedAt.UTC(), r.EndedAt.UTC()
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("work: encode a record: %w", err)
	}
	return data, nil
}

func decode(data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("work: decode a record: %w", err)
	}
	return r, nil
}

// changed applies a change to the kept form of a record. Without a difference next is nil.
func changed(kept []byte, change func(*Record) error) (before, after Record, next []byte, err error) {
	if before, err = decode(kept); err != nil {
		return Record{}, Record{}, nil, err
	}
	if after, err = decode(kept); err != nil { // apart from the first one, which the change must not touch
		return Record{}, Record{}, nil, err
	}
	if err := change(&after); err != nil {
		return Record{}, Record{}, nil, err
	}
	if after.ID != before.ID || after.Name != before.Name || after.Key != before.Key || after.OwnerID != before.OwnerID ||
		!after.CreatedAt.Equal(before.CreatedAt) {
		return Record{}, Record{}, nil, ErrFixed
	}
	after.Revision = before.Revision
	if next, err = encode(after); err != nil {
		return Record{}, Record{}, nil, err
	}
	if bytes.Equal(next, kept) {
		return before, before, nil, nil
	}
	after.Revision++
	if next, err = encode(after); err == nil {
		after, err = decode(next) // as everybody else will see it
	}
	return before, after, next, err
}

// picks says whether a filter wants a record.
func (f Filter) picks(r Record) bool {
	wanted := len(f.States) == 0
	for _, state := range f.States {
		wanted = wanted || state == r.State
	}
	return wanted && (!f.Due || due(r)) && (f.Kind == "" || f.Kind == r.Kind) && (f.OwnerID == "" || f.OwnerID == r.OwnerID) && (f.Name == "" || f.Name == r.Name)
}

// due says whether Filter.Due picks a record.
func due(r Record) bool {
	return r.State == Pending || r.State == Waiting && r.Decision == TakeBack
}

// openOnly says whether a filter wants only work that has not ended.
func (f Filter) openOnly() bool {
	if f.Due {
		return true
	}
	for _, state := range f.States {
		if state.Ended() {
			return false
		}
	}
	return len(f.States) > 0
}

// place orders records by their creation: by the microsecond, then by the id.
func place(created time.Time, id string) string {
	return fmt.Sprintf("%019d:%s", created.UnixMicro(), id)
}

// placed is the id of the record that has a place: it stands behind the digits and the colon.
func placed(place string) string { return place[20:] }
