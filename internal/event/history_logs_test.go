package event

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/internal/redisclient/redistest"
)

// keptLog is what both logs are.
type keptLog interface {
	Log
	Keeper
	SubjectLister
}

func TestHistoryOverSQLite(t *testing.T) {
	log, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	readHistory(t, log)
}

func TestHistoryOverRedis(t *testing.T) {
	url := redistest.Start(t).URL()
	readHistory(t, NewRedis(redistest.Client(t, url), redistest.Client(t, url)))
}

const livesKept = 30

// readHistory holds that what is read from a log is what is read from memory, before and after it was trimmed, and what is left
// of a subject that was redacted. It closes the log.
func readHistory(t *testing.T, kept keptLog) {
	defer func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}()
	memory, held := newLedger(), holdings{}
	generator := rapid.Custom(func(t *rapid.T) []step { return drawLife(t, "post/p", 60) })
	for i := range livesKept {
		subject := fmt.Sprintf("post/p%d", i)
		life := generator.Example(i)
		var batch []Event
		for _, s := range life {
			s.event.Subject, s.event.ID, s.event.Actor = subject, subject+s.event.ID, "u1"
			batch = append(batch, s.event)
			memory.add(s.event)
		}
		if _, err := kept.Append(t.Context(), "post", batch); err != nil {
			t.Fatal(err)
		}
		if last := life[len(life)-1]; !last.gone {
			held.put(subject, last.event.Version, last.state())
		}
	}
	alikeInAll(t, kept, memory, AuditFilter{Types: []string{"post.deleted", "post.restored"}})
	if err := kept.Trim(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	alikeInAll(t, kept, memory, AuditFilter{Subject: "post/p7"})
	if err := kept.Redact(t.Context(), "post/p3"); err != nil {
		t.Fatal(err)
	}
	changes, _, err := History(t.Context(), kept, "post/p3", HistoryPage{Limit: 100})
	if err != nil || len(changes) == 0 {
		t.Fatalf("redacted: %d changes, %v", len(changes), err)
	}
	for _, c := range changes {
		if c.Fields != nil || c.Event.Data != nil || c.Event.Actor != "" || c.Event.Type == "" {
			t.Errorf("redacted: %+v", c)
		}
	}
	if state, found, err := AsOf(t.Context(), kept, "post/p3", noon.Add(time.Hour)); err != nil || !found || !state.Redacted || state.JSON != nil {
		t.Errorf("redacted: %+v, %v, %v", state, found, err)
	}
	if report, err := Verify(t.Context(), kept, kept, held.services(nil), 0); err != nil || report.Total() != 0 || report.Subjects != livesKept {
		t.Errorf("%+v, %v", report, err)
	}
}

// alikeInAll compares histories, states and the audit log of two logs.
func alikeInAll(t *testing.T, kept, memory Log, filter AuditFilter) {
	t.Helper()
	for i := range livesKept {
		subject := fmt.Sprintf("post/p%d", i)
		for _, page := range []HistoryPage{{Limit: 7}, {Limit: 7, Backward: true}, {Limit: 9, After: 20, Before: 40}, {Limit: 9, After: 3, Before: 50, Backward: true}} {
			alike(t, kept, memory, func(ctx context.Context, log Log) (string, error) {
				changes, more, err := History(ctx, log, subject, page)
				return fmt.Sprint(changesText(changes), more), err
			})
		}
		alike(t, kept, memory, func(ctx context.Context, log Log) (string, error) {
			state, found, err := AsOf(ctx, log, subject, noon.Add(30*time.Second))
			return fmt.Sprint(string(state.JSON), state.Version, state.Time.UnixNano(), found), err
		})
		alike(t, kept, memory, func(ctx context.Context, log Log) (string, error) {
			events, next, more, err := Audit(ctx, log, filter, int64(i*25), 5)
			text := fmt.Sprint(next, more)
			for _, e := range events {
				text += fmt.Sprint(" ", e.Event.Position, e.Event.Subject, e.Event.Version, e.Event.Type)
			}
			return text, err
		})
	}
}

// alike compares what a read says of two logs.
func alike(t *testing.T, a, b Log, read func(context.Context, Log) (string, error)) {
	t.Helper()
	x, errX := read(t.Context(), a)
	y, errY := read(t.Context(), b)
	if errX != nil || errY != nil || x != y {
		t.Errorf("%s, %v\nand\n%s, %v", x, errX, y, errY)
	}
}
