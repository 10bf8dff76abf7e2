package event

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// compactTo does to a ledger what Keeper says, as if all of it had been trimmed.
func (l *ledger) compactTo(subject string, before time.Time, limit int) (int, error) {
	events, _ := l.ReadSubject(context.Background(), subject, 0, 0, limit, false)
	to, n, err := compaction(events, before, int64(len(l.events))+1)
	if n == 0 || err != nil {
		return 0, err
	}
	l.events = append([]Event{to}, slices.DeleteFunc(l.events, func(e Event) bool { return e.Subject == subject && e.Version <= to.Version })...)
	return n, nil
}

// drawCompaction is a life, some of it redacted, whole and compacted up to a time: at once or in steps, which end where chance has it.
func drawCompaction(t *rapid.T) (whole, compacted *ledger, cut time.Time) {
	life := drawLife(t, "post/p", 40)
	redacted := rapid.IntRange(0, 2*len(life)).Draw(t, "redacted") - len(life)
	cut = noon.Add(time.Duration(rapid.IntRange(-2, 90).Draw(t, "cut")) * time.Second)
	whole, compacted = newLedger(), newLedger()
	for i, s := range life {
		if i < redacted {
			s.event.Data = nil
		}
		whole.add(s.event)
		compacted.add(s.event)
	}
	for n := 1; n > 0; {
		var err error
		early := cut.Add(-time.Duration(rapid.IntRange(0, 5).Draw(t, "earlier")) * time.Second)
		if n, err = compacted.compactTo("post/p", early, rapid.IntRange(2, 50).Draw(t, "step")); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n > 0; {
		var err error
		if n, err = compacted.compactTo("post/p", cut, 50); err != nil {
			t.Fatal(err)
		}
	}
	return whole, compacted, cut
}

// TestCompactionKeepsWhatCameAfter holds the states of a compacted history to those of the whole one, at every time: after the
// point they are the same, before it they are the same or told to be gone.
func TestCompactionKeepsWhatCameAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, compacted, cut := drawCompaction(t)
		for second := -3; second < 125; second++ {
			at := noon.Add(time.Duration(second) * time.Second)
			want, known, err := AsOf(t.Context(), whole, "post/p", at)
			if err != nil && !errors.Is(err, ErrHistoryExpired) {
				t.Fatal(err)
			}
			got, still, gotErr := AsOf(t.Context(), compacted, "post/p", at)
			if want.Deleted { // of which only the names are kept
				want.JSON, got.JSON = nil, nil
			}
			same := errors.Is(gotErr, err) && still == known && reflect.DeepEqual(got, want)
			if expired := errors.Is(gotErr, ErrHistoryExpired) && !still && at.Before(cut); !same && !expired {
				t.Fatalf("second %d, cut at %v: %+v, %v, %v, want %+v, %v, %v", second, cut.Sub(noon), got, still, gotErr, want, known, err)
			}
		}
	})
}

// TestHistoryEndsAtTheCompaction holds pages of a compacted history to those of the whole one, as far as they reach.
func TestHistoryEndsAtTheCompaction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, compacted, _ := drawCompaction(t)
		page := HistoryPage{Limit: 100, Backward: rapid.Bool().Draw(t, "backward")}
		want, _, err := History(t.Context(), whole, "post/p", page)
		if err != nil {
			t.Fatal(err)
		}
		got, more, err := History(t.Context(), compacted, "post/p", page)
		if err != nil || more || len(got) == 0 {
			t.Fatalf("%d changes, %v, %v", len(got), more, err)
		}
		if !page.Backward {
			slices.Reverse(want)
			slices.Reverse(got)
		}
		redacted := want[len(want)-1].Event.Data == nil // then a fold does not know what later patches set
		for i, c := range got {
			oldest := i == len(got)-1 && c.Event.compacted()
			status := c.Status == want[i].Status || redacted && c.Status == "" && want[i].Status != "deleted"
			if c.Event.Version != want[i].Event.Version || !status || (c.Event.ID == want[i].Event.ID) == oldest || oldest && c.Event.Actor != "" {
				t.Fatalf("change %d is %+v, want %+v", i, c, want[i])
			}
		}
	})
}

// TestReadersMeetACompaction has it come between the pages of a read.
func TestReadersMeetACompaction(t *testing.T) {
	typesAndData := []string{"post.created", `{"n":0}`}
	for i := range 1100 {
		typesAndData = append(typesAndData, "post.updated", fmt.Sprintf(`{"n":%d}`, i+1))
	}
	events := lineage("post/p", 1, typesAndData...)
	for _, c := range []struct {
		minute int
		want   string
	}{{498, "499"}, {700, "expired"}, {799, "800"}, {1100, "1101"}} {
		log := &overtaken{ledger: newLedger(events...), at: noon.Add(799 * time.Minute)}
		s, found, err := AsOf(t.Context(), log, "post/p", noon.Add(time.Duration(c.minute)*time.Minute))
		got := fmt.Sprint(s.Version)
		if errors.Is(err, ErrHistoryExpired) && !found && s.Version == 0 {
			got, err = "expired", nil
		}
		if err != nil || got != c.want {
			t.Errorf("minute %d: %s, %v, want %s", c.minute, got, err, c.want)
		}
	}
}

// overtaken is a ledger that is compacted up to a time behind the first read.
type overtaken struct {
	*ledger
	at time.Time
}

func (o *overtaken) ReadSubject(ctx context.Context, subject string, after, before int64, limit int, backward bool) ([]Event, error) {
	events, err := o.ledger.ReadSubject(ctx, subject, after, before, limit, backward)
	if o.reads == 1 {
		_, err = o.compactTo(subject, o.at, len(o.events))
	}
	return events, err
}

// TestACompactionTellsNothingOfBefore has one whose state says that it has stood for longer, as it may have with breaks.
func TestACompactionTellsNothingOfBefore(t *testing.T) {
	const times = `{"n":1,"createdAt":"2026-03-04T11:00:00Z","updatedAt":"2026-03-04T11:30:00Z"}`
	for _, c := range []struct {
		kind, data string
		at         time.Duration // from noon, the time of the compaction
		want       string
	}{
		{"user.snapshot", times, 0, "5 false"}, {"user.snapshot", times, -1, "expired"}, {"user.snapshot", times, -time.Hour, "expired"}, {"user.snapshot", times, -time.Hour - 1, "none"},
		{"user.deleted", `{"id":"u"}`, 0, "5 true"}, {"user.deleted", `{"id":"u"}`, -1, "expired"}, {"user.deleted", ``, 0, "5 true"}, {"user.deleted", ``, -1, "expired"},
		{"user.snapshot", ``, 0, "5 false"}, {"user.snapshot", ``, -1, "expired"},
	} {
		events := lineage("user/u", 5, c.kind, c.data)
		events[0].ID = compactedID + "user/u:5"
		s, found, err := AsOf(t.Context(), newLedger(events...), "user/u", noon.Add(c.at))
		got := "none"
		if found {
			got = fmt.Sprint(s.Version, " ", s.Deleted)
		}
		if errors.Is(err, ErrHistoryExpired) && !found {
			got, err = "expired", nil
		}
		if err != nil || got != c.want || found && s.Redacted != (c.data == "") {
			t.Errorf("%s %s at %v: %s, %+v, %v, want %s", c.kind, c.data, c.at, got, s, err, c.want)
		}
	}
}
