package demo

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxIDs       = 500
	maxLimit     = 500
	defaultLimit = 20
)

// params are the query parameters of a read. A parameter that is given twice is read once, from its first place,
// except lists, which are put together.
type params struct{ values url.Values }

// list returns the comma-separated values of a parameter without duplicates, in the order in which they stand, and
// whether the parameter was given: one without a value is an empty list.
func (p params) list(name string, valid func(string) bool) (list []string, given bool, err error) {
	raw, given := p.values[name]
	text := strings.Join(raw, ",")
	if text == "" {
		return nil, given, nil
	}
	list = make([]string, 0, min(strings.Count(text, ",")+1, maxIDs+1))
	var seen map[string]struct{}
	for value := range strings.SplitSeq(text, ",") {
		if !valid(value) {
			return nil, true, badRequest("%s has a malformed value", name)
		}
		if seen == nil && len(list) == 16 { // few values are compared faster than hashed
			seen = make(map[string]struct{}, cap(list))
			for _, v := range list {
				seen[v] = struct{}{}
			}
		}
		if seen == nil && slices.Contains(list, value) {
			continue
		}
		if seen != nil {
			if _, double := seen[value]; double {
				continue
			}
			seen[value] = struct{}{}
		}
		if len(list) == maxIDs {
			return nil, true, badRequest("%s has more than %d values", name, maxIDs)
		}
		list = append(list, value)
	}
	return list, true, nil
}

// required is list for ids that a read cannot do without.
func (p params) required(name string) ([]string, error) {
	list, given, err := p.list(name, validID)
	if err == nil && !given {
		err = badRequest("%s is required", name)
	}
	return list, err
}

// window reads limit, after, before and from.
func (p params) window() (w window, err error) {
	w.limit = defaultLimit
	if p.values.Has("limit") {
		w.limit, err = strconv.Atoi(p.values.Get("limit"))
		if err != nil || w.limit < 1 || w.limit > maxLimit {
			return w, badRequest("limit must be a number from 1 to %d", maxLimit)
		}
	}
	if w.after, err = p.cursor("after"); err != nil {
		return w, err
	}
	if w.before, err = p.cursor("before"); err != nil {
		return w, err
	}
	w.fromEnd = w.before != nil && w.after == nil
	if p.values.Has("from") {
		switch p.values.Get("from") {
		case "start":
			w.fromEnd = false
		case "end":
			w.fromEnd = true
		default:
			return w, badRequest("from must be start or end")
		}
	}
	return w, nil
}

func (p params) cursor(name string) (*position, error) {
	if !p.values.Has(name) {
		return nil, nil
	}
	at, err := parseCursor(p.values.Get(name))
	if err != nil {
		return nil, badRequest("%s is not a cursor", name)
	}
	return &at, nil
}

// authorSees reads visibility: whether drafts and hidden posts are asked for too.
func (p params) authorSees() (bool, error) {
	if !p.values.Has("visibility") {
		return false, nil
	}
	switch p.values.Get("visibility") {
	case "public":
		return false, nil
	case "author":
		return true, nil
	}
	return false, badRequest("visibility must be public or author")
}

// flag reads a parameter that is true or false; absent is false.
func (p params) flag(name string) (bool, error) {
	if !p.values.Has(name) {
		return false, nil
	}
	switch p.values.Get(name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, badRequest("%s must be true or false", name)
}
