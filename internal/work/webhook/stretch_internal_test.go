package webhook

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/internal/event"
)

// readLog counts what is read of a log.
type readLog struct {
	event.Log
	calls  int
	events map[int64]int // times that each position was read
}

func (l *readLog) Read(ctx context.Context, after int64, limit int) ([]event.Event, error) {
	events, err := l.Log.Read(ctx, after, limit)
	l.calls++
	for _, each := range events {
		l.events[each.Position]++
	}
	return events, err
}

// listLog is a log that is read from a list. What is before first was trimmed after its bounds were told.
type listLog struct {
	event.Log
	first  int64
	events []event.Event
}

func (l *listLog) Read(_ context.Context, after int64, limit int) ([]event.Event, error) {
	if after+1 < l.first {
		return nil, event.ErrTrimmed
	}
	return l.events[after:min(int(after)+limit, len(l.events))], nil
}

// TestStretchReadsManySnapshotsOnce looks for a time in a log that begins with what a first synchronization brings.
func TestStretchReadsManySnapshotsOnce(t *testing.T) {
	const snapshots, page = 20_000, 500
	log, err := event.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	write := func(kind string, from, to int, at time.Time) {
		var batch []event.Event
		for i := from; i < to; i++ {
			subject := fmt.Sprint("post/p", i)
			batch = append(batch, event.Event{ID: subject, Source: "post", Type: kind, Subject: subject, Version: 1, Time: at, Data: []byte(`{}`)})
		}
		if _, err := log.Append(t.Context(), "post", batch); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < snapshots; i += page {
		write("post.snapshot", i, i+page, noon.AddDate(-1, 0, 0))
	}
	for _, c := range []struct {
		name         string
		after, until int64
	}{{"snapshots alone", 0, 0}, {"events behind them", 0, snapshots + 1}} {
		counted := &readLog{Log: log, events: map[int64]int{}}
		bounds, err := log.Bounds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after, until, err := stretch(t.Context(), counted, bounds, noon, noon.Add(time.Minute))
		if err != nil || after > c.until || until != c.until {
			t.Errorf("%s: behind %d up to %d, %v", c.name, after, until, err)
		}
		if reads := len(counted.events); reads > snapshots+2 || counted.calls > snapshots/page+100 {
			t.Errorf("%s: %d reads of %d events", c.name, counted.calls, reads)
		}
		for position, times := range counted.events {
			if times > 1 {
				t.Fatalf("%s: position %d was read %d times", c.name, position, times)
			}
		}
		write("post.created", snapshots, snapshots+1, noon)
		write("post.created", snapshots+1, snapshots+2, noon.Add(3*time.Hour))
	}
}

// TestStretch holds the part of any log against the promise: all that happened in the time is in it, nothing is read twice, and where
// nothing came in late it begins and ends where it has to.
func TestStretch(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		isLate := rapid.Bool().Draw(t, "late")
		log := &listLog{first: 1}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)) // what rapid draws is mostly small
		for i := range random.IntN(60) {
			each := event.Event{Type: "post.created", Time: noon.Add(time.Duration(i*10) * time.Minute)}
			if isLate {
				each.Time = each.Time.Add(-time.Duration(random.IntN(61)) * time.Minute)
			}
			for range random.IntN(12) {
				log.events = append(log.events, event.Event{Type: "post.snapshot"})
			}
			log.events = append(log.events, each)
		}
		for i := range log.events {
			log.events[i].Position = int64(i + 1)
		}
		bounds := event.Bounds{First: 1, Last: int64(len(log.events))}
		log.first = 1 + max(0, random.Int64N(2*bounds.Last+2)-bounds.Last-1)
		from := noon.Add(time.Duration(random.IntN(800)-100) * time.Minute)
		to := from.Add(time.Duration(1+random.IntN(300)) * time.Minute)
		counted := &readLog{Log: log, events: map[int64]int{}}
		after, until, err := stretch(context.Background(), counted, bounds, from, to)
		if err != nil {
			t.Fatal(err)
		}
		for position, times := range counted.events {
			if times > 1 {
				t.Errorf("position %d was read %d times", position, times)
			}
		}
		for _, each := range log.events[log.first-1:] {
			in := !each.Snapshot() && !each.Time.Before(from) && each.Time.Before(to)
			if in && (each.Position <= after || each.Position > until) {
				t.Errorf("position %d at %s is not behind %d up to %d", each.Position, each.Time, after, until)
			}
		}
		if isLate {
			return
		}
		reaches := func(at time.Time) int64 { // the end of what is earlier
			last := log.first - 1
			for _, each := range slices.Backward(log.events[log.first-1:]) {
				if !each.Snapshot() && each.Time.Before(at) {
					last = each.Position
					break
				}
			}
			return last
		}
		if a, u := reaches(from.Add(-late)), reaches(to.Add(late)); after != a || until != u {
			t.Errorf("behind %d up to %d, not behind %d up to %d", after, until, a, u)
		}
	})
}
