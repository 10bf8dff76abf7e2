package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// work are the metrics of durable work and of deliveries.
type work struct {
	steps      *prometheus.HistogramVec
	deliveries *prometheus.HistogramVec
	consumers  *prometheus.GaugeVec
	lag        prometheus.Gauge
	disabled   prometheus.Counter
}

// workBuckets are upper bounds in seconds of what may take long.
var workBuckets = append(append([]float64{}, buckets...), 30, 60)

func newWork() work {
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tributary_" + name, Help: help, Buckets: workBuckets}, labels)
	}
	return work{
		steps:      histogram("work_step_duration_seconds", "Attempts of steps of jobs and sagas, by outcome: ok or failed.", "work", "step", "direction", "outcome"),
		deliveries: histogram("delivery_duration_seconds", "Attempts to deliver events, by kind of consumer (webhook or reaction) and outcome.", "kind", "outcome"),
		consumers:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tributary_consumers", Help: "Webhooks and reactions by state, of all replicas."}, []string{"state"}),
		lag:        prometheus.NewGauge(prometheus.GaugeOpts{Name: "tributary_delivery_lag_events", Help: "Events between the end of the log and the last of the consumers that this replica serves."}),
		disabled:   prometheus.NewCounter(prometheus.CounterOpts{Name: "tributary_webhooks_disabled_total", Help: "Webhooks that were disabled because they failed."}),
	}
}

func (w work) collectors() []prometheus.Collector {
	return []prometheus.Collector{w.steps, w.deliveries, w.consumers, w.lag, w.disabled}
}

// WorkStep counts one attempt to do or undo a step of a piece of work.
func (w work) WorkStep(name, step string, undo, ok bool, took time.Duration) {
	direction, outcome := "do", "ok"
	if undo {
		direction = "undo"
	}
	if !ok {
		outcome = "failed"
	}
	w.steps.WithLabelValues(name, step, direction, outcome).Observe(took.Seconds())
}

// Delivery counts one attempt to deliver an event.
func (w work) Delivery(kind, outcome string, took time.Duration) {
	w.deliveries.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// Consumers notes how those stand that events are delivered to.
func (w work) Consumers(all, failing, disabled int, lag int64) {
	w.consumers.WithLabelValues("active").Set(float64(all - failing - disabled))
	w.consumers.WithLabelValues("failing").Set(float64(failing))
	w.consumers.WithLabelValues("disabled").Set(float64(disabled))
	w.lag.Set(float64(lag))
}

// ConsumerDisabled counts a webhook that gets nothing any more.
func (w work) ConsumerDisabled() { w.disabled.Inc() }
