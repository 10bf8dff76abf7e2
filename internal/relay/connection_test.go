package relay_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/clients"
	"tributary/internal/relay"
)

func TestConnectionTellsWhatIsAroundThePage(t *testing.T) {
	posts := []*clients.Post{{ID: "b", CreatedAt: noon}, {ID: "a", CreatedAt: noon}}
	newest, oldest := relay.NewestFirst, relay.OldestFirst
	tests := []struct {
		name           string
		order          *relay.Order
		next, prev     bool
		ids            string
		hasNext, hasPr bool
	}{
		{"default order", nil, true, false, "ba", true, false},
		{"newest first", &newest, false, true, "ba", false, true},
		{"oldest first turns the page round", &oldest, true, false, "ab", false, true},
		{"oldest first, other side", &oldest, false, true, "ab", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args, err := relay.NewArgs(of(2), nil, nil, nil, tt.order)
			if err != nil {
				t.Fatal(err)
			}
			c := relay.Posts(args, clients.Window[*clients.Post]{Items: posts, Next: tt.next, Prev: tt.prev, Total: 9})
			ids := ""
			for i, node := range c.Nodes() {
				ids += string(node.ID)
				if want := string(clients.CursorAt(noon, string(node.ID))); c.Edges[i].Cursor() != want || c.Edges[i].Node != node {
					t.Errorf("edge %d is %+v, want node %s at %s", i, c.Edges[i], node.ID, want)
				}
			}
			if ids != tt.ids || c.TotalCount != 9 {
				t.Errorf("ids %q of %d, want %q of 9", ids, c.TotalCount, tt.ids)
			}
			info := c.PageInfo
			if info.HasNextPage != tt.hasNext || info.HasPreviousPage != tt.hasPr {
				t.Errorf("page info %+v, want next %t, previous %t", info, tt.hasNext, tt.hasPr)
			}
			if info.StartCursor() == nil || *info.StartCursor() != c.Edges[0].Cursor() || info.EndCursor() == nil || *info.EndCursor() != c.Edges[1].Cursor() {
				t.Errorf("cursors %v and %v are not those of the first and the last edge", info.StartCursor(), info.EndCursor())
			}
		})
	}
	if posts[0].ID != "b" {
		t.Error("the window's own items were reversed")
	}
}

func TestEmptyConnection(t *testing.T) {
	args, _ := relay.NewArgs(of(2), nil, nil, nil, nil)
	c := relay.Users(args, clients.Window[*clients.User]{Total: 3})
	if c.Edges == nil || c.Nodes() == nil {
		t.Error("the lists of an empty page are nil")
	}
	if c.PageInfo != (relay.PageInfo{}) || c.TotalCount != 3 {
		t.Errorf("got %+v", c)
	}
}

func TestFollowConnectionsNameTheOtherSide(t *testing.T) {
	window := clients.Window[clients.Follow]{
		Items: []clients.Follow{{FollowerID: "x", FolloweeID: "y", FollowedAt: noon}}, Next: true, Total: 4,
	}
	args, _ := relay.NewArgs(of(1), nil, nil, nil, nil)
	for name, tt := range map[string]struct {
		page  *relay.FollowConnection
		other clients.UserID
	}{
		"followers": {relay.Followers(args, window), "x"},
		"following": {relay.Following(args, window), "y"},
	} {
		edge := relay.FollowEdge{FollowedAt: noon, UserID: tt.other}
		if len(tt.page.Edges) != 1 || tt.page.Edges[0] != edge || !slices.Equal(tt.page.UserIDs(), []clients.UserID{tt.other}) {
			t.Errorf("%s: %+v, want edge %+v", name, tt.page, edge)
		}
		if !tt.page.PageInfo.HasNextPage || *tt.page.PageInfo.EndCursor() != string(clients.CursorAt(noon, string(tt.other))) || tt.page.TotalCount != 4 {
			t.Errorf("%s: page info %+v of %d", name, tt.page.PageInfo, tt.page.TotalCount)
		}
	}
}

// TestEveryPageOfAListOnce walks lists with ties in time through pages of any size, both ways and in both orders.
func TestEveryPageOfAListOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) clients.User {
			return clients.User{ID: clients.UserID(anID.Draw(t, "id")), CreatedAt: anInstant.Draw(t, "at")}
		}), 0, 20, func(u clients.User) clients.UserID { return u.ID }).Draw(t, "users")
		list := make([]*clients.User, len(users))
		for i := range users {
			list[i] = &users[i]
		}
		place := func(u *clients.User) spot { return spot{u.CreatedAt, string(u.ID)} }
		order := rapid.SampledFrom([]relay.Order{relay.NewestFirst, relay.OldestFirst}).Draw(t, "order")
		want := slices.SortedFunc(slices.Values(list), func(a, b *clients.User) int { return place(a).compare(place(b)) })
		if order == relay.OldestFirst {
			slices.Reverse(want)
		}
		walk(t, order, want, relay.NewArgs, func(args relay.Args) *relay.UserConnection {
			return relay.Users(args, serve(list, place, args.Page))
		})
	})
}

type newArgs func(first *int, after *string, last *int, before *string, order *relay.Order) (relay.Args, error)

// walk reads a list page by page, forward and backward, and wants each item once and in order.
func walk[T comparable](t *rapid.T, order relay.Order, want []T, check newArgs, read func(relay.Args) *relay.Connection[T]) {
	size := rapid.IntRange(1, 7).Draw(t, "size")
	for _, backward := range []bool{false, true} {
		var got []T
		var at *string
		for pages := 0; ; pages++ {
			first, after, last, before := &size, at, (*int)(nil), (*string)(nil)
			if backward {
				first, after, last, before = nil, nil, &size, at
			}
			args, err := check(first, after, last, before, &order)
			if err != nil {
				t.Fatalf("a cursor of the list itself is refused: %v", err)
			}
			page := read(args)
			info := page.PageInfo
			more, back := info.HasNextPage, info.HasPreviousPage
			if got = append(got, page.Nodes()...); backward {
				got = append(page.Nodes(), got[:len(got)-len(page.Edges)]...)
				more, back = back, more
			}
			if back != (pages > 0) && len(page.Edges) > 0 {
				t.Fatalf("page %d says that pages stand in front of it: %t (backward %t)", pages, back, backward)
			}
			if !more || pages > len(want) {
				break
			}
			if at = info.EndCursor(); backward {
				at = info.StartCursor()
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("backward %t, %d at a time:\n got %v\nwant %v", backward, size, got, want)
		}
	}
}

// A few instants and ids make for many ties; the ids stand on both sides of each other in any order of bytes.
var (
	anInstant = rapid.SampledFrom([]time.Time{noon, noon.Add(time.Nanosecond), noon.Add(-time.Nanosecond), noon.Add(time.Hour), noon.Truncate(time.Second)})
	anID      = rapid.SampledFrom([]string{"a", "b", "ab", "B", "0", "-a", "--", "~", "~~", "a.b", "_", "post", "post~a", "comment~b", "zz", "Z9", "10", "9", "x-1", "x_1"})
)
