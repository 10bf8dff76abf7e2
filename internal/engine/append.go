package engine

import (
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const hex = "0123456789ABCDEF"

// AppendString appends s as a JSON string, byte for byte as gqlgen writes it.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '\\' && c != '"' {
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
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(b, s[start:]...), '"')
}

// AppendTime appends a time as gqlgen's Time scalar; the zero time is null.
func AppendTime(b []byte, t time.Time) ([]byte, bool) {
	if t.IsZero() {
		return b, false
	}
	b = append(b, '"')
	return append(t.AppendFormat(b, time.RFC3339Nano), '"'), true
}

// AppendMarshaler appends what a marshaler of gqlgen writes.
func AppendMarshaler(b []byte, m graphql.Marshaler) ([]byte, bool) {
	if m == nil || m == graphql.Null {
		return b, false
	}
	w := writer(b)
	m.MarshalGQL(&w)
	return w, true
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
