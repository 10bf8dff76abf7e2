package limit

import (
	"cmp"
	"strconv"
	"time"
)

// Decision is what became of an operation. It is read-only, and may be read concurrently.
type Decision struct {
	Allowed    bool
	TooDear    bool // it costs more than a bucket holds; waiting does not help, and nothing was debited
	Local      bool // the shared store did not answer, and this replica's share of the limits was applied
	Buckets    []BucketState
	RetryAfter time.Duration // until all buckets could pay for it, 0 if it was allowed or is too dear
	Writes     []string      // what this caller has had remembered of late through any replica, see Redis.Remember; none if Local

	policy     string // RateLimit-Policy
	cost       int64
	entries    []Entry // of the buckets, in their order
	writer     Writer  // nobody where there is no shared store
	refundable bool
	kinds      int // a bit for each that has a bucket
}

// newDecision makes room for n buckets: most callers have few, and they fit beside the decision.
func newDecision(n int) *Decision {
	if n > 2 {
		return &Decision{Buckets: make([]BucketState, 0, n), entries: make([]Entry, 0, n)}
	}
	d := &struct {
		Decision
		buckets [2]BucketState
		entries [2]Entry
	}{}
	d.Buckets, d.Decision.entries = d.buckets[:0], d.entries[:0]
	return &d.Decision
}

// BucketState is one bucket after the decision.
type BucketState struct {
	Name        string // "user", "key" or "ip", and for requests "user-requests" and so on
	Unit        string // "points" or "requests"
	Size        int64
	Available   int64         // whole units
	RestoreRate float64       // units a second
	Full        time.Duration // until it is full
	RetryAfter  time.Duration // until it could pay for the operation, 0 if it could
}

// HeaderField is a field for the header of an answer.
type HeaderField struct{ Name, Value string }

// fill writes the outcome into the decision.
func (d *Decision) fill(o Outcome) {
	d.Allowed, d.refundable, d.Writes = o.Allowed, o.Allowed, o.Writes
	for i := range d.entries {
		e, b, missing := &d.entries[i], &d.Buckets[i], o.Missing[i]
		b.Available, b.Full = e.Meter.available(missing), roundUp(missing)
		if !o.Allowed && e.Amount <= e.Meter.Size {
			b.RetryAfter = e.Meter.wait(missing, e.Amount)
			d.RetryAfter = max(d.RetryAfter, b.RetryAfter)
		}
	}
}

// Tightest is the bucket with the least left for its size, among those of points or, if the caller has none, those of requests;
// nil without buckets. Of an operation that is too dear it is the smallest, which is the most it may cost.
func (d *Decision) Tightest() *BucketState {
	var tightest *BucketState
	for i := range d.Buckets {
		b := &d.Buckets[i]
		switch {
		case tightest == nil:
			tightest = b
		case b.Unit != tightest.Unit: // points come first
			return tightest
		case d.TooDear:
			if b.Size < tightest.Size {
				tightest = b
			}
		case cmp.Less(float64(b.Available)/float64(b.Size), float64(tightest.Available)/float64(tightest.Size)):
			tightest = b
		}
	}
	return tightest
}

// Header is RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) for all buckets, nothing without buckets. The
// window w of a policy is what its bucket takes to fill from empty, and t when it will be full, in seconds rounded up. In the
// answer to a throttled operation t does not lie behind Retry-After, and is just that for the buckets that refused.
func (d *Decision) Header() []HeaderField {
	if len(d.Buckets) == 0 {
		return nil
	}
	limit := make([]byte, 0, 40*len(d.Buckets))
	retry := seconds(d.RetryAfter)
	for i := range d.Buckets {
		b := &d.Buckets[i]
		reset := seconds(b.Full)
		switch {
		case b.RetryAfter > 0:
			reset = retry
		case retry > 0:
			reset = min(reset, retry)
		}
		if i > 0 {
			limit = append(limit, ", "...)
		}
		limit = parameter(limit, b.Name, ";r=", b.Available, ";t=", reset)
	}
	return []HeaderField{{"RateLimit-Policy", d.policy}, {"RateLimit", string(limit)}}
}

// policyOf is RateLimit-Policy for the buckets of some rules.
func policyOf(rules []rule, local bool) string {
	var policy []byte
	for i := range rules {
		r := &rules[i]
		size, meter := r.rate.Size, r.meter
		if local {
			size, meter = r.share.Size, r.shareMeter
		}
		if i > 0 {
			policy = append(policy, ", "...)
		}
		policy = parameter(policy, r.name, ";q=", size, ";w=", seconds(time.Duration(meter.Span)))
		policy = append(append(append(policy, `;qu="`...), r.unit.String()...), '"')
	}
	return string(policy)
}

// parameter appends a structured-field string with two integer parameters.
func parameter(to []byte, name, key1 string, value1 int64, key2 string, value2 int64) []byte {
	to = append(append(append(to, '"'), name...), '"')
	to = strconv.AppendInt(append(to, key1...), min(value1, maxSFInteger), 10)
	return strconv.AppendInt(append(to, key2...), min(value2, maxSFInteger), 10)
}

// maxSFInteger is the largest integer of a structured field (RFC 9651, 3.3.1).
const maxSFInteger = 999_999_999_999_999

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
