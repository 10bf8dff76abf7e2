package clients

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Page says which part of a list to read, in the contract's terms. It is comparable, so that it can be part of a key.
type Page struct {
	Limit   int    // items, at least 1
	After   Cursor // only items behind this position; empty: no bound
	Before  Cursor // only items in front of this position; empty: no bound
	FromEnd bool   // the last Limit items of what remains instead of the first
}

// maxLimit is the contract's bound on a page.
const maxLimit = 500

// query is the page as the contract's parameters, in one canonical form. The error wraps ErrMalformedCursor or names the
// limit.
func (p Page) query() (string, error) {
	if p.Limit < 1 || p.Limit > maxLimit {
		return "", fmt.Errorf("limit of a page: want 1 to %d", maxLimit)
	}
	args := "limit=" + strconv.Itoa(p.Limit)
	for _, bound := range []struct {
		name string
		at   Cursor
	}{{"&after=", p.After}, {"&before=", p.Before}} {
		if bound.at == "" {
			continue
		}
		at, id, err := bound.at.Position()
		if err != nil {
			return "", err
		}
		if len(id) > MaxIDBytes {
			return "", fmt.Errorf("%w: the id is too long", ErrMalformedCursor)
		}
		args += bound.name + string(CursorAt(at, id))
	}
	switch {
	case p.FromEnd:
		args += "&from=end"
	case p.Before != "" && p.After == "":
		args += "&from=start" // the contract's default would be the end
	}
	return args, nil
}

// Window is one page of a list, its items in list order.
type Window[T any] struct {
	Items []T
	Next  bool // the list goes on behind the last item
	Prev  bool // the list has items in front of the first
	Total int  // items in the whole list, whatever the bounds
}

// Visibility says whether a read of posts may show what is not published. It is part of every cache key.
type Visibility string

// The contract's values of visibility.
const (
	VisibilityPublic Visibility = "public"
	VisibilityAuthor Visibility = "author"
)

// Cursor is a position in a list ordered by time and id, as the contract encodes it. The empty cursor is no position.
type Cursor string

// ErrMalformedCursor is wrapped by every refusal of a cursor.
var ErrMalformedCursor = errors.New("malformed cursor")

// maxCursorBytes bounds what is worth decoding: 30 bytes of time, a separator and an id, in base64.
const maxCursorBytes = (30 + 1 + MaxIDBytes + 2) / 3 * 4

// CursorAt encodes a position: the instant and, for equal instants, the id.
func CursorAt(at time.Time, id string) Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString([]byte(at.UTC().Format(time.RFC3339Nano) + "|" + id)))
}

// Position decodes a cursor. The error wraps ErrMalformedCursor.
func (c Cursor) Position() (at time.Time, id string, err error) {
	if len(c) > maxCursorBytes {
		return time.Time{}, "", fmt.Errorf("%w: too long", ErrMalformedCursor)
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return time.Time{}, "", fmt.Errorf("%w: not base64url", ErrMalformedCursor)
	}
	text, id, found := strings.Cut(string(raw), "|")
	if !found || !validID(id) {
		return time.Time{}, "", fmt.Errorf("%w: not a time and an id", ErrMalformedCursor)
	}
	if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
		return time.Time{}, "", fmt.Errorf("%w: not a time", ErrMalformedCursor)
	}
	return at, id, nil
}
