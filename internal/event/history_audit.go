package event

import (
	"context"
	"errors"
	"slices"
	"time"
)

// AuditFilter says which events of a log are asked for: those that all that is set holds for.
type AuditFilter struct {
	Actor    string
	Subject  string
	Types    []string  // any of them; none for all
	From, To time.Time // when it happened, in [From, To)
}

func (f AuditFilter) matches(e Event) bool {
	return (f.Actor == "" || e.Actor == f.Actor) && (f.Subject == "" || e.Subject == f.Subject) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		!e.Time.Before(f.From) && (f.To.IsZero() || e.Time.Before(f.To))
}

// MaxAuditScan is the most events that are looked at for one page of the audit log.
const MaxAuditScan = 10_000

// Audit returns up to limit events that the filter lets through, the newest first by position, from in front of the position
// before; 0 for the end of the log. The limit is brought into 1 to MaxHistory. A page looks at MaxAuditScan events at most, so it
// may hold fewer, even none: with more true there is something left to look at in front of next. What was trimmed is only
// found by subject. The times of events follow their positions nearly, but need not: From ends no search. What an event changed is
// told by itself: FieldChange.Before is known only where nothing was there.
func Audit(ctx context.Context, log Log, filter AuditFilter, before int64, limit int) (page []Change, next int64, more bool, err error) {
	s, err := newAuditScan(ctx, log, filter.Subject, before)
	if err != nil {
		return nil, 0, false, err
	}
	limit, next = min(max(limit, 1), MaxHistory), before
	for looked := 0; looked < MaxAuditScan; {
		chunk, err := s.back(ctx, min(historyRead, MaxAuditScan-looked))
		if err != nil || len(chunk) == 0 {
			return page, next, false, err
		}
		looked += len(chunk)
		for _, e := range chunk {
			if len(page) == limit {
				return page, next, true, nil
			}
			next = e.Position
			if !filter.matches(e) {
				continue
			}
			change, err := new(knowledge).learn(e)
			if err != nil {
				return nil, 0, false, err
			}
			page = append(page, change)
		}
	}
	rest, err := s.back(ctx, 1)
	return page, next, len(rest) > 0, err
}

// auditScan goes back through a log, or through the events of one subject.
type auditScan struct {
	log     Log
	subject string
	end     int64 // position or version that the next event lies in front of
}

func newAuditScan(ctx context.Context, log Log, subject string, before int64) (*auditScan, error) {
	s := &auditScan{log, subject, before}
	switch {
	case subject == "":
		bounds, err := log.Bounds(ctx)
		if before <= 0 || before > bounds.Last {
			s.end = bounds.Last + 1
		}
		return s, err
	case before <= 0: // ReadSubject knows no bound by 0
		s.end = 0
		return s, nil
	}
	version, err := versionAt(ctx, log, subject, before)
	s.end = version
	return s, err
}

// back returns up to n events in front of the last ones, the newest first; none at the start of the log, or of what is left of it.
func (s *auditScan) back(ctx context.Context, n int) (events []Event, err error) {
	if s.end == 1 {
		return nil, nil
	}
	if s.subject == "" {
		after := max(0, s.end-1-int64(n))
		if events, err = s.log.Read(ctx, after, int(s.end-1-after)); errors.Is(err, ErrTrimmed) {
			events, err = s.untrimmed(ctx)
		}
		events = slices.Clone(events)
		slices.Reverse(events)
	} else {
		events, err = s.log.ReadSubject(ctx, s.subject, 0, s.end, n, true)
	}
	if err != nil || len(events) == 0 {
		return nil, err
	}
	last := events[len(events)-1]
	if s.end = last.Position; s.subject != "" {
		s.end = last.Version
	}
	return events, nil
}

// untrimmed reads what is left between the start of the log, as it is now, and the end.
func (s *auditScan) untrimmed(ctx context.Context) ([]Event, error) {
	bounds, err := s.log.Bounds(ctx)
	if err != nil || bounds.First >= s.end {
		return nil, err
	}
	events, err := s.log.Read(ctx, bounds.First-1, int(s.end-bounds.First))
	if errors.Is(err, ErrTrimmed) { // trimmed again just now
		return nil, nil
	}
	return events, err
}

// versionAt is the version of a subject's first event from a position on, or the one behind its last; its versions and
// positions grow together.
func versionAt(ctx context.Context, log Log, subject string, position int64) (int64, error) {
	ends := [2]int64{}
	for i, backward := range []bool{false, true} {
		events, err := log.ReadSubject(ctx, subject, 0, 0, 1, backward)
		if err != nil || len(events) == 0 {
			return 1, err
		}
		ends[i] = events[0].Version
	}
	low, high := ends[0], ends[1]+1
	for low < high {
		middle := low + (high-low)/2
		events, err := log.ReadSubject(ctx, subject, middle-1, middle+1, 1, false)
		if err != nil {
			return 0, err
		}
		if len(events) > 0 && events[0].Position < position {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
