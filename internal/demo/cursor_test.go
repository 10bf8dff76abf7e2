package demo

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCursor(t *testing.T) {
	at := stampOf(time.Date(2025, time.March, 1, 8, 0, 0, 0, time.UTC))
	equal(t, "cursor", string(position{at, "u1"}.appendCursor(nil)), "MjAyNS0wMy0wMVQwODowMDowMFp8dTE")
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for cursor, want := range map[string]position{
		enc("2025-03-01T08:00:00Z|u1"):                                   {at, "u1"},
		enc("2025-03-01T08:00:00.000000000Z|u1"):                         {at, "u1"},
		enc("2025-03-01T08:00:00.000000001Z|.~"):                         {at + 1, ".~"},
		enc("0001-01-01T00:00:00Z|u1"):                                   {math.MinInt64, "u1"},
		enc("9999-12-31T23:59:59Z|u1"):                                   {math.MaxInt64, "u1"},
		enc("2025-03-01T08:00:00.999999999Z|" + strings.Repeat("x", 64)): {at + 999_999_999, strings.Repeat("x", 64)},
	} {
		if got, err := parseCursor(cursor); got != want || err != nil {
			t.Errorf("%s: %v, %v", cursor, got, err)
		}
	}
	for _, bad := range []string{
		"", "u1", enc("u1"), enc("2025-03-01T08:00:00Z"), enc("2025-03-01T08:00:00Z|"), enc("2025-03-01T08:00:00Z|a b"),
		enc("2025-03-01T08:00:00+00:00|u1"), enc("2025-03-01T08:00:00|u1"), enc("2025-03-01 08:00:00Z|u1"), enc("2025-02-30T08:00:00Z|u1"),
		enc("2025-03-01T08:00:00.Z|u1"), enc("2025-03-01T08:00:00,5Z|u1"), enc("2025-03-01T08:00:00.1234567890Z|u1"), enc("2025-03-01T8:00:00Z|u1"),
		enc("2025-03-01T08:00:00Z|u1|u2"), enc("2025-03-01T08:00:00Z|" + strings.Repeat("x", 65)),
		enc("2025-03-01T08:00:00Z|u1") + "=", enc("2025-03-01T08:00:00Z|u1") + "\n", base64.StdEncoding.EncodeToString([]byte("2025-03-01T08:00:00Z|~~~???")),
	} {
		if got, err := parseCursor(bad); err == nil {
			t.Errorf("%q is taken as %v", bad, got)
		}
	}
}

func TestPositionOrder(t *testing.T) {
	for _, c := range []struct {
		a, b position
		want int
	}{
		{position{2, "a"}, position{1, "z"}, -1}, {position{1, "b"}, position{1, "a"}, -1}, {position{1, "a"}, position{1, "a"}, 0},
		{position{1, "a"}, position{1, "a0"}, 1}, {position{1, "Z"}, position{1, "a"}, 1}, // bytes, not letters
	} {
		if got := c.a.compare(c.b); got != c.want {
			t.Errorf("%v and %v: %d", c.a, c.b, got)
		}
	}
}

// FuzzParseCursor: whatever is taken means the same when it is written down and read again, and is a cursor of the contract.
func FuzzParseCursor(f *testing.F) {
	f.Add("MjAyNS0wMy0wMVQwODowMDowMFp8dTE")
	f.Add("MjAyNS0wMy0wMVQwODowMDowMC4xWnx1MQ")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("9999-03-01T08:00:00Z|~")))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseCursor(s)
		if err != nil {
			return
		}
		if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q is no base64url", s)
		}
		again, err := parseCursor(string(p.appendCursor(nil)))
		clamped := p.at == firstStamp || p.at == lastStamp
		if err != nil || (again != p && !clamped) || again.id != p.id || !validID(p.id) {
			t.Fatalf("%q is %v, then %v, %v", s, p, again, err)
		}
	})
}

func TestStampJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := stamp(rapid.Int64Range(-9e18, 9e18).Draw(t, "at"))
		b, err := json.Marshal(s)
		var again stamp
		if err != nil || json.Unmarshal(b, &again) != nil || again != s {
			t.Fatalf("%d: %s, %d, %v", s, b, again, err)
		}
		if parsed, err := time.Parse(time.RFC3339Nano, again.String()); err != nil || parsed.UnixNano() != int64(s) {
			t.Fatalf("%s: %v, %v", b, parsed, err)
		}
	})
	for _, bad := range []string{`5`, `null`, `"x"`, `"2025-03-01T08:00:00+01:00"`, `"1500-01-01T00:00:00Z"`, `"2300-01-01T00:00:00Z"`} {
		if s := new(stamp); json.Unmarshal([]byte(bad), s) == nil {
			t.Errorf("%s is taken as %v", bad, s)
		}
	}
}

func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		b := appendString(nil, s)
		var again string
		if err := json.Unmarshal(b, &again); err != nil || again != string([]rune(s)) {
			t.Fatalf("%q: %s: %q, %v", s, b, again, err)
		}
	})
}
