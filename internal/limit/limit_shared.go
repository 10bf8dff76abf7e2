package limit

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// maxMisses in a row make the limiter stop asking the shared store.
	maxMisses = 3
	// firstRest is how long it then does not ask. It is a little under a second, so that with the question that ends it shared
	// limits are in force again within one.
	firstRest = 900 * time.Millisecond
	// nextRest follows a question that was not answered either. One operation in this time may wait for the budget.
	nextRest = 200 * time.Millisecond
)

// question is Store.Debit or Store.Look.
type question func(Store, context.Context, []Entry, Writer) (Outcome, error)

// ask puts the entries of a decision to the shared store or, if that does not answer, to the buckets in memory.
func (l *Limiter) ask(ctx context.Context, d *Decision, question question) Outcome {
	if l.shared != nil {
		outcome, reason := l.askShared(ctx, d, question)
		if reason == "" {
			return outcome
		}
		if l.observer.Local != nil {
			l.observer.Local(reason)
		}
		l.localise(d)
	}
	outcome, _ := question(l.memory, ctx, d.entries, d.writer) // memory does not fail
	return outcome
}

// askShared tells why there is no answer, "" if there is one.
func (l *Limiter) askShared(ctx context.Context, d *Decision, question question) (Outcome, string) {
	may, probe := l.guard.enter(l.now())
	if !may {
		return Outcome{}, "resting"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.budget)
	defer cancel()
	outcome, err := question(l.shared, ctx, d.entries, d.writer)
	l.guard.leave(l.now(), err == nil, probe)
	if err == nil {
		return outcome, ""
	}
	if timeout, ok := errors.AsType[net.Error](err); ctx.Err() != nil || ok && timeout.Timeout() {
		return Outcome{}, "timeout"
	}
	return Outcome{}, "error"
}

// localise turns a decision over shared buckets into one over this replica's share of them. An operation that costs more than a
// share takes all of it: that it could have been paid from the shared bucket has been checked.
func (l *Limiter) localise(d *Decision) {
	d.Local, d.policy = true, l.policies[1][d.kinds]
	i := 0
	for r := range l.rules {
		rule := &l.rules[r]
		if i == len(d.entries) || d.entries[i].Key.Kind != rule.kind || d.entries[i].Key.Unit != rule.unit {
			continue
		}
		d.entries[i].Meter = rule.shareMeter
		d.entries[i].Amount = min(d.entries[i].Amount, rule.share.Size)
		d.Buckets[i].Size, d.Buckets[i].RestoreRate = rule.share.Size, rule.share.Restore
		i++
	}
}

// guard decides whether to ask a store that may be down. It is safe for concurrent use.
type guard struct {
	mu      sync.Mutex
	misses  int       // in a row
	rest    time.Time // until when the store is not asked, once there are maxMisses
	probing bool      // one question is under way that ends the rest
}

// enter tells whether the store may be asked, and whether the question is the only one that may be.
func (g *guard) enter(now time.Time) (may, probe bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.misses < maxMisses {
		return true, false
	}
	if g.probing || now.Before(g.rest) {
		return false, false
	}
	g.probing = true
	return true, true
}

// leave takes note of what became of a question that enter let pass.
func (g *guard) leave(now time.Time, answered, probe bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if probe {
		g.probing = false
	}
	switch {
	case answered:
		g.misses = 0
	case probe:
		g.rest = now.Add(nextRest)
	case g.misses < maxMisses:
		if g.misses++; g.misses == maxMisses {
			g.rest = now.Add(firstRest)
		}
	}
}

// resting tells whether the store is not to be asked for the time being.
func (g *guard) resting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.misses >= maxMisses
}
