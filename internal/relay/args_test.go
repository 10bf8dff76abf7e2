package relay_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"tributary/clients"
	"tributary/internal/relay"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	cursorA = string(clients.CursorAt(noon, "a"))
	cursorB = string(clients.CursorAt(noon, "b"))
)

func of[T any](v T) *T { return &v }

// raw encodes the inside of a cursor without any check.
func raw(inside string) string { return base64.RawURLEncoding.EncodeToString([]byte(inside)) }

func TestNewArgsGiveThePageInListOrder(t *testing.T) {
	newest, oldest := relay.NewestFirst, relay.OldestFirst
	tests := []struct {
		name                string
		first, last         *int
		after, before       *string
		order               *relay.Order
		limit               int
		pageAfter, pageBack string
		fromEnd             bool
	}{
		{name: "first", first: of(5), limit: 5},
		{name: "last", last: of(7), limit: 7, fromEnd: true},
		{name: "least and most", first: of(100), limit: 100},
		{name: "after", first: of(1), after: &cursorA, limit: 1, pageAfter: cursorA},
		{name: "before", last: of(1), before: &cursorB, limit: 1, pageBack: cursorB, fromEnd: true},
		{name: "first and before", first: of(2), before: &cursorB, limit: 2, pageBack: cursorB},
		{name: "last and after", last: of(2), after: &cursorA, limit: 2, pageAfter: cursorA, fromEnd: true},
		{name: "both bounds", first: of(2), after: &cursorA, before: &cursorB, limit: 2, pageAfter: cursorA, pageBack: cursorB},
		{name: "newest first is the list's own order", first: of(2), after: &cursorA, order: &newest, limit: 2, pageAfter: cursorA},
		{name: "oldest first reads from the end", first: of(2), order: &oldest, limit: 2, fromEnd: true},
		{name: "oldest first, last", last: of(2), order: &oldest, limit: 2},
		{name: "oldest first swaps the bounds", first: of(2), after: &cursorA, before: &cursorB, order: &oldest, limit: 2, pageAfter: cursorB, pageBack: cursorA, fromEnd: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args, err := relay.NewArgs(tt.first, tt.after, tt.last, tt.before, tt.order)
			if err != nil {
				t.Fatal(err)
			}
			want := clients.Page{Limit: tt.limit, After: clients.Cursor(tt.pageAfter), Before: clients.Cursor(tt.pageBack), FromEnd: tt.fromEnd}
			if args.Page != want {
				t.Errorf("page\n got %+v\nwant %+v", args.Page, want)
			}
		})
	}
}

func TestNewArgsRefuse(t *testing.T) {
	tests := []struct {
		name        string
		first, last *int
		want        string
	}{
		{"neither", nil, nil, "give first or last, from 1 to 100"},
		{"both", of(1), of(1), "not both"},
		{"first 0", of(0), nil, "first must be from 1 to 100"},
		{"first -1", of(-1), nil, "first must be from 1 to 100"},
		{"first 101", of(101), nil, "first must be from 1 to 100"},
		{"last 0", nil, of(0), "last must be from 1 to 100"},
		{"last -1", nil, of(-1), "last must be from 1 to 100"},
		{"last 101", nil, of(101), "last must be from 1 to 100"},
		{"first beyond 32 bits", of(1 << 40), nil, "first must be from 1 to 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args, err := relay.NewArgs(tt.first, nil, tt.last, nil, nil)
			if !errors.Is(err, relay.ErrPaging) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one of paging that says %q", err, tt.want)
			}
			if args != (relay.Args{}) {
				t.Errorf("args %+v beside an error", args)
			}
		})
	}
}

// malformed are cursors that no list takes.
var malformed = map[string]string{
	"empty":               "",
	"no base64":           "not a cursor!",
	"padded":              cursorA + "=",
	"standard base64":     "+/+/",
	"newlines inside":     cursorA[:4] + "\n" + cursorA[4:],
	"spare bits set":      strings.TrimSuffix(raw("2026-03-01T12:00:00Z|a"), "Q") + "R",
	"no separator":        raw(noon.Format(time.RFC3339Nano)),
	"no time":             raw("|a"),
	"no id":               raw("2026-03-01T12:00:00Z|"),
	"id of foreign bytes": raw("2026-03-01T12:00:00Z|a b"),
	"two separators":      raw("2026-03-01T12:00:00Z|a|b"),
	"overlong id":         raw("2026-03-01T12:00:00Z|" + strings.Repeat("a", clients.MaxIDBytes+1)),
	"overlong":            strings.Repeat("a", 10_000),
	"not UTC":             raw("2026-03-01T12:00:00+01:00|a"),
	"zone in figures":     raw("2026-03-01T12:00:00+00:00|a"),
	"time left of year 0": raw("0000-01-01T00:00:00+01:00|a"),
	"comma in time":       raw("2026-03-01T12:00:00,5Z|a"),
	"zeros behind time":   raw("2026-03-01T12:00:00.500Z|a"),
	"ten digits":          raw("2026-03-01T12:00:00.1234567891Z|a"),
	"no such day":         raw("2026-02-30T12:00:00Z|a"),
	"invalid UTF-8":       raw("2026-03-01T12:00:00Z|\xff"),
}

func TestMalformedCursorsAreRefused(t *testing.T) {
	for name, cursor := range malformed {
		t.Run(name, func(t *testing.T) {
			for _, order := range []relay.Order{relay.NewestFirst, relay.OldestFirst} {
				_, err := relay.NewArgs(of(1), &cursor, nil, nil, &order)
				refusesCursor(t, err, "after")
				_, err = relay.NewArgs(nil, nil, of(1), &cursor, &order)
				refusesCursor(t, err, "before")
			}
			for _, mark := range []string{"", "post:", "comment:"} {
				marked := mark + cursor
				_, err := relay.NewActivityArgs(of(1), &marked, nil, nil, nil)
				refusesCursor(t, err, "after")
				_, err = relay.NewActivityArgs(nil, nil, of(1), &marked, nil)
				refusesCursor(t, err, "before")
			}
		})
	}
}

func refusesCursor(t *testing.T, err error, argument string) {
	t.Helper()
	if !errors.Is(err, clients.ErrMalformedCursor) || !strings.HasPrefix(err.Error(), argument+": ") {
		t.Errorf("error %v, want that of a malformed cursor in %s", err, argument)
	}
}

func TestListsRefuseCursorsOfAnotherKind(t *testing.T) {
	item := &clients.Post{ID: "post", CreatedAt: noon}
	w := relay.MergeActivity(clients.Window[*clients.Post]{Items: []*clients.Post{item}, Total: 1}, clients.Window[*clients.Comment]{}, clients.Page{Limit: 1})
	args, _ := relay.NewArgs(of(1), nil, nil, nil, nil)
	ofActivity := relay.Activity(args, w).Edges[0].Cursor()
	ofPosts := relay.Posts(args, clients.Window[*clients.Post]{Items: []*clients.Post{item}, Total: 1}).Edges[0].Cursor()

	_, err := relay.NewArgs(of(1), &ofActivity, nil, nil, nil)
	refusesCursor(t, err, "after")
	_, err = relay.NewActivityArgs(of(1), &ofPosts, nil, nil, nil)
	refusesCursor(t, err, "after")
	for _, own := range []error{
		second(relay.NewArgs(of(1), &ofPosts, nil, nil, nil)),
		second(relay.NewActivityArgs(of(1), &ofActivity, nil, nil, nil)),
	} {
		if own != nil {
			t.Errorf("a list refuses its own cursor: %v", own)
		}
	}
}

func second[A any](_ A, err error) error { return err }
