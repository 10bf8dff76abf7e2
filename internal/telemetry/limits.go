package telemetry

import "github.com/prometheus/client_golang/prometheus"

// limits are the metrics of what operations cost and who may not have them.
type limits struct {
	points    *prometheus.CounterVec
	rejected  *prometheus.CounterVec
	throttled *prometheus.CounterVec
	local     *prometheus.CounterVec
	dropped   prometheus.Counter
	lost      *prometheus.CounterVec
}

func newLimits(counter func(name, help string, labels ...string) *prometheus.CounterVec) limits {
	return limits{
		points:    counter("operation_points_total", "Points of operations that ran: requested before, actual after.", "kind"),
		rejected:  counter("operations_rejected_total", "Operations that did not run, by the code of the error.", "code"),
		throttled: counter("limit_throttled_total", "Operations that had to wait, by the bucket that was short: user, key, ip, and the same with -requests.", "bucket"),
		local:     counter("limit_local_total", "Operations that this replica admitted or refused alone, since Redis did not answer in time.", "reason"),
		dropped:   prometheus.NewCounter(prometheus.CounterOpts{Name: "tributary_limit_refunds_dropped_total", Help: "Refunds that did not reach their bucket."}),
		lost:      counter("writes_lost_total", "Writes that Redis did not keep in time, so that other replicas may show their caller what was before.", "reason"),
	}
}

func (l limits) collectors() []prometheus.Collector {
	return []prometheus.Collector{l.points, l.rejected, l.throttled, l.local, l.dropped, l.lost}
}

// Points counts what an operation that ran was charged and what it cost.
func (l limits) Points(requested, actual int64) {
	l.points.WithLabelValues("requested").Add(float64(requested))
	l.points.WithLabelValues("actual").Add(float64(actual))
}

// Rejected counts an operation that did not run. Code is one of ours.
func (l limits) Rejected(code string) { l.rejected.WithLabelValues(code).Inc() }

// Throttled counts an operation that had to wait for a bucket.
func (l limits) Throttled(bucket string) { l.throttled.WithLabelValues(bucket).Inc() }

// Local counts a decision that was made without Redis, and why.
func (l limits) Local(reason string) { l.local.WithLabelValues(reason).Inc() }

// RefundsDropped counts refunds that did not reach their bucket.
func (l limits) RefundsDropped(n int) { l.dropped.Add(float64(n)) }

// WritesLost counts a write that other replicas are not told of when its caller asks them: "timeout", "error" or "size".
func (l limits) WritesLost(reason string) { l.lost.WithLabelValues(reason).Inc() }
