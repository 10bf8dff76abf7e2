// Package limit says what an operation costs and how much a caller may spend.
package limit

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// Caller is who pays. An empty field, or an invalid address, means that the caller has no such identity.
type Caller struct {
	UserID, KeyID string
	IP            netip.Addr
}

// Limits are the buckets of one kind of identity: one of points, and one of requests that is refilled within an hour (0: none).
type Limits struct {
	Points          Rate
	RequestsPerHour int64
}

// Config says who may spend how much.
type Config struct {
	User, Key, IP Limits
	Replicas      int              // over which the limits are shared when each is left to itself; default 1
	Budget        time.Duration    // how long the shared store may be waited for; default 5 ms
	RefundEvery   time.Duration    // how long refunds are gathered for the shared store; default 10 ms
	MaxBuckets    int              // kept in memory; default 1,000,000, each about 125 bytes
	Now           func() time.Time // default time.Now
	Observer      Observer
}

// Observer is told what happens. Any of its functions may be nil; they are called concurrently and must not block.
type Observer struct {
	Admitted       func(kind string)   // an operation was admitted: "user", "key" or "ip", the first of these the caller has buckets for
	Throttled      func(bucket string) // an operation was refused by the named bucket, see BucketState.Name
	Local          func(reason string) // the shared store was done without: "timeout", "error" or "resting" (not asked)
	RefundsDropped func(n int)         // that many refunds were lost
}

// Limiter admits operations. It is safe for concurrent use.
type Limiter struct {
	rules    []rule
	policies [2][1 << kinds]string // RateLimit-Policy, of the shared buckets and of this replica's, by the kinds that a caller has
	digester digester
	free     *Decision // for callers without buckets, of whose writes nothing is known
	shared   Store     // nil: memory only
	memory   *Memory
	guard    guard
	refunds  *refunds
	budget   time.Duration
	now      func() time.Time
	observer Observer
}

// rule is one bucket that each identity of a kind has.
type rule struct {
	name       string
	kind       Kind
	unit       Unit
	rate       Rate
	meter      Meter
	share      Rate // what one replica has of it when left to itself
	shareMeter Meter
}

// New makes a Limiter over a store that replicas share, or over the memory of this process alone when shared is nil. While the
// shared store does not answer within the budget, buckets in memory stand in for it, each a replica's share of the size and of
// the restoring. Nothing is started; a Limiter with a shared store needs Run for refunds.
func New(cfg Config, shared Store) *Limiter {
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	maxBuckets := orDefault(cfg.MaxBuckets, 1_000_000)
	rules := newRules(cfg)
	return &Limiter{
		rules:    rules,
		policies: newPolicies(rules),
		digester: newDigester(shared != nil),
		free:     &Decision{Allowed: true},
		shared:   shared,
		memory:   NewMemory(maxBuckets, now),
		refunds:  newRefunds(orDefault(cfg.RefundEvery, 10*time.Millisecond), cfg.Observer.RefundsDropped),
		budget:   orDefault(cfg.Budget, 5*time.Millisecond),
		now:      now,
		observer: cfg.Observer,
	}
}

func orDefault[T int | time.Duration](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}

func newRules(cfg Config) []rule {
	var rules []rule
	replicas := max(1, cfg.Replicas)
	for _, unit := range []Unit{Points, Requests} {
		for kind, limits := range [...]Limits{User: cfg.User, APIKey: cfg.Key, IP: cfg.IP} {
			r := rule{name: Kind(kind).String(), kind: Kind(kind), unit: unit, rate: limits.Points}
			if unit == Requests {
				r.name += "-requests"
				r.rate = Rate{Size: limits.RequestsPerHour, Restore: float64(limits.RequestsPerHour) / 3600}
			}
			if r.rate.Size <= 0 {
				continue
			}
			r.meter = newMeter(r.rate)
			r.share = Rate{Size: (r.rate.Size-1)/int64(replicas) + 1, Restore: r.rate.Restore / float64(replicas)}
			r.shareMeter = newMeter(r.share)
			rules = append(rules, r)
		}
	}
	return rules
}

// newPolicies writes down RateLimit-Policy for every set of kinds.
func newPolicies(rules []rule) (policies [2][1 << kinds]string) {
	for set := range 1 << kinds {
		applying := slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return set&(1<<r.kind) == 0 })
		policies[0][set], policies[1][set] = policyOf(applying, false), policyOf(applying, true)
	}
	return policies
}

// Admit debits an operation's cost from the points buckets of its caller and one from each request bucket, or nothing if one
// of them lacks it. It waits for the shared store at most as long as the budget, whatever becomes of ctx: a caller who leaves
// has still asked. The decision is never nil; it is not to be changed. A cost of 0, or less, is a request that needs no points. A
// caller without buckets is asked for its writes alone, if it is known and there is a shared store.
func (l *Limiter) Admit(ctx context.Context, who Caller, cost int64) *Decision {
	d := l.prepare(who, max(0, cost))
	switch {
	case d == l.free:
		return d
	case d.TooDear:
		for i := range d.entries {
			d.entries[i].Amount = 0 // no bucket is to tell how long to wait
		}
		d.fill(l.ask(ctx, d, Store.Look))
		d.Allowed, d.refundable = false, false
		return d
	}
	d.fill(l.ask(ctx, d, Store.Debit))
	l.tell(d)
	return d
}

// Look tells the state of a caller's buckets, as a decision that debited nothing: its Allowed and RetryAfter are those of an
// operation without cost.
func (l *Limiter) Look(ctx context.Context, who Caller) *Decision {
	d := l.prepare(who, 0)
	if d == l.free {
		return d
	}
	d.fill(l.ask(ctx, d, Store.Look))
	d.refundable = false
	return d
}

// prepare makes a decision with the entries of all buckets that the caller has. It is free where there is nothing to ask for.
func (l *Limiter) prepare(who Caller, cost int64) *Decision {
	if len(l.rules) == 0 && l.shared == nil {
		return l.free
	}
	ids, has := l.digester.identities(&who)
	var writer Writer
	if l.shared != nil {
		writer = writerOf(&ids, &has)
	}
	n, set := 0, 0
	for i := range l.rules {
		if kind := l.rules[i].kind; has[kind] {
			n++
			set |= 1 << kind
		}
	}
	if n == 0 && !writer.known {
		return l.free
	}
	d := newDecision(n)
	d.cost, d.kinds, d.policy, d.writer = cost, set, l.policies[0][set], writer
	for i := range l.rules {
		r := &l.rules[i]
		if !has[r.kind] {
			continue
		}
		amount := int64(1)
		if r.unit == Points {
			amount = cost
			d.TooDear = d.TooDear || cost > r.meter.Size
		}
		d.Buckets = append(d.Buckets, BucketState{Name: r.name, Unit: r.unit.String(), Size: r.meter.Size, RestoreRate: r.rate.Restore})
		d.entries = append(d.entries, Entry{Key: Key{Identity: ids[r.kind], Kind: r.kind, Unit: r.unit}, Meter: r.meter, Amount: amount})
	}
	return d
}

// tell reports a decision to the observer.
func (l *Limiter) tell(d *Decision) {
	if d.Allowed {
		if l.observer.Admitted != nil && len(d.entries) > 0 {
			kind := d.entries[0].Key.Kind
			for i := range d.entries {
				kind = min(kind, d.entries[i].Key.Kind)
			}
			l.observer.Admitted(kind.String())
		}
		return
	}
	if l.observer.Throttled != nil {
		for i := range d.Buckets {
			if d.Buckets[i].RetryAfter == d.RetryAfter {
				l.observer.Throttled(d.Buckets[i].Name)
				return
			}
		}
	}
}
