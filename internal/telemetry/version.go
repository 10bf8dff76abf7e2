package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// versions are the metrics of what is to be taken away.
type versions struct{ deprecated *prometheus.CounterVec }

func newVersions(counter func(name, help string, labels ...string) *prometheus.CounterVec) versions {
	return versions{counter("deprecated_uses_total", "Operations that used a deprecated element, by client: see deprecatedUses in the graph.", "coordinate", "version", "client")}
}

// Deprecated counts an operation that used a deprecated element of a version of the schema. Of clients there are a bounded number.
func (v versions) Deprecated(coordinate string, version int, client string) {
	v.deprecated.WithLabelValues(coordinate, strconv.Itoa(version), client).Inc()
}
