package engine

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

func marshaled(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

// safe is what goes out of what a marshaler writes.
func safe(t *testing.T, m graphql.Marshaler) string {
	t.Helper()
	raw, err := json.Marshal(json.RawMessage(marshaled(m)))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "abc", "\x00\x1f\x20\x7f\t\r\n\b\"\\/", "é\u2028<&>", "\xff\xc3(", "a\"", "\"a", "\u2029a\u2028", "\xe2", "\xe2\x80", "\xe2\x80\xaa\u2027", "\xe2\xe2\x80\xa8<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := string(AppendString([]byte("x"), s)), "x"+safe(t, graphql.MarshalString(s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	})
}

func FuzzAppendTime(f *testing.F) {
	zero := time.Time{}
	for _, at := range []struct{ seconds, nanos int64 }{{0, 0}, {1, 1}, {1700000000, 120000000}, {zero.Unix(), 0}, {zero.Unix(), 1}, {-1 << 40, 5}, {1 << 40, 0}, {math.MinInt64, 0}} {
		f.Add(at.seconds, at.nanos, 0)
		f.Add(at.seconds, at.nanos, 19800)
		f.Add(at.seconds, at.nanos, -12345)
	}
	f.Fuzz(func(t *testing.T, seconds, nanos int64, offset int) {
		at := time.Unix(seconds, nanos).UTC()
		if offset != 0 {
			at = at.In(time.FixedZone(`"zone\`, offset%86400))
		}
		b, ok := AppendTime([]byte("x"), at)
		if !ok {
			b = append(b, "null"...)
		}
		if want := "x" + safe(t, graphql.MarshalTime(at)); string(b) != want || ok == at.IsZero() {
			t.Errorf("%s %v, want %s", b, ok, want)
		}
	})
}

func TestAppendMarshaler(t *testing.T) {
	for want, m := range map[string]graphql.Marshaler{
		"x":                 graphql.Null,
		"x1.5":              graphql.MarshalFloat(1.5),
		`x"a"`:              graphql.MarshalString("a"),
		"x[1,2]":            graphql.Array{graphql.MarshalInt(1), graphql.MarshalInt(2)},
		`x{"a":["\u003c"]}`: graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, ` { "a": ["<"]}`) }),
	} {
		b, ok := AppendMarshaler([]byte("x"), m)
		if string(b) != want || ok != (m != graphql.Null) {
			t.Errorf("%s %v, want %s", b, ok, want)
		}
	}
	for _, broken := range []string{"", "NaN", `"`, "1 2"} {
		if fault := panicOf(func() {
			AppendMarshaler([]byte("x"), graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, broken) }))
		}); fault == nil {
			t.Errorf("%q was taken for JSON", broken)
		}
	}
	if b, ok := AppendMarshaler([]byte("x"), nil); string(b) != "x" || ok {
		t.Errorf("no marshaler: %s %v", b, ok)
	}
}

func panicOf(do func()) (fault any) {
	defer func() { fault = recover() }()
	do()
	return nil
}

func TestPointers(t *testing.T) {
	one := 1
	for i, value := range Pointers([]*int{&one, nil}) {
		if (value == nil) != (i == 1) {
			t.Errorf("place %d: %v", i, value)
		}
	}
	if value, err := Pointer[int](nil, errBad); value != nil || err != errBad {
		t.Errorf("%v, %v", value, err)
	}
	if value, err := Pointer(&one, nil); value != &one || err != nil {
		t.Errorf("%v, %v", value, err)
	}
	if got := Values([]int{1, 2}); len(got) != 2 || got[1] != 2 {
		t.Errorf("%v", got)
	}
}
