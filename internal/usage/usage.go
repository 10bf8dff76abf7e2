// Package usage counts who uses what is deprecated, so that whoever takes it away knows whom to tell. It knows nothing of any schema.
package usage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// The bounds of what is counted.
const (
	MaxNames = 100                 // of clients that are told apart by one replica, and as many API keys; those who come later are Other
	MaxRows  = 10_000              // element, version and client
	KeepFor  = 90 * 24 * time.Hour // after the last use
)

// Use is what is counted: an element, in a version of the schema, by a client.
type Use struct {
	Coordinate string
	Version    int
	Client     string
}

// Row is how often a use was seen. Times are UTC with microseconds.
type Row struct {
	Use
	ClientVersion string // what the client called its own version when it last did; empty when it never did
	Count         int64
	First, Last   time.Time
}

// ErrUnavailable is wrapped by errors of the store.
var ErrUnavailable = errors.New("the use of deprecated elements cannot be looked up now")

// Table counts uses, in memory alone or together with other replicas. It is safe for concurrent use.
type Table struct {
	shared *Redis // nil: there are no others
	now    func() time.Time

	mu    sync.Mutex
	names map[string]bool // that clients call themselves
	keys  map[string]bool // of API keys, which nobody can make up
	rows  map[Use]*Row    // with a shared table, what is not there yet

	flushing sync.Mutex
	sent     *batch // that may have arrived, or not; nil: none
}

// New makes an empty table; shared is the one of all replicas, nil without any.
func New(shared *Redis, now func() time.Time) *Table {
	return &Table{shared: shared, now: now, names: map[string]bool{}, keys: map[string]bool{}, rows: map[Use]*Row{}}
}

// Note counts one use of each element by a client, and returns the name that the client is counted by: that of Name, or Other when
// MaxNames of them are known already.
func (t *Table) Note(caller Caller, version int, coordinates []string) (client string) {
	now := t.now().UTC().Truncate(time.Microsecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	names := t.names
	if caller.byKey() {
		names = t.keys
	}
	client = admit(names, caller.Name())
	for _, coordinate := range coordinates {
		row := t.row(Use{coordinate, version, client}, now)
		row.Count, row.Last = row.Count+1, now
		if label := caller.ownVersion(); label != "" {
			row.ClientVersion = label
		}
	}
	return client
}

// admit is the name of a client as it is counted: first come, first served.
func admit(names map[string]bool, name string) string {
	if name == Unknown || name == Invalid || names[name] {
		return name
	}
	if len(names) >= MaxNames {
		return Other
	}
	names[name] = true
	return name
}

// row finds the row of a use, or makes it. In a full table Other stands for the client; there are as many of those as elements.
func (t *Table) row(use Use, now time.Time) *Row {
	if row, ok := t.rows[use]; ok {
		return row
	}
	if len(t.rows) >= MaxRows {
		t.forget(now)
	}
	if len(t.rows) >= MaxRows {
		use.Client = Other
	}
	row, ok := t.rows[use]
	if !ok {
		row = &Row{Use: use, First: now}
		t.rows[use] = row
	}
	return row
}

// forget drops what was not used for long.
func (t *Table) forget(now time.Time) {
	for use, row := range t.rows {
		if now.Sub(row.Last) > KeepFor {
			delete(t.rows, use)
		}
	}
}

// Top gives up to n rows, the most used first: those of all replicas, as far as they have told. Errors wrap ErrUnavailable.
func (t *Table) Top(ctx context.Context, n int) ([]Row, error) {
	rows := t.own()
	if t.shared != nil {
		err := t.flush(ctx)
		if err == nil {
			rows, err = t.shared.all(ctx, t.now().Add(-KeepFor))
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Version, b.Version), strings.Compare(a.Client, b.Client))
	})
	return rows[:min(n, len(rows))], nil
}

// own are copies of the rows of this replica.
func (t *Table) own() []Row {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(t.now())
	rows := make([]Row, 0, len(t.rows))
	for _, row := range t.rows {
		rows = append(rows, *row)
	}
	return rows
}
