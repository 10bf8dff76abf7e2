package doctor

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// item is an entity or an edge as a service showed it.
type item struct {
	at      time.Time // what lists are ordered by, first
	id      string    // and second: its id, or of a follow edge the id of the other side
	members map[string]any
}

// members reads a JSON object; anything else has none.
func members(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// integer reads a JSON number without a fraction, also one spelled 1.0 or 1e3.
func integer(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	if n, err := number.Int64(); err == nil {
		return n, true
	}
	f, err := number.Float64()
	return int64(f), err == nil && f == float64(int64(f))
}

// text is a member's string, empty where it is null or missing.
func (i item) text(member string) string {
	text, _ := i.members[member].(string)
	return text
}

func (i item) version() int64 {
	n, _ := integer(i.members["version"])
	return n
}

// compare is the order of lists: negative where i stands in front of j.
func (i item) compare(j item) int {
	return cmp.Or(j.at.Compare(i.at), strings.Compare(j.id, i.id))
}

// cursor is the item's own position.
func (i item) cursor() string { return encodeCursor(i.at, i.id) }

// infront is a position that names no item and stands in front of i; at most items whose id begins with i's own
// stand between the two.
func (i item) infront() item {
	if len(i.id) < 64 {
		return item{at: i.at, id: i.id + "~"}
	}
	return item{at: i.at.Add(time.Nanosecond), id: i.id}
}

// differs names a member in which two answers about one thing differ, empty if in none. Members that only one has
// are no difference: a service may show more in one place than in another.
func (i item) differs(j item) string {
	for name, value := range i.members {
		other, ok := j.members[name]
		if ok && !sameJSON(value, other) {
			return name
		}
	}
	return ""
}

func sameJSON(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

func encodeCursor(at time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at.UTC().Format(time.RFC3339Nano) + "|" + id))
}

// decodeCursor reads a service's cursor.
func decodeCursor(cursor string) (item, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return item{}, errors.New("it is not base64url without padding")
	}
	clock, id, ok := strings.Cut(string(raw), "|")
	if !ok {
		return item{}, errors.New("there is no | in " + quote(string(raw)))
	}
	at, err := time.Parse(time.RFC3339Nano, clock)
	if err != nil || !strings.HasSuffix(clock, "Z") {
		return item{}, errors.New(strconv.Quote(printable(clock, 40)) + " is no time in UTC")
	}
	return item{at: at, id: id}, nil
}

func ids(items []item) []string {
	out := make([]string, len(items))
	for n, it := range items {
		out[n] = it.id
	}
	return out
}

// listed shows ids in a finding, a few of many.
func listed(names []string) string {
	const most = 8
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) > most {
		return strings.Join(names[:most], " ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, " ")
}
