package relay

import (
	"errors"
	"fmt"
	"time"

	"tributary/clients"
)

// Order says which end of a list comes first.
type Order string

// The orders of every list.
const (
	NewestFirst Order = "newest_first"
	OldestFirst Order = "oldest_first"
)

// MaxPage is the most that first or last may ask for.
const MaxPage = 100

// ErrPaging is wrapped by every refusal of first, last, after and before that is not a malformed cursor.
var ErrPaging = errors.New("bad page")

// Args are the paging arguments of a list, checked. They are comparable, so that they can be part of a loader's key.
type Args struct {
	clients.Page
	reversed bool // the services list newest first only: the other order is the same list read from its end
}

// NewArgs checks the arguments of a connection field. Exactly one of first and last must be there, from 1 to MaxPage;
// after and before must be cursors of this server's. The error wraps ErrPaging or clients.ErrMalformedCursor.
func NewArgs(first *int, after *string, last *int, before *string, order *Order) (Args, error) {
	return newArgs(first, after, last, before, order, func(c clients.Cursor) error {
		_, _, err := parseCursor(c)
		return err
	})
}

func newArgs(first *int, after *string, last *int, before *string, order *Order, check func(clients.Cursor) error) (Args, error) {
	size, name := first, "first"
	switch {
	case first == nil && last == nil:
		return Args{}, fmt.Errorf("%w: give first or last, from 1 to %d", ErrPaging, MaxPage)
	case first != nil && last != nil:
		return Args{}, fmt.Errorf("%w: give first or last, not both", ErrPaging)
	case last != nil:
		size, name = last, "last"
	}
	if *size < 1 || *size > MaxPage {
		return Args{}, fmt.Errorf("%w: %s must be from 1 to %d", ErrPaging, name, MaxPage)
	}
	args := Args{Page: clients.Page{Limit: *size, FromEnd: last != nil}}
	var err error
	if args.After, err = bound("after", after, check); err != nil {
		return Args{}, err
	}
	if args.Before, err = bound("before", before, check); err != nil {
		return Args{}, err
	}
	if order != nil && *order == OldestFirst {
		args.reversed = true
		args.After, args.Before = args.Before, args.After
		args.FromEnd = !args.FromEnd
	}
	return args, nil
}

// bound is the cursor that an argument gives, empty when it gives none.
func bound(name string, cursor *string, check func(clients.Cursor) error) (clients.Cursor, error) {
	if cursor == nil {
		return "", nil
	}
	c := clients.Cursor(*cursor)
	if err := check(c); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// parseCursor takes what clients.CursorAt writes for items, and nothing else that clients would decode: a service may take
// less than they do, and what it refuses would look like a failure of ours.
func parseCursor(c clients.Cursor) (at time.Time, id string, err error) {
	at, id, err = c.Position()
	if err == nil && (id == "" || len(id) > clients.MaxIDBytes || clients.CursorAt(at, id) != c) {
		err = fmt.Errorf("%w: not one of this server", clients.ErrMalformedCursor)
	}
	return at, id, err
}
