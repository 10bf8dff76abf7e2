package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Overload shows what bounds the requests to the graph: how many are under way, how many may be, and how long goroutines wait for a
// processor. The functions are called whenever the metrics are read. It may be called once.
func (m *Metrics) Overload(underWay, limit func() int, waited func() time.Duration) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tributary_" + name, Help: help}, value)
	}
	m.registry.MustRegister(
		gauge("requests_under_way", "Requests to the graph that are being answered.", func() float64 { return float64(underWay()) }),
		gauge("requests_limit", "How many there may be at this moment; further ones are refused.", func() float64 { return float64(limit()) }),
		gauge("scheduling_delay_seconds", "How long goroutines waited for a processor in the last 100 ms, 99th percentile.", func() float64 { return waited().Seconds() }),
	)
}
