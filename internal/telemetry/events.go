package telemetry

import "github.com/prometheus/client_golang/prometheus"

// events are the metrics of domain events and of those who wait for them.
type events struct {
	received  *prometheus.CounterVec
	batches   *prometheus.CounterVec
	live      *prometheus.GaugeVec
	members   prometheus.Gauge
	executed  prometheus.Counter
	delivered prometheus.Counter
	fanned    prometheus.Counter
	dropped   prometheus.Counter
	failed    prometheus.Counter
	trimmed   prometheus.Counter
	compacted prometheus.Counter
	ended     *prometheus.CounterVec
}

func newEvents(counter func(name, help string, labels ...string) *prometheus.CounterVec) events {
	one := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "tributary_" + name, Help: help})
	}
	return events{
		received:  counter("events_received_total", "Events that services delivered.", "source"),
		batches:   counter("event_batches_total", "Deliveries of services by outcome: kept, heartbeat, or the code of the refusal.", "source", "outcome"),
		live:      prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tributary_events_live", Help: "1 while the events of a source arrive."}, []string{"source"}),
		members:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "tributary_subscriptions", Help: "Subscriptions under way."}),
		executed:  one("subscription_executions_total", "Operations that ran for an event; equal ones run once."),
		delivered: one("subscription_deliveries_total", "Payloads that went to subscribers."),
		fanned:    one("events_fanned_total", "Events that went to groups of subscribers."),
		dropped:   one("event_feeds_dropped_total", "Groups of subscribers that were too slow."),
		failed:    one("event_log_failures_total", "Reads of the event log that failed and were tried again."),
		trimmed:   one("events_trimmed_total", "Events that subscribers can no longer come back to."),
		compacted: one("events_compacted_total", "Events that were replaced by a snapshot, earlier such snapshots included."),
		ended:     counter("subscriptions_ended_total", "Subscriptions that the server ended, by reason.", "reason"),
	}
}

func (e events) collectors() []prometheus.Collector {
	return []prometheus.Collector{e.received, e.batches, e.live, e.members, e.executed, e.delivered, e.fanned, e.dropped, e.failed, e.trimmed, e.compacted, e.ended}
}

// EventsReceived counts one delivery of a service.
func (e events) EventsReceived(source, outcome string, n int) {
	e.batches.WithLabelValues(source, outcome).Inc()
	e.received.WithLabelValues(source).Add(float64(n))
}

// EventsLive notes whether the events of a source arrive.
func (e events) EventsLive(source string, live bool) {
	value := 0.0
	if live {
		value = 1
	}
	e.live.WithLabelValues(source).Set(value)
}

// Subscriptions notes that so many more subscriptions are under way, or fewer.
func (e events) Subscriptions(change int) { e.members.Add(float64(change)) }

// SubscriptionExecuted counts an operation that ran for an event.
func (e events) SubscriptionExecuted() { e.executed.Inc() }

// SubscriptionDelivered counts payloads that went to subscribers.
func (e events) SubscriptionDelivered(n int) { e.delivered.Add(float64(n)) }

// SubscriptionEnded counts a subscription that the server ended.
func (e events) SubscriptionEnded(reason string) { e.ended.WithLabelValues(reason).Inc() }

// EventsFanned counts an event that went to so many groups of subscribers.
func (e events) EventsFanned(groups int) { e.fanned.Add(float64(groups)) }

// EventsDropped counts a group of subscribers that was too slow.
func (e events) EventsDropped() { e.dropped.Inc() }

// EventLogFailed counts a read of the log that is tried again.
func (e events) EventLogFailed() { e.failed.Inc() }

// EventsTrimmed counts events that are read by subject alone from now on.
func (e events) EventsTrimmed(n int) { e.trimmed.Add(float64(n)) }

// EventsCompacted counts events that were replaced by one that tells the state after them.
func (e events) EventsCompacted(n int) { e.compacted.Add(float64(n)) }
