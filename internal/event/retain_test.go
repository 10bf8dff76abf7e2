package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// tended is a ledger that can be trimmed and compacted. It takes the time of an event for that of its recording.
type tended struct {
	*ledger
	compactions []time.Time
	refuse      map[string]error // of Compact, by subject
}

func (l *tended) Trim(_ context.Context, before time.Time) error {
	for l.first = max(l.first, 1); int(l.first) <= len(l.events) && !l.events[l.first-1].Time.After(before); {
		l.first++
	}
	return l.fail
}

func (l *tended) Compact(_ context.Context, subject string, before time.Time) (int, error) {
	l.compactions = append(l.compactions, time.Now())
	if err := l.refuse[subject]; err != nil {
		return 0, err
	}
	events, err := l.ReadSubject(context.Background(), subject, 0, 0, compactLimit, false)
	if err != nil {
		return 0, err
	}
	to, n, err := compaction(events, before, l.first)
	for i, e := range l.events {
		if n > 0 && e.Subject == subject && e.Version < to.Version {
			l.events[i].Subject = "" // so that positions stay
		}
		if n > 0 && e.Subject == subject && e.Version == to.Version {
			l.events[i] = to
		}
	}
	return n, err
}

func (l *tended) Redact(context.Context, string) error               { return nil }
func (l *tended) Live(context.Context) (map[string]time.Time, error) { return nil, nil }
func (l *tended) Close() error                                       { return nil }

// runs runs a retainer in a bubble until the test of it returns, and gives back what it logged.
func (r *Retainer) runs(t *testing.T, test func()) string {
	t.Helper()
	var log bytes.Buffer
	r.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	synctest.Wait()
	test()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return log.String()
}

func updatesOf(subject string, n int, every time.Duration) (events []Event) {
	for version := 1; version <= n; version++ {
		kind := "post.updated"
		if version == 1 {
			kind = "post.created"
		}
		events = append(events, Event{ID: fmt.Sprint(subject, version), Type: kind, Subject: subject, Version: int64(version), Time: time.Now().Add(time.Duration(version) * every), Data: []byte(`{}`)})
	}
	return events
}

func TestRetainerTrimsAndCompacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := append(updatesOf("post/broken", 2, 0), updatesOf("post/a", 100, time.Hour)...)
		log := &tended{ledger: newLedger(append(events, updatesOf("post/young", 1, 1000*time.Hour)...)...)}
		log.refuse = map[string]error{"post/broken": fmt.Errorf("a gap: %w", ErrBrokenHistory)}
		var trimmed, compacted atomic.Int64
		r := &Retainer{
			Log: log, Events: 24 * time.Hour, History: 48 * time.Hour,
			Observer: RetainObserver{Trimmed: func(n int) { trimmed.Add(int64(n)) }, Compacted: func(n int) { compacted.Add(int64(n)) }},
		}
		text := r.runs(t, func() {
			for _, c := range []struct {
				wait               time.Duration
				trimmed, compacted int64 // each round replaces what the former one left, and one event more
			}{{0, 0, 0}, {30 * time.Hour, 2 + 6, 0}, {30 * time.Hour, 2 + 36, 2*12 - 1}, {100 * time.Hour, 2 + 100, 2*100 - 1}} {
				time.Sleep(c.wait)
				synctest.Wait()
				if trimmed.Load() != c.trimmed || compacted.Load() != c.compacted {
					t.Errorf("%v later %d are trimmed and %d compacted, want %+v", c.wait, trimmed.Load(), compacted.Load(), c)
				}
			}
		})
		if want := "trimmed=1 subjects=3 compacted=2 broken=1"; !strings.Contains(text, want) || strings.Contains(text, "WARN") {
			t.Errorf("it logs %s", text)
		}
	})
}

// TestRetainerTakesItsTime has a thousand subjects to compact, and leaves in the middle.
func TestRetainerTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &tended{ledger: newLedger()}
		for i := range 1000 {
			log.add(updatesOf(fmt.Sprintf("post/%04d", i), 1, 0)[0])
		}
		time.Sleep(100 * time.Hour)
		r := &Retainer{Log: log, Events: 24 * time.Hour, History: 48 * time.Hour}
		r.runs(t, func() {
			time.Sleep(10 * time.Second)
			synctest.Wait()
		})
		byTime := map[time.Time]int{}
		for _, at := range log.compactions {
			if byTime[at]++; byTime[at] > 20 { // of each subject two: the second finds nothing
				t.Fatalf("%d compactions at once", byTime[at])
			}
		}
		if n := len(log.compactions); n < 500 || n > 1200 {
			t.Errorf("%d compactions in ten seconds", n)
		}
	})
}

func TestRetainersTakeTurnsAndTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &tended{ledger: newLedger(updatesOf("post/a", 10, 0)...)}
		var asked, trimmed atomic.Int64
		answers := []func() (bool, error){
			func() (bool, error) { return false, nil },
			func() (bool, error) { return false, errors.New("no turns") },
			func() (bool, error) { log.fail = errors.New("no log"); return true, nil },
		}
		r := &Retainer{
			Log: log, Events: 24 * time.Hour, Every: 10 * time.Hour, Observer: RetainObserver{Trimmed: func(n int) { trimmed.Add(int64(n)) }},
			Turn: func(_ context.Context, every time.Duration) (bool, error) {
				if every != 9*time.Hour {
					t.Errorf("a turn of %v", every)
				}
				log.fail = nil
				if n := int(asked.Add(1)); n <= len(answers) {
					return answers[n-1]()
				}
				return true, nil
			},
		}
		time.Sleep(30 * time.Hour)
		text := r.runs(t, func() {
			for round := int64(1); round <= 4; round++ {
				if want := max(0, round-3) * 10; trimmed.Load() != want || asked.Load() != round {
					t.Errorf("round %d: %d trimmed, asked %d times", round, trimmed.Load(), asked.Load())
				}
				time.Sleep(10 * time.Hour)
				synctest.Wait()
			}
		})
		if !strings.Contains(text, "no turns") || !strings.Contains(text, "no log") {
			t.Errorf("it logs %s", text)
		}
		if err := (&Retainer{Log: log, Turn: r.Turn}).Run(t.Context()); err != nil || asked.Load() != 5 {
			t.Errorf("kept for ever: %v, asked %d times", err, asked.Load())
		}
	})
}
