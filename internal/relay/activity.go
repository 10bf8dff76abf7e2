package relay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/clients"
)

// Activity lists posts and comments in one order: newest first, and of the same instant posts in front of comments, each kind by
// id. A cursor is that of a list of one kind with the kind in front, so that neither list takes the other's cursors.
const (
	postMark    = "post:"
	commentMark = "comment:"
)

// The ends of all ids of one instant. Whoever has exactly one of them for an id may be left out at the edge of a page.
var (
	frontID = strings.Repeat("~", clients.MaxIDBytes) // lists run down, and '~' is the greatest byte that an id can have
	backID  = "-"                                     // the least
)

// NewActivityArgs is NewArgs for a list whose cursors are Activity's.
func NewActivityArgs(first *int, after *string, last *int, before *string, order *Order) (Args, error) {
	return newArgs(first, after, last, before, order, func(c clients.Cursor) error {
		_, err := parsePlace(c)
		return err
	})
}

// ActivityPages translates a page of the merged list into the pages of posts and of comments that together hold it. The
// cursors must have been checked by NewActivityArgs.
func ActivityPages(page clients.Page) (posts, comments clients.Page) {
	page = nearBound(page)
	posts, comments = page, page
	posts.After, comments.After = split(page.After)
	posts.Before, comments.Before = split(page.Before)
	return posts, comments
}

// nearBound leaves of two bounds the one that the page begins at. An empty half between two would not tell on which side of
// them its items are; MergeActivity finds the far one itself.
func nearBound(page clients.Page) clients.Page {
	switch {
	case page.After == "" || page.Before == "":
	case page.FromEnd:
		page.After = ""
	default:
		page.Before = ""
	}
	return page
}

// split gives the position in either half that stands for one in the merged list.
func split(c clients.Cursor) (posts, comments clients.Cursor) {
	at, err := parsePlace(c)
	switch {
	case c == "" || err != nil:
		return "", ""
	case at.mark == postMark:
		return clients.CursorAt(at.time, at.id), clients.CursorAt(at.time, frontID)
	default:
		return clients.CursorAt(at.time, backID), clients.CursorAt(at.time, at.id)
	}
}

// MergeActivity merges the two halves that were read with the pages of ActivityPages.
func MergeActivity(posts clients.Window[*clients.Post], comments clients.Window[*clients.Comment], page clients.Page) clients.Window[clients.ActivityItem] {
	items := make([]clients.ActivityItem, 0, len(posts.Items)+len(comments.Items))
	for _, p := range posts.Items {
		items = append(items, p)
	}
	for _, c := range comments.Items {
		items = append(items, c)
	}
	slices.SortFunc(items, func(a, b clients.ActivityItem) int { return placeOf(a).compare(placeOf(b)) })
	start, end := between(items, page)
	if page.FromEnd {
		start = max(start, end-page.Limit)
	} else {
		end = min(end, start+page.Limit)
	}
	w := clients.Window[clients.ActivityItem]{Items: items[start:end], Total: posts.Total + comments.Total}
	if len(w.Items) > 0 {
		near := nearBound(page)
		w.Next = end < len(items) || continues(posts, near) || continues(comments, near)
		w.Prev = start > 0 || precedes(posts, near) || precedes(comments, near)
	}
	return w
}

// between finds what of sorted items stands between the bounds of a page.
func between(items []clients.ActivityItem, page clients.Page) (start, end int) {
	end = len(items)
	if after, err := parsePlace(page.After); page.After != "" && err == nil {
		for start < end && placeOf(items[start]).compare(after) <= 0 {
			start++
		}
	}
	if before, err := parsePlace(page.Before); page.Before != "" && err == nil {
		for start < end && placeOf(items[end-1]).compare(before) >= 0 {
			end--
		}
	}
	return start, end
}

// continues says whether a half goes on behind the page that was read of it: as it said itself or, where it had nothing in
// front of the bound, because all that it has stands behind it.
func continues[T any](half clients.Window[T], read clients.Page) bool {
	return half.Next || (len(half.Items) == 0 && read.Before != "" && half.Total > 0)
}

func precedes[T any](half clients.Window[T], read clients.Page) bool {
	return half.Prev || (len(half.Items) == 0 && read.After != "" && half.Total > 0)
}

// place is a position in the merged list.
type place struct {
	time     time.Time
	mark, id string
}

// compare is negative when p stands in front of q.
func (p place) compare(q place) int {
	return cmp.Or(q.time.Compare(p.time), strings.Compare(q.mark, p.mark), strings.Compare(q.id, p.id))
}

func (p place) cursor() clients.Cursor {
	return clients.Cursor(p.mark) + clients.CursorAt(p.time, p.id)
}

// parsePlace is the inverse of cursor. The error wraps clients.ErrMalformedCursor.
func parsePlace(c clients.Cursor) (place, error) {
	for _, mark := range []string{postMark, commentMark} {
		if rest, ok := strings.CutPrefix(string(c), mark); ok {
			at, id, err := parseCursor(clients.Cursor(rest))
			return place{at, mark, id}, err
		}
	}
	return place{}, fmt.Errorf("%w: not one of activity", clients.ErrMalformedCursor)
}

func placeOf(item clients.ActivityItem) place {
	switch item := item.(type) {
	case *clients.Post:
		return place{item.CreatedAt, postMark, string(item.ID)}
	case *clients.Comment:
		return place{item.CreatedAt, commentMark, string(item.ID)}
	}
	panic(fmt.Sprintf("relay: %T is no activity", item))
}

// Activity turns a window of what a user did into a page in the order that args asks for.
func Activity(args Args, w clients.Window[clients.ActivityItem]) *ActivityConnection {
	return connect(args, w, func(item clients.ActivityItem) clients.Cursor { return placeOf(item).cursor() })
}
