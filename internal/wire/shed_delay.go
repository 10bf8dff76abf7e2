package wire

import (
	"runtime/metrics"
	"time"
)

const (
	schedLatencies  = "/sched/latencies:seconds"
	shedQuantile    = .99
	fewestSchedules = 50 // the runtime notes one of eight; of fewer nothing can be told, and there is no overload with so few
)

// SchedulingDelay gives what tells how long goroutines that could run waited for a processor since it was last asked: the 99th
// percentile by the runtime's own count (runtime/metrics, /sched/latencies:seconds), as CockroachDB's admission control takes
// it. Most goroutines are handed over without a wait, so a median says nothing, and a timer's lateness little: the runtime
// runs first what timers wake. It is 0 when hardly anything ran. It is not safe for concurrent use.
func SchedulingDelay() func() time.Duration {
	samples := []metrics.Sample{{Name: schedLatencies}}
	var before []uint64
	return func() time.Duration {
		metrics.Read(samples)
		if samples[0].Value.Kind() != metrics.KindFloat64Histogram { // a runtime that does not count
			return 0
		}
		h := samples[0].Value.Float64Histogram()
		if before == nil {
			before = make([]uint64, len(h.Counts))
		}
		delay := quantileSince(before, h)
		copy(before, h.Counts)
		return delay
	}
}

// quantileSince is the lower end of the bucket in which the quantile lies of what a histogram has beyond earlier counts.
func quantileSince(before []uint64, h *metrics.Float64Histogram) time.Duration {
	var total, above uint64
	for i, n := range h.Counts {
		total += n - before[i]
	}
	if total < fewestSchedules {
		return 0
	}
	rest := uint64(float64(total) * (1 - shedQuantile))
	for i := len(h.Counts) - 1; i > 0; i-- {
		if above += h.Counts[i] - before[i]; above > rest {
			return time.Duration(max(0, h.Buckets[i]) * float64(time.Second)) // the first bucket begins below 0
		}
	}
	return 0
}
