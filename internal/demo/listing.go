package demo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// listing describes one kind of list: which rows are in it, in which order they stand, and how it is read. All
// fields are SQL of this package's own, none comes from a request.
type listing struct {
	table  string
	group  string // condition that ties a row to the key in k.value
	at, id string // columns that order the list
	member string // condition that the rows of a list meet
	total  string // length of the list of the key in k.value
	texts  [8]string
}

// window is the part of a list that was asked for.
type window struct {
	limit         int
	after, before *position
	fromEnd       bool
}

// head tells of a whole list: its length, and whether something stands at or in front of the bound after, and at or
// behind the bound before (known only where that bound is given).
type head struct {
	total         int64
	ahead, behind bool
}

// item is a row of a list: its place and the document that the API answers.
type item struct {
	position
	doc string
}

// prepare writes down the statement for every shape of window.
func (l listing) prepare() *listing {
	for variant := range l.texts {
		l.texts[variant] = l.text(variant&1 != 0, variant&2 != 0, variant&4 != 0)
	}
	return &l
}

// text is one statement for any number of keys: ?1 holds them as a JSON array, ?2 is the row limit, the bounds follow.
// For each key it gives a row about the whole list and rows with items; the latter have no flags.
func (l *listing) text(after, before, fromEnd bool) string {
	parameter := 2
	bound := func() string {
		parameter += 2
		return fmt.Sprintf("(?%d, ?%d)", parameter-1, parameter)
	}
	place := "(" + l.at + ", " + l.id + ")"
	rows := " FROM " + l.table + " WHERE " + l.group + " AND " + l.member
	flags, bounds := "0", ""
	if after {
		b := bound()
		flags += " + EXISTS (SELECT 1" + rows + " AND " + place + " >= " + b + ")"
		bounds += " AND " + place + " < " + b
	}
	if before {
		b := bound()
		flags += " + 2 * EXISTS (SELECT 1" + rows + " AND " + place + " <= " + b + ")"
		bounds += " AND " + place + " > " + b
	}
	direction := "DESC"
	if fromEnd {
		direction = "ASC"
	}
	return "SELECT k.key, coalesce(" + l.total + ", 0), '', '', " + flags + " FROM json_each(?1) k" +
		" UNION ALL " +
		// CROSS JOIN keeps the keys outside, so that groups come one after the other.
		"SELECT k.key, r." + l.at + ", r." + l.id + ", r.doc, -1 FROM json_each(?1) k CROSS JOIN " + l.table + " r" +
		" WHERE r.rowid IN (SELECT rowid" + rows + bounds +
		" ORDER BY " + l.at + " " + direction + ", " + l.id + " " + direction + " LIMIT ?2)"
}

// query asks for the window of each key's list.
func (l *listing) query(ctx context.Context, p *pool, keys string, w window) (*sql.Rows, error) {
	variant := 0
	args := append(make([]any, 0, 6), keys, w.limit+1)
	for bit, b := range []*position{w.after, w.before} {
		if b != nil {
			variant |= 1 << bit
			args = append(args, int64(b.at), b.id)
		}
	}
	if w.fromEnd {
		variant |= 4
	}
	return p.query(ctx, l.texts[variant], args...)
}

// read answers the window of each key's list, keys being a JSON array of count values. It calls page for every key
// in turn, with the items in list order; items are valid during the call.
func (l *listing) read(ctx context.Context, p *pool, keys string, count int, w window, page func(key int, h head, items []item, more bool)) error {
	rows, err := l.query(ctx, p, keys, w)
	if err != nil {
		return err
	}
	defer rows.Close() // Err tells
	var (
		heads         = make([]head, count)
		items         []item
		current, key  int
		number, flags int64
		next          item
	)
	turn := func(until int) {
		for ; current < until; current++ {
			page(current, heads[current], w.arrange(items), len(items) > w.limit)
			items = items[:0]
		}
	}
	for rows.Next() {
		if err := rows.Scan(&key, &number, &next.id, &next.doc, &flags); err != nil {
			return err
		}
		if key < current || key >= count {
			return fmt.Errorf("rows of key %d came behind those of key %d", key, current)
		}
		if flags >= 0 {
			heads[key] = head{total: number, ahead: flags&1 != 0, behind: flags&2 != 0}
			continue
		}
		turn(key)
		next.at = stamp(number)
		items = append(items, next)
	}
	turn(count)
	return rows.Err()
}

// arrange puts rows into list order and drops the one that was read beyond the limit.
func (w window) arrange(items []item) []item {
	slices.SortFunc(items, func(a, b item) int { return a.compare(b.position) })
	switch {
	case len(items) <= w.limit:
		return items
	case w.fromEnd:
		return items[1:]
	}
	return items[:w.limit]
}

// appendPage appends a page of the contract.
func appendPage(b []byte, w window, h head, items []item, more bool) []byte {
	front, back := h.ahead, h.behind
	if w.fromEnd {
		front = front || more
	} else {
		back = back || more
	}
	b = append(b, `{"items":[`...)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, items[i].doc...)
	}
	b = appendEdge(append(b, `],"next":`...), back && len(items) > 0, items, len(items)-1)
	b = appendEdge(append(b, `,"prev":`...), front && len(items) > 0, items, 0)
	b = append(b, `,"total":`...)
	return append(strconv.AppendInt(b, h.total, 10), '}')
}

func appendEdge(b []byte, exists bool, items []item, index int) []byte {
	if !exists {
		return append(b, "null"...)
	}
	return append(items[index].appendCursor(append(b, '"')), '"')
}

// jsonKeys writes ids as a JSON array; they have no character that needs escaping.
func jsonKeys(ids []string) string {
	if len(ids) == 0 {
		return "[]"
	}
	return `["` + strings.Join(ids, `","`) + `"]`
}
