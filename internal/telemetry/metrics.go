// Package telemetry holds the metrics. Every label has few values: none is made of what a caller sent, but for the names of clients, which
// whoever counts them bounds.
package telemetry

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counters of one gateway, in a registry of their own. All methods are safe for concurrent use.
type Metrics struct {
	limits
	events
	work
	versions
	registry   *prometheus.Registry
	operations *prometheus.HistogramVec
	shared     prometheus.Counter
	attempts   *prometheus.HistogramVec
	retries    *prometheus.CounterVec
	hedges     *prometheus.CounterVec
	breaker    *prometheus.GaugeVec
	opened     *prometheus.CounterVec
	cache      *prometheus.CounterVec
	evicted    *prometheus.CounterVec
	joined     *prometheus.CounterVec
	stale      *prometheus.CounterVec
	unasked    *prometheus.CounterVec
}

// buckets are upper bounds in seconds: services answer in milliseconds, or run into their timeout.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New makes the metrics and registers them with those of the Go runtime and the process.
func New() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tributary_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tributary_" + name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		limits:     newLimits(counter),
		events:     newEvents(counter),
		work:       newWork(),
		versions:   newVersions(counter),
		registry:   prometheus.NewRegistry(),
		operations: histogram("operation_duration_seconds", "Time of operations by type and outcome: ok, partial (data and errors), failed (no data).", "type", "outcome"),
		shared:     prometheus.NewCounter(prometheus.CounterOpts{Name: "tributary_operations_coalesced_total", Help: "Queries that joined an identical one under way."}),
		attempts:   histogram("upstream_duration_seconds", "Time of attempts to call a service, by outcome: ok, rejected, outage, timeout, cancelled.", "service", "method", "endpoint", "outcome"),
		retries:    counter("upstream_retries_total", "Attempts that followed a failed one.", "service"),
		hedges:     counter("upstream_hedges_total", "Slow reads that were sent a second time.", "service"),
		breaker:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tributary_breaker_state", Help: "1 for the state that the service's breaker is in."}, []string{"service", "state"}),
		opened:     counter("breaker_transitions_total", "Changes of a breaker's state, by the new state.", "service", "state"),
		cache:      counter("cache_keys_total", "Keys looked up in the entity cache: hit or miss.", "service", "result"),
		evicted:    counter("cache_evictions_total", "Entries that left the cache for want of room.", "service"),
		joined:     counter("upstream_coalesced_total", "Reads that shared the answer of an identical one.", "service"),
		stale:      counter("stale_keys_total", "Keys answered with an old value because the service failed.", "service"),
		unasked:    counter("upstream_ignored_total", "Parts of answers that were not asked for or not usable.", "service"),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.operations, m.shared, m.attempts, m.retries, m.hedges, m.breaker, m.opened, m.cache, m.evicted, m.joined, m.stale, m.unasked, m.deprecated,
	)
	m.registry.MustRegister(slices.Concat(m.limits.collectors(), m.events.collectors(), m.work.collectors())...)
	return m
}

// Watch shows the breakers of services from the start, closed as they are then.
func (m *Metrics) Watch(services ...string) {
	for _, service := range services {
		for state, is := range map[string]float64{"closed": 1, "half-open": 0, "open": 0} {
			m.breaker.WithLabelValues(service, state).Set(is)
		}
	}
}

// Handler serves the metrics in Prometheus' text formats.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// Operation counts one operation of a type: query, mutation or subscription.
func (m *Metrics) Operation(kind string, data, errors bool, took time.Duration) {
	outcome := "ok"
	switch {
	case errors && data:
		outcome = "partial"
	case errors:
		outcome = "failed"
	}
	m.operations.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// Shared counts a query that joins an identical one.
func (m *Metrics) Shared() { m.shared.Inc() }

// Attempt counts one attempt to call a service.
func (m *Metrics) Attempt(service, method, endpoint, outcome string, took time.Duration) {
	m.attempts.WithLabelValues(service, method, endpoint, outcome).Observe(took.Seconds())
}

// Retry counts an attempt that follows a failed one.
func (m *Metrics) Retry(service string) { m.retries.WithLabelValues(service).Inc() }

// Hedge counts a slow read that was sent a second time.
func (m *Metrics) Hedge(service string) { m.hedges.WithLabelValues(service).Inc() }

// Breaker notes a breaker's change of state.
func (m *Metrics) Breaker(service, from, to string) {
	m.breaker.WithLabelValues(service, from).Set(0)
	m.breaker.WithLabelValues(service, to).Set(1)
	m.opened.WithLabelValues(service, to).Inc()
}

// Hits counts keys found in the cache.
func (m *Metrics) Hits(service string, keys int) {
	m.cache.WithLabelValues(service, "hit").Add(float64(keys))
}

// Misses counts keys that had to be asked for.
func (m *Metrics) Misses(service string, keys int) {
	m.cache.WithLabelValues(service, "miss").Add(float64(keys))
}

// Evicted counts an entry that left the cache for want of room.
func (m *Metrics) Evicted(service string) { m.evicted.WithLabelValues(service).Inc() }

// Joined counts a read that shared the answer of an identical one.
func (m *Metrics) Joined(service string) { m.joined.WithLabelValues(service).Inc() }

// Stale counts keys answered with an old value.
func (m *Metrics) Stale(service string, keys int) {
	m.stale.WithLabelValues(service).Add(float64(keys))
}

// Unasked counts parts of answers that were ignored.
func (m *Metrics) Unasked(service string, parts int) {
	m.unasked.WithLabelValues(service).Add(float64(parts))
}
