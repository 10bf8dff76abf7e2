package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const hex = "0123456789ABCDEF"

// AppendString appends s as a JSON string: as gqlgen writes it, and safe within HTML as encoding/json makes it.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c] || c == '\xe2' && !separates(s[i:]) {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		case '\n':
			b = append(b, '\\', 'n')
		case '\\', '"':
			b = append(b, '\\', c)
		case '<', '>', '&':
			b = append(b, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&0xf])
		case '\xe2':
			b = append(b, '\\', 'u', '2', '0', '2', '8'+s[i+2]&1)
			start, i = i+3, i+2
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(b, s[start:]...), '"')
}

// plain are the bytes that stand in a string as they are. U+2028 and U+2029 begin with E2.
var plain = func() (plain [256]bool) {
	for c := range plain {
		plain[c] = c >= 0x20 && !strings.ContainsRune("\"\\<>&", rune(c)) && c != 0xe2
	}
	return plain
}()

// separates says whether s begins with U+2028 or U+2029, which end a line in JavaScript.
func separates(s string) bool { return len(s) > 2 && s[1] == 0x80 && s[2]&^1 == 0xa8 }

// AppendTime appends a time as gqlgen's Time scalar; the zero time is null.
func AppendTime(b []byte, t time.Time) ([]byte, bool) {
	if t.IsZero() {
		return b, false
	}
	b = append(b, '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"'), true
}

// AppendMarshaler appends what a marshaler of gqlgen writes, without its spaces and safe within HTML. It panics when that is no JSON, as
// gqlgen's own marshalers do when they fail.
func AppendMarshaler(b []byte, m graphql.Marshaler) ([]byte, bool) {
	if m == nil || m == graphql.Null {
		return b, false
	}
	w := writer(b)
	m.MarshalGQL(&w)
	safe, err := json.Marshal(json.RawMessage(w[len(b):]))
	if err != nil {
		panic(fmt.Errorf("engine: a marshaler wrote what is no JSON: %w", err))
	}
	return append(b, safe...), true
}

// writer appends what is written to it.
type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

func (w *writer) WriteString(s string) (int, error) {
	*w = append(*w, s...)
	return len(s), nil
}

// appendKey appends a response key and its colon.
func appendKey(b []byte, name string) []byte { return append(strconv.AppendQuote(b, name), ':') }
