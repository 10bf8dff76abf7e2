package limit

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHeader(t *testing.T) {
	clock := newClock()
	cfg := Config{
		User: Limits{Points: Rate{1000, 50}, RequestsPerHour: 1000},
		Key:  Limits{Points: Rate{1 << 52, 1e9}},
		Now:  clock.Now,
	}
	l := New(cfg, nil)
	who := Caller{UserID: "u", KeyID: "k"}
	policy := `"user";q=1000;w=20;qu="points", "key";q=999999999999999;w=4503600;qu="points", "user-requests";q=1000;w=3600;qu="requests"`
	for i, c := range []struct {
		cost int64
		want string
	}{
		{0, `"user";r=1000;t=0, "key";r=999999999999999;t=0, "user-requests";r=999;t=4`},
		{950, `"user";r=50;t=19, "key";r=999999999999999;t=1, "user-requests";r=998;t=8`},
		{51, `"user";r=50;t=1, "key";r=999999999999999;t=1, "user-requests";r=998;t=1`}, // throttled for 20 ms
		{101, `"user";r=50;t=2, "key";r=999999999999999;t=1, "user-requests";r=998;t=2`},
		{1001, `"user";r=50;t=19, "key";r=999999999999999;t=1, "user-requests";r=998;t=8`}, // too dear: nothing to wait for
	} {
		got := l.Admit(t.Context(), who, c.cost).Header()
		want := []HeaderField{{"RateLimit-Policy", policy}, {"RateLimit", c.want}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d:\n%s\n%s", i, got, want)
		}
	}
}

func TestTightest(t *testing.T) {
	for _, c := range []struct {
		decision Decision
		want     string
	}{
		{Decision{}, ""},
		{Decision{Buckets: []BucketState{{Name: "a", Unit: "points", Size: 10, Available: 5}, {Name: "b", Unit: "points", Size: 1000, Available: 100}, {Name: "c", Unit: "requests", Size: 1}}}, "b"},
		{Decision{Buckets: []BucketState{{Name: "a", Unit: "requests", Size: 10, Available: 5}, {Name: "b", Unit: "requests", Size: 10, Available: 4}}}, "b"},
		{Decision{TooDear: true, Buckets: []BucketState{{Name: "a", Unit: "points", Size: 10, Available: 10}, {Name: "b", Unit: "points", Size: 1000}}}, "a"},
	} {
		got := c.decision.Tightest()
		if got == nil && c.want != "" || got != nil && got.Name != c.want {
			t.Errorf("%v, want %q", got, c.want)
		}
	}
}

// rates are the items of a RateLimit field, or of a policy.
var rates = regexp.MustCompile(`"([a-z-]+)";[rq]=(\d+);[tw]=(\d+)`)

// TestPacedClientsAreAdmitted has clients that honour the header fields, alone in their buckets, under a load of any costs. One
// sends when the last RateLimit had as much as it is about to ask for in every bucket, and else waits for t. The other asks
// without looking, and waits for Retry-After when it is refused; it is not refused a second time.
func TestPacedClientsAreAdmitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Limits {
			return Limits{
				Points:          Rate{rapid.Int64Range(10, 2000).Draw(t, name), rapid.Float64Range(0.01, 1e5).Draw(t, name+" restore")},
				RequestsPerHour: rapid.Int64Range(1, 10_000).Draw(t, name+" requests"),
			}
		}
		clock := newClock()
		l := New(Config{User: draw("user"), Key: draw("key"), IP: draw("ip"), Now: clock.Now}, nil)
		reads := rapid.Bool().Draw(t, "reads RateLimit")
		d := l.Look(t.Context(), everyone)
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			cost := rapid.Int64Range(0, 10).Draw(t, "cost")
			if reads {
				clock.now = clock.now.Add(paced(t, d, cost))
			}
			d = l.Admit(t.Context(), everyone, cost)
			if !d.Allowed && !reads {
				clock.now = clock.now.Add(time.Duration(seconds(d.RetryAfter)) * time.Second) // what the field says
				d = l.Admit(t.Context(), everyone, cost)
			}
			if !d.Allowed {
				t.Fatalf("%d points were refused: %s", cost, states(d))
			}
			l.Refund(d, rapid.Int64Range(0, cost).Draw(t, "unused"))
			clock.now = clock.now.Add(time.Duration(rapid.Int64Range(0, 1e8).Draw(t, "pause")))
		}
	})
}

// paced is how long a client has to wait that goes by the header alone.
func paced(t *rapid.T, d *Decision, cost int64) time.Duration {
	wait := int64(0)
	for _, item := range rates.FindAllStringSubmatch(d.Header()[1].Value, -1) {
		left, _ := strconv.ParseInt(item[2], 10, 64)
		reset, _ := strconv.ParseInt(item[3], 10, 64)
		need := cost
		if len(item[1]) > len("user") {
			need = 1
		}
		if left < need {
			wait = max(wait, reset)
		}
	}
	return time.Duration(wait) * time.Second
}

// TestRetryAfterIsNotBeforeReset holds the fields of refused operations to each other: t of a bucket that refused is Retry-After,
// and no t is beyond it.
func TestRetryAfterIsNotBeforeReset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New(Config{
			User: Limits{Points: Rate{100, rapid.Float64Range(0.1, 100).Draw(t, "user")}},
			Key:  Limits{Points: Rate{200, rapid.Float64Range(0.1, 100).Draw(t, "key")}},
			Now:  newClock().Now,
		}, nil)
		for range 50 {
			d := l.Admit(t.Context(), everyone, rapid.Int64Range(0, 100).Draw(t, "cost"))
			if d.Allowed != (d.RetryAfter == 0) {
				t.Fatalf("%+v", d)
			}
			for i, item := range rates.FindAllStringSubmatch(d.Header()[1].Value, -1) {
				reset, _ := strconv.ParseInt(item[3], 10, 64)
				retry := seconds(d.RetryAfter)
				if !d.Allowed && (reset > retry || d.Buckets[i].RetryAfter > 0 && reset != retry) {
					t.Fatalf("t=%d, Retry-After %d: %+v", reset, retry, d.Buckets[i])
				}
			}
		}
	})
}
