// Package eventtest is the contract of event.Log and event.Keeper as a test that every implementation passes.
package eventtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tributary/internal/event"
)

// Open opens the log of one place. The suite closes it before it opens the place again, and at the end of the test.
type Open func(t *testing.T) (event.Log, event.Keeper)

// Run holds an implementation, which also has to be an event.SubjectLister, to the contract. Each call of place gives a place
// where no log is yet; it is done with when the test it was given ends.
func Run(t *testing.T, place func(t *testing.T) Open) {
	for name, test := range map[string]func(*log){
		"append": appends, "gap": refusesGaps, "duplicate": skipsDuplicates, "snapshot": takesSnapshots, "atomic": allOrNothing,
		"fidelity": keepsEverything, "read": reads, "subject": readsSubjects, "subjects": listsSubjects, "bounds": hasBounds,
		"wait": waits, "trim": trims, "redact": redacts, "restart": outlivesRestart, "writers": concurrentWriters, "large": largeBatch,
		"sequence": keepsSequences, "heartbeat": hearsSources, "context": heedsContext, "model": agrees,
		"compact": compacts, "compact ends": compactsWhatEnded, "compact many": compactsManyAndBroken, "compact beside": compactsBeside,
	} {
		t.Run(name, func(t *testing.T) {
			l := &log{T: t, open: place(t)}
			l.Log, l.Keeper = l.open(t)
			t.Cleanup(func() {
				if err := l.Keeper.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(l)
		})
	}
}

// log is what the tests ask, with checks.
type log struct {
	*testing.T
	event.Log
	event.Keeper
	open Open
}

// reopen closes the log and opens it again.
func (l *log) reopen() {
	l.Helper()
	if err := l.Keeper.Close(); err != nil {
		l.Fatalf("close: %v", err)
	}
	l.Log, l.Keeper = l.open(l.T)
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// made makes an event of a post with data that tells it from others.
func made(id, subject string, version int64) event.Event {
	kind := "post.updated"
	if version == 1 {
		kind = "post.created"
	}
	return event.Event{
		ID: id, Source: "post", Type: kind, Subject: subject, Version: version, Time: noon.Add(time.Duration(version) * time.Second),
		Actor: "u1", Data: json.RawMessage(fmt.Sprintf(`{"id":%q,"version":%d}`, id, version)),
	}
}

func snapshot(id, subject string, version int64) event.Event {
	e := made(id, subject, version)
	e.Type, e.Actor = "post.snapshot", ""
	return e
}

// history makes the events from one version of a subject to another.
func history(subject string, from, to int64) []event.Event {
	var events []event.Event
	for version := from; version <= to; version++ {
		e := made(fmt.Sprintf("%s-%d", subject, version), subject, version)
		e.Sequence = version
		events = append(events, e)
	}
	return events
}

// mustAppend appends what has to be taken.
func (l *log) mustAppend(batch ...event.Event) int64 {
	l.Helper()
	sequence, err := l.Append(l.Context(), "post", batch)
	if err != nil {
		l.Fatalf("append: %v", err)
	}
	return sequence
}

// mustRefuse appends what has to be refused for a gap, and sees that the log stays as it was.
func (l *log) mustRefuse(index int, expected int64, batch ...event.Event) {
	l.Helper()
	before := l.bounds()
	_, err := l.Append(l.Context(), "post", batch)
	gap, ok := errors.AsType[*event.GapError](err)
	if !ok || *gap != (event.GapError{Index: index, Expected: expected}) {
		l.Errorf("got %v, want a gap at %d before version %d", err, index, expected)
	}
	if after := l.bounds(); after != before {
		l.Errorf("a refused batch moved the log from %+v to %+v", before, after)
	}
}

func (l *log) bounds() event.Bounds {
	l.Helper()
	b, err := l.Bounds(l.Context())
	if err != nil {
		l.Fatalf("bounds: %v", err)
	}
	return b
}

func (l *log) all() []event.Event { l.Helper(); return l.read(0, 1000) }

func (l *log) read(after int64, limit int) []event.Event {
	l.Helper()
	events, err := l.Read(l.Context(), after, limit)
	if err != nil {
		l.Fatalf("read after %d: %v", after, err)
	}
	return events
}

func (l *log) subject(subject string, after, before int64, limit int, backward bool) []event.Event {
	l.Helper()
	events, err := l.ReadSubject(l.Context(), subject, after, before, limit, backward)
	if err != nil {
		l.Fatalf("read %s: %v", subject, err)
	}
	return events
}

// want compares events with those expected, of which it takes the positions to be right when they are 0.
func (l *log) want(got []event.Event, want ...event.Event) {
	l.Helper()
	if len(got) != len(want) {
		l.Fatalf("got %d events (%s), want %d (%s)", len(got), ids(got), len(want), ids(want))
	}
	for i, w := range want {
		if w.Position == 0 {
			w.Position = got[i].Position
		}
		if !reflect.DeepEqual(got[i], w) {
			l.Errorf("event %d is %+v, want %+v", i, got[i], w)
		}
	}
}

// ids tells events by their ids.
func ids(events []event.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.ID)
	}
	return strings.Join(all, " ")
}
