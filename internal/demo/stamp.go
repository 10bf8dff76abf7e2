package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// stamp is a moment in nanoseconds since the Unix epoch: an integer, so that SQLite orders it exactly. It reaches
// from the year 1678 to 2262 and is written as RFC 3339 in UTC with as many fractional digits as it needs.
type stamp int64

const (
	firstStamp stamp = math.MinInt64
	lastStamp  stamp = math.MaxInt64
)

var errTime = errors.New("must be a time as RFC 3339 in UTC, with up to nine fractional digits, ending in Z")

func stampOf(t time.Time) stamp { return stamp(t.UnixNano()) }

func (s stamp) append(b []byte) []byte {
	return time.Unix(0, int64(s)).UTC().AppendFormat(b, time.RFC3339Nano)
}

func (s stamp) String() string { return string(s.append(nil)) }

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	return append(s.append([]byte{'"'}), '"'), nil
}

// UnmarshalJSON implements json.Unmarshaler; moments that a stamp cannot hold are errors.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errTime
	}
	at, exact, err := parseStamp(text)
	if err != nil {
		return err
	}
	if !exact {
		return fmt.Errorf("must lie between the years 1678 and 2262")
	}
	*s = at
	return nil
}

// parseStamp reads the contract's form of a time, which is narrower than what package time takes. A moment outside
// a stamp's reach becomes the nearest one inside, and exact is false.
func parseStamp(text string) (at stamp, exact bool, err error) {
	const whole = len("2006-01-02T15:04:05Z")
	n := len(text)
	if n < whole || n > whole+10 || n == whole+1 || text[n-1] != 'Z' || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return 0, false, errTime
	}
	if n > whole && text[whole-1] != '.' {
		return 0, false, errTime
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, false, errTime
	}
	switch year := t.Year(); {
	case year <= 1677:
		return firstStamp, false, nil
	case year >= 2263 || t.After(time.Unix(0, int64(lastStamp))):
		return lastStamp, false, nil
	}
	return stampOf(t), true, nil
}
