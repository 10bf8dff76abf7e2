package relay_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tributary/clients"
)

// spot is a position as the contract orders them: newest first, then by id downwards.
type spot struct {
	at time.Time
	id string
}

func (s spot) compare(o spot) int { return cmp.Or(o.at.Compare(s.at), strings.Compare(o.id, s.id)) }

// serve answers one page of a list just as the contract tells a service to; it knows nothing of package relay.
func serve[T any](list []T, place func(T) spot, page clients.Page) clients.Window[T] {
	list = slices.SortedFunc(slices.Values(list), func(a, b T) int { return place(a).compare(place(b)) })
	start, end := 0, len(list)
	for i, item := range list {
		if page.After != "" && place(item).compare(decoded(page.After)) <= 0 {
			start = i + 1
		}
	}
	for i := len(list) - 1; i >= 0 && page.Before != ""; i-- {
		if place(list[i]).compare(decoded(page.Before)) >= 0 {
			end = i
		}
	}
	if end = max(start, end); page.FromEnd {
		start = max(start, end-page.Limit)
	} else {
		end = min(end, start+page.Limit)
	}
	w := clients.Window[T]{Items: list[start:end], Total: len(list)}
	if start < end {
		w.Next, w.Prev = end < len(list), start > 0
	}
	return w
}

func decoded(c clients.Cursor) spot {
	at, id, err := c.Position()
	if err != nil || id == "" || len(id) > clients.MaxIDBytes {
		panic("a service would refuse the cursor " + string(c))
	}
	return spot{at, id}
}

func postSpot(p *clients.Post) spot       { return spot{p.CreatedAt, string(p.ID)} }
func commentSpot(c *clients.Comment) spot { return spot{c.CreatedAt, string(c.ID)} }
