package relay_test

import (
	"fmt"
	"testing"

	"tributary/clients"
	"tributary/internal/relay"
)

func TestKeepLeavesAPageThatOneCanReadOnFrom(t *testing.T) {
	for _, c := range []struct {
		kept       string
		next, prev bool
		want       string
	}{
		{"abc", true, true, "abc a c"},
		{"b", true, true, "b b b"},
		{"bc", false, false, "bc b c"},
		{"", true, true, " a c"},
		{"", true, false, " - c"},
		{"", false, true, " a -"},
		{"", false, false, " - -"},
	} {
		args, err := relay.NewArgs(of(3), nil, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := clients.Window[*clients.Comment]{Total: 9, Next: c.next, Prev: c.prev}
		names := map[string]string{}
		for i, id := range []clients.CommentID{"a", "b", "c"} {
			w.Items = append(w.Items, &clients.Comment{ID: id, CreatedAt: noon.AddDate(0, 0, -i)})
		}
		page := relay.Comments(args, w)
		for _, edge := range page.Edges {
			names[edge.Cursor()] = string(edge.Node.ID)
		}
		nodes := page.Nodes()
		page.Keep(func(i int) bool {
			for _, kept := range c.kept {
				if string(kept) == string(nodes[i].ID) {
					return true
				}
			}
			return false
		})
		got := ""
		for _, edge := range page.Edges {
			got += string(edge.Node.ID)
			if names[edge.Cursor()] != string(edge.Node.ID) {
				t.Errorf("%s stands at the cursor of %s", edge.Node.ID, names[edge.Cursor()])
			}
		}
		for _, cursor := range []*string{page.PageInfo.StartCursor(), page.PageInfo.EndCursor()} {
			name := "-"
			if cursor != nil {
				name = names[*cursor]
			}
			got += " " + name
		}
		if got != c.want || page.TotalCount != 9 || page.PageInfo.HasNextPage != c.next || page.PageInfo.HasPreviousPage != c.prev {
			t.Errorf("of abc %q is kept, next %t, previous %t: %q, want %q; %+v", c.kept, c.next, c.prev, got, c.want, fmt.Sprint(page.PageInfo))
		}
	}
}
