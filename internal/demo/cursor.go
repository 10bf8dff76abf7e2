package demo

import (
	"cmp"
	"encoding/base64"
	"errors"
	"strings"
)

// position is a place in a list ordered by (time desc, id desc). Nothing has to stand there.
type position struct {
	at stamp
	id string
}

// maxCursorBytes bounds a cursor: the longest time, a bar and the longest id in base64.
const maxCursorBytes = (30 + 1 + maxIDBytes + 2) * 4 / 3

var (
	errCursor      = errors.New("is not a cursor")
	cursorEncoding = base64.RawURLEncoding.Strict()
)

// compare orders positions as lists do: negative when p stands in front of q.
func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(q.at, p.at), strings.Compare(q.id, p.id))
}

// appendCursor appends the base64url form, without padding, of "<time>|<id>".
func (p position) appendCursor(b []byte) []byte {
	var room [maxCursorBytes]byte
	plain := append(p.at.append(room[:0]), '|')
	return cursorEncoding.AppendEncode(b, append(plain, p.id...))
}

// parseCursor is the inverse of appendCursor. It takes every way to write the time that the contract allows;
// times beyond what can be stored become the first or last moment, which bounds a list in the same way.
func parseCursor(s string) (position, error) {
	if len(s) > maxCursorBytes || strings.ContainsAny(s, "\r\n") {
		return position{}, errCursor
	}
	plain, err := cursorEncoding.DecodeString(s)
	if err != nil {
		return position{}, errCursor
	}
	text, id, found := strings.Cut(string(plain), "|")
	if !found || !validID(id) {
		return position{}, errCursor
	}
	at, _, err := parseStamp(text)
	if err != nil {
		return position{}, errCursor
	}
	return position{at: at, id: id}, nil
}
