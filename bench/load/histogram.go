// Package load is the load generator: a closed loop on each of a number of keep-alive connections, every answer checked.
package load

import (
	"math"
	"math/bits"
	"time"
)

// subBits sets a histogram's precision: each power of two is divided into 2^subBits steps, so that a value is off by less than 1.6 %.
const subBits = 6

// Histogram counts durations in logarithmic buckets that are divided evenly, as HdrHistogram does (http://hdrhistogram.org).
// Its size does not depend on what it counts. The zero value is empty; it is not safe for concurrent use.
type Histogram struct {
	counts [(64 - subBits) << subBits]uint64
	total  uint64
}

// Record counts one duration; negative ones count as zero.
func (h *Histogram) Record(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)))]++
	h.total++
}

// Add counts everything that other has counted.
func (h *Histogram) Add(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Count is how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Quantile is the duration that a share q of all, from 0 to 1, does not exceed (the nearest-rank method); 0 when nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(q*float64(h.total))))
	var seen uint64
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= rank {
			return time.Duration(middle(i))
		}
	}
	return 0
}

// bucket numbers values: those below 2^subBits one by one, then 2^subBits numbers for each power of two. math.MaxInt64 is the largest.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// middle is the value in the middle of a bucket.
func middle(i int) uint64 {
	if i < 2<<subBits {
		return uint64(i)
	}
	shift := i>>subBits - 1
	low := uint64(i-shift<<subBits) << shift
	return low + 1<<shift/2
}
