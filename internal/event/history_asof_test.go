package event

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestAsOf(t *testing.T) {
	post := lineage("post/p", 1, "post.created", `{"n":1}`, "post.updated", `{"n":2}`, "post.deleted", `{}`, "post.restored", `{"n":4}`)
	backwards := lineage("post/p", 1, "post.created", `{"n":1}`, "post.updated", `{"n":2}`, "post.updated", `{"n":3}`)
	backwards[1].Time, backwards[2].Time = backwards[2].Time, backwards[1].Time
	snapshot := func(version int64, data string) []Event {
		return lineage("user/u", version, "user.snapshot", data, "user.updated", `{"n":2}`)
	}
	const times = `{"n":1,"createdAt":"2026-03-04T11:00:00Z","updatedAt":"2026-03-04T11:30:00Z"}`
	const made = `{"n":1,"createdAt":"2026-03-04T11:00:00Z","updatedAt":"2026-03-04T11:00:00.000Z"}`
	for _, c := range []struct {
		name   string
		events []Event
		at     time.Duration // from noon
		want   string        // version and whether deleted; expired; none
	}{
		{"before it was made", post, -1, "none"},
		{"as it was made", post, 0, "1 false"},
		{"just before a change", post, time.Minute - 1, "1 false"},
		{"at a change", post, time.Minute, "2 false"},
		{"while it was deleted", post, 150 * time.Second, "3 true"},
		{"afterwards", post, time.Hour, "4 false"},
		{"a clock that went back, before", backwards, time.Minute, "1 false"},
		{"a clock that went back, after", backwards, 2 * time.Minute, "3 false"},
		{"a snapshot, since it was taken", snapshot(5, times), 0, "5 false"},
		{"a snapshot, since the update it tells", snapshot(5, times), -30 * time.Minute, "5 false"},
		{"a snapshot, before that", snapshot(5, times), -30*time.Minute - 1, "expired"},
		{"a snapshot, as it was made", snapshot(5, times), -time.Hour, "expired"},
		{"a snapshot, before it was made", snapshot(5, times), -time.Hour - 1, "none"},
		{"a snapshot and what follows", snapshot(5, times), time.Minute, "6 false"},
		{"a first version, as it was made", snapshot(1, made), -time.Hour, "1 false"},
		{"a first version, before it was made", snapshot(1, made), -time.Hour - 1, "none"},
		{"an edge, since it stood", lineage("follow/a:b", 3, "follower.snapshot", `{"followedAt":"2026-03-04T11:00:00Z"}`), -time.Hour, "3 false"},
		{"an edge, before that", lineage("follow/a:b", 3, "follower.snapshot", `{"followedAt":"2026-03-04T11:00:00Z"}`), -2 * time.Hour, "expired"},
		{"a first edge, before it stood", lineage("follow/a:b", 1, "follower.snapshot", `{"followedAt":"2026-03-04T11:00:00Z"}`), -2 * time.Hour, "none"},
		{"a redacted snapshot", snapshot(5, ``), -1, "expired"},
		{"a snapshot of the future", snapshot(5, `{"updatedAt":"2027-01-01T00:00:00Z"}`), 0, "5 false"},
		{"a snapshot without times", snapshot(5, `{"updatedAt":7,"createdAt":"?"}`), -1, "expired"},
		{"nothing", nil, 0, "none"},
	} {
		subject := "post/p"
		if c.events != nil {
			subject = c.events[0].Subject
		}
		s, found, err := AsOf(t.Context(), newLedger(c.events...), subject, noon.Add(c.at))
		got := "none"
		if found {
			got = fmt.Sprint(s.Version, " ", s.Deleted)
		}
		if errors.Is(err, ErrHistoryExpired) && !found {
			got, err = "expired", nil
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}

// TestAsOfLong reads a history of several pages, no further than needed.
func TestAsOfLong(t *testing.T) {
	typesAndData := []string{"post.created", `{"n":0}`}
	for i := range 1100 {
		typesAndData = append(typesAndData, "post.updated", fmt.Sprintf(`{"n":%d}`, i+1))
	}
	log := newLedger(lineage("post/p", 1, typesAndData...)...)
	for _, c := range []struct{ minutes, reads int }{{0, 1}, {498, 1}, {500, 2}, {998, 2}, {999, 3}, {1001, 3}, {1100, 3}, {5000, 3}} {
		log.reads = 0
		s, found, err := AsOf(t.Context(), log, "post/p", noon.Add(time.Duration(c.minutes)*time.Minute))
		n := min(c.minutes, 1100)
		if want := fmt.Sprintf(`{"n":%d,"version":%d}`, n, n+1); err != nil || !found || string(s.JSON) != want || log.reads != c.reads {
			t.Errorf("minute %d: %s, %v, %d reads", c.minutes, s.JSON, err, log.reads)
		}
	}
}

func TestAsOfErrors(t *testing.T) {
	gone := errors.New("gone")
	if _, found, err := AsOf(t.Context(), &ledger{fail: gone}, "user/u", noon); !errors.Is(err, gone) || found {
		t.Error(err)
	}
	bad := newLedger(lineage("user/u", 2, "user.updated", `{}`)...)
	if _, found, err := AsOf(t.Context(), bad, "user/u", noon); !errors.Is(err, ErrBrokenHistory) || found {
		t.Error(err)
	}
}
