package clients

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// latency keeps the 95th percentile of the last reads. Safe for concurrent use.
type latency struct {
	mu     sync.Mutex
	recent [256]time.Duration
	count  int
	known  atomic.Int64 // nanoseconds; 0 while there are too few reads
}

// latencyStep is how many reads make the percentile be worked out anew, and how many there must be at first.
const latencyStep = 32

func (l *latency) add(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent[l.count%len(l.recent)] = took
	l.count++
	if l.count%latencyStep != 0 {
		return
	}
	sorted := slices.Sorted(slices.Values(l.recent[:min(l.count, len(l.recent))]))
	l.known.Store(int64(sorted[len(sorted)*95/100]))
}

// p95 is the 95th percentile, or 0 while it is not known.
func (l *latency) p95() time.Duration { return time.Duration(l.known.Load()) }

// HedgeUnless has no read sent a second time while busy says that this process itself has more to do than it can: the second
// would be as late as the first, and make everything later. It has to be called before the first read. busy is called for each
// read of a service that hedges, from many goroutines.
func (c *Clients) HedgeUnless(busy func() bool) {
	for _, s := range c.services {
		s.busy = busy
	}
}
