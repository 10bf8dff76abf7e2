package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// firstDifference finds where two JSON texts part: the path to it, and what either has there.
func firstDifference(a, b []byte) (path, inA, inB string) {
	one, two := newReader(a), newReader(b)
	for {
		x, atX, errX := one.next()
		y, atY, errY := two.next()
		switch {
		case x != y || atX != atY || (errX == nil) != (errY == nil):
			return "$" + atX, x + around(a, one.start), y + around(b, two.start)
		case errX != nil: // every token is the same
			n := sameBytes(a, b)
			return fmt.Sprintf("byte %d", n), around(a, n), around(b, n)
		}
	}
}

// reader gives the tokens of a JSON text with their paths.
type reader struct {
	decoder *json.Decoder
	stack   []container
	start   int // of the token that came last
}

// container is a list or an object that a reader stands in.
type container struct {
	list    bool
	members int    // before the current one
	key     string // of the current member
	onKey   bool   // the next token is a key
}

func newReader(raw []byte) *reader {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return &reader{decoder: decoder}
}

// next is the next token as text. Where nothing can be read the text says so and there is an error, io.EOF at the end.
func (r *reader) next() (token, path string, err error) {
	path, r.start = r.path(), int(r.decoder.InputOffset())
	t, err := r.decoder.Token()
	if err == io.EOF {
		return "the end", path, err
	}
	if err != nil {
		return "what is no JSON", path, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' || t == '[' {
			r.stack = append(r.stack, container{list: t == '[', onKey: t == '{'})
			return t.String(), path, nil
		}
		r.stack = r.stack[:len(r.stack)-1]
		r.passed()
		return t.String(), path, nil
	case string:
		if in := r.inside(); in != nil && in.onKey {
			in.key, in.onKey = t, false
			return "the member " + strconv.Quote(t), path, nil
		}
		r.passed()
		return strconv.Quote(t), path, nil
	}
	r.passed()
	return fmt.Sprintf("%v", t), path, nil
}

func (r *reader) inside() *container {
	if len(r.stack) == 0 {
		return nil
	}
	return &r.stack[len(r.stack)-1]
}

// passed notes that a whole member has been read.
func (r *reader) passed() {
	if in := r.inside(); in != nil {
		in.members++
		in.onKey = !in.list
	}
}

func (r *reader) path() string {
	var text strings.Builder
	for _, in := range r.stack {
		switch {
		case in.list:
			fmt.Fprintf(&text, "[%d]", in.members)
		case !in.onKey:
			text.WriteString("." + in.key)
		}
	}
	return text.String()
}

func sameBytes(a, b []byte) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// around is the text at a place, as far as it helps to find it.
func around(raw []byte, at int) string {
	return fmt.Sprintf(" in …%s…", raw[max(at-60, 0):min(at+60, len(raw))])
}
