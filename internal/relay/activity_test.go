package relay_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/clients"
	"tributary/internal/relay"
)

// entry is an item of the merged list as its documentation orders them.
type entry struct {
	at      time.Time
	comment bool
	id      string
}

func (e entry) compare(o entry) int {
	kind := func(comment bool) int {
		if comment {
			return 1
		}
		return 0
	}
	return cmp.Or(o.at.Compare(e.at), cmp.Compare(kind(e.comment), kind(o.comment)), strings.Compare(o.id, e.id))
}

func (e entry) item() clients.ActivityItem {
	if e.comment {
		return &clients.Comment{ID: clients.CommentID(e.id), CreatedAt: e.at}
	}
	return &clients.Post{ID: clients.PostID(e.id), CreatedAt: e.at}
}

func entryOf(item clients.ActivityItem) entry {
	switch item := item.(type) {
	case *clients.Post:
		return entry{item.CreatedAt, false, string(item.ID)}
	case *clients.Comment:
		return entry{item.CreatedAt, true, string(item.ID)}
	}
	panic("no activity")
}

// cursorOf has package relay write the cursor of an entry.
func cursorOf(e entry) string {
	args, _ := relay.NewArgs(of(1), nil, nil, nil, nil)
	return relay.Activity(args, clients.Window[clients.ActivityItem]{Items: []clients.ActivityItem{e.item()}}).Edges[0].Cursor()
}

// services are the posts and the comments of one user, each with a service of its own.
type services struct {
	posts    []*clients.Post
	comments []*clients.Comment
}

func newServices(entries []entry) services {
	var s services
	for _, e := range entries {
		switch item := e.item().(type) {
		case *clients.Post:
			s.posts = append(s.posts, item)
		case *clients.Comment:
			s.comments = append(s.comments, item)
		}
	}
	return s
}

func (s services) read(args relay.Args) *relay.ActivityConnection {
	posts, comments := relay.ActivityPages(args.Page)
	return relay.Activity(args, relay.MergeActivity(serve(s.posts, postSpot, posts), serve(s.comments, commentSpot, comments), args.Page))
}

var anEntry = rapid.Custom(func(t *rapid.T) entry {
	return entry{anInstant.Draw(t, "at"), rapid.Bool().Draw(t, "comment"), anID.Draw(t, "id")}
})

func someEntries(t *rapid.T, most int) []entry {
	return rapid.SliceOfNDistinct(anEntry, 0, most, func(e entry) string { return fmt.Sprint(e.comment, e.id) }).Draw(t, "entries")
}

// TestActivityIsTheMergedList compares pages with what one finds by looking at the whole list: between any two of its items,
// its ends, and a place where no item stands.
func TestActivityIsTheMergedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := someEntries(t, 6)
		s := newServices(entries)
		bounds := []*entry{nil, of(anEntry.Draw(t, "place")), {noon.AddDate(1, 0, 0), true, "a"}, {noon.AddDate(-1, 0, 0), false, "a"}}
		for i := range entries {
			bounds = append(bounds, &entries[i])
		}
		for _, after := range bounds {
			for _, before := range bounds {
				size := rapid.IntRange(1, 4).Draw(t, "size")
				for _, order := range []relay.Order{relay.NewestFirst, relay.OldestFirst} {
					wanted{entries, order, after, before, size, false}.compare(t, s)
					wanted{entries, order, after, before, size, true}.compare(t, s)
				}
			}
		}
	})
}

// wanted is a page of the merged list of entries.
type wanted struct {
	entries       []entry
	order         relay.Order
	after, before *entry
	size          int
	fromEnd       bool
}

func (w wanted) compare(t *rapid.T, s services) {
	first, last := &w.size, (*int)(nil)
	if w.fromEnd {
		first, last = nil, &w.size
	}
	args, err := relay.NewActivityArgs(first, cursorOr(w.after), last, cursorOr(w.before), &w.order)
	if err != nil {
		t.Fatal(err)
	}
	got := s.read(args)
	var gotItems []entry
	for _, edge := range got.Edges {
		e := entryOf(edge.Node)
		gotItems = append(gotItems, e)
		if edge.Cursor() != cursorOf(e) {
			t.Fatalf("cursor %s is not that of %v", edge.Cursor(), e)
		}
	}
	items, hasNext, hasPrevious := w.find()
	info := got.PageInfo
	if !slices.Equal(gotItems, items) || info.HasNextPage != hasNext || info.HasPreviousPage != hasPrevious || got.TotalCount != len(w.entries) {
		t.Fatalf("%s, after %v, before %v, limit %d, from the end %t:\n got %v of %d, next %t, previous %t\nwant %v of %d, next %t, previous %t",
			w.order, w.after, w.before, w.size, w.fromEnd, gotItems, got.TotalCount, info.HasNextPage, info.HasPreviousPage, items, len(w.entries), hasNext, hasPrevious)
	}
}

// find looks the page up in the whole list.
func (w wanted) find() (items []entry, hasNext, hasPrevious bool) {
	all := slices.SortedFunc(slices.Values(w.entries), entry.compare)
	inFront := entry.compare
	if w.order == relay.OldestFirst {
		slices.Reverse(all)
		inFront = func(a, b entry) int { return b.compare(a) }
	}
	for _, e := range all {
		if (w.after == nil || inFront(*w.after, e) < 0) && (w.before == nil || inFront(e, *w.before) < 0) {
			items = append(items, e)
		}
	}
	if cut := len(items) - w.size; cut > 0 && w.fromEnd {
		items = items[cut:]
	} else if cut > 0 {
		items = items[:w.size]
	}
	if len(items) == 0 {
		return nil, false, false
	}
	return items, items[len(items)-1] != all[len(all)-1], items[0] != all[0]
}

func cursorOr(e *entry) *string {
	if e == nil {
		return nil
	}
	return of(cursorOf(*e))
}

func TestEveryPageOfActivityOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := someEntries(t, 16)
		order := rapid.SampledFrom([]relay.Order{relay.NewestFirst, relay.OldestFirst}).Draw(t, "order")
		want := slices.SortedFunc(slices.Values(entries), entry.compare)
		if order == relay.OldestFirst {
			slices.Reverse(want)
		}
		s := newServices(entries)
		walk(t, order, want, relay.NewActivityArgs, func(args relay.Args) *relay.Connection[entry] {
			page := s.read(args)
			same := &relay.Connection[entry]{PageInfo: page.PageInfo, TotalCount: page.TotalCount}
			for _, edge := range page.Edges {
				same.Edges = append(same.Edges, relay.Edge[entry]{Node: entryOf(edge.Node)})
			}
			return same
		})
	})
}

// TestActivityCursorsAreGoodForEveryService holds what is sent to the services to the contract's form of a cursor, at the
// ends of what a cursor can say too.
func TestActivityCursorsAreGoodForEveryService(t *testing.T) {
	long := strings.Repeat("a", clients.MaxIDBytes)
	for _, at := range []time.Time{noon, time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)} {
		for _, e := range []entry{{at, false, long}, {at, true, long}, {at, false, "-"}, {at, true, "~"}} {
			args, err := relay.NewActivityArgs(of(1), of(cursorOf(e)), nil, nil, nil)
			if err != nil {
				t.Fatalf("%v: %v", e, err)
			}
			posts, comments := relay.ActivityPages(args.Page)
			for _, c := range []clients.Cursor{posts.After, comments.After} {
				if got := decoded(c); !got.at.Equal(at) { // decoded panics at what a service would refuse
					t.Errorf("%v becomes a position at %v", e, got.at)
				}
			}
		}
	}
}
