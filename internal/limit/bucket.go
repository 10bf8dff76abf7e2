package limit

import (
	"math"
	"time"
)

// Rate is a bucket as it is configured: it holds Size points (or requests) and restores Restore of them a second. A Size of 0
// or less means that there is no such bucket.
type Rate struct {
	Size    int64
	Restore float64
}

const (
	// maxSpan keeps every number of a bucket an integer that a double of Redis' Lua holds exactly: about 52 days in nanoseconds.
	maxSpan = 1 << 52
	// maxSkew is how far in the future, in microseconds, the last change of a bucket may lie before it is taken for the mark of
	// a clock that was set back. Within it a bucket waits for the clock; beyond it, it restores from now on.
	maxSkew = 1_000_000
)

// Meter is a Rate in the integers that buckets are reckoned in. What a bucket lacks is told as the time that restoring it takes,
// in nanoseconds: a point is Unit nanoseconds, and the whole bucket Span. As the clock counts in whole microseconds, each of
// which restores exactly 1,000, nothing is ever rounded but Unit itself, once: down, so that a bucket is never slower than it
// was promised to be. The error is below Restore/1e9, and none for rates such as 50 a second or 1,000 an hour. A bucket that
// would take longer than 52 days to fill takes 52 days.
type Meter struct{ Size, Unit, Span int64 }

func newMeter(r Rate) Meter {
	size := min(r.Size, maxSpan)
	if size <= 0 {
		return Meter{}
	}
	slowest := maxSpan / size
	unit := slowest
	if exact := float64(time.Second) / r.Restore; r.Restore > 0 && exact < float64(slowest) {
		unit = max(1, int64(math.Floor(exact)))
		if whole := math.Round(exact); whole > exact && whole-exact <= exact*4e-16 {
			unit = int64(whole) // the floats of a rate like 1000/3600 came out just below
		}
	}
	return Meter{Size: size, Unit: unit, Span: size * unit}
}

// take is what an amount is in nanoseconds, more than Span if the bucket can never hold it.
func (m Meter) take(amount int64) int64 {
	if amount > m.Size {
		return m.Span + 1
	}
	return amount * m.Unit
}

// available is how many whole points are left when missing nanoseconds are.
func (m Meter) available(missing int64) int64 { return (m.Span - missing) / m.Unit }

// wait is how long it takes, in whole microseconds, until the amount is there.
func (m Meter) wait(missing, amount int64) time.Duration {
	return roundUp(max(0, missing+m.take(amount)-m.Span))
}

// level is the state of a bucket: what it lacked, in nanoseconds, at a time in microseconds. The zero level is a full bucket.
type level struct{ missing, at int64 }

// until is the level at a time. A clock that goes backwards restores nothing.
func (l level) until(now int64, m Meter) level {
	l.missing = min(l.missing, m.Span) // it was larger before the configuration changed
	switch elapsed := now - l.at; {
	case elapsed > math.MaxInt64/1000 || elapsed > 0 && elapsed*1000 >= l.missing:
		return level{at: now}
	case elapsed > 0:
		return level{missing: l.missing - elapsed*1000, at: now}
	case elapsed < -maxSkew:
		l.at = now
	}
	return l
}

// debit takes an amount out of a level of now, and tells whether it was there; if not, nothing changes.
func (l level) debit(amount int64, m Meter) (level, bool) {
	missing := l.missing + m.take(amount)
	if missing > m.Span {
		return l, false
	}
	return level{missing: missing, at: l.at}, true
}

// credit puts an amount into a level of now, at most until it is full.
func (l level) credit(amount int64, m Meter) level {
	return level{missing: max(0, l.missing-m.take(amount)), at: l.at}
}

// roundUp makes a duration of nanoseconds, in whole microseconds.
func roundUp(nanoseconds int64) time.Duration {
	return time.Duration((nanoseconds + 999) / 1000 * 1000)
}
