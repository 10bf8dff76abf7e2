package event

import (
	"context"
	"slices"
)

// ledger is a Log in memory for the tests of what reads logs. It is for one goroutine, and counts the reads.
type ledger struct {
	events []Event
	first  int64 // what Read has begins here, where it is not 0
	reads  int
	fail   error // of every method
}

func newLedger(events ...Event) *ledger {
	l := &ledger{}
	for _, e := range events {
		l.add(e)
	}
	return l
}

func (l *ledger) add(e Event) {
	e.Position = int64(len(l.events)) + 1
	l.events = append(l.events, e)
}

func (l *ledger) last(subject string) (version int64) {
	for _, e := range l.events {
		if e.Subject == subject {
			version = e.Version
		}
	}
	return version
}

func (l *ledger) Append(_ context.Context, _ string, batch []Event) (int64, error) {
	before := len(l.events)
	for i, e := range batch {
		current := l.last(e.Subject)
		switch {
		case e.Snapshot() && current >= e.Version:
			continue
		case e.Version != current+1 && (current > 0 || !e.Snapshot()):
			l.events = l.events[:before]
			return 0, &GapError{i, current + 1}
		}
		l.add(e)
	}
	return 0, l.fail
}

func (l *ledger) Read(_ context.Context, after int64, limit int) ([]Event, error) {
	l.reads++
	if l.fail != nil {
		return nil, l.fail
	}
	if after+1 < l.first {
		return nil, ErrTrimmed
	}
	end := min(int64(len(l.events)), after+int64(limit))
	return l.events[min(after, end):end], nil
}

func (l *ledger) ReadSubject(_ context.Context, subject string, after, before int64, limit int, backward bool) (events []Event, err error) {
	l.reads++
	for _, e := range l.events {
		if e.Subject == subject && e.Version > after && (before == 0 || e.Version < before) {
			events = append(events, e)
		}
	}
	if backward {
		slices.Reverse(events)
	}
	return events[:min(limit, len(events))], l.fail
}

func (l *ledger) Subjects(_ context.Context, after string, limit int) ([]string, error) {
	var subjects []string
	for _, e := range l.events {
		if e.Subject > after {
			subjects = append(subjects, e.Subject)
		}
	}
	slices.Sort(subjects)
	subjects = slices.Compact(subjects)
	return subjects[:min(limit, len(subjects))], l.fail
}

func (l *ledger) Bounds(context.Context) (Bounds, error) {
	return Bounds{ID: "ledger", First: max(1, l.first), Last: int64(len(l.events))}, l.fail
}

func (l *ledger) Wait(context.Context, int64) error { return l.fail }
