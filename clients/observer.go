package clients

import "time"

// Observer is told what the clients do, for metrics. Any function may be nil. They are called on the way of requests, some
// of them under locks: they must be safe for concurrent use, return at once and call nothing of this package.
type Observer struct {
	// Attempt reports one upstream attempt. Outcome is one of ok, rejected (4xx), outage, timeout and cancelled.
	Attempt func(service, method, endpoint, outcome string, took time.Duration)
	Retry   func(service string)            // an attempt follows a failed one
	Hedge   func(service string)            // a slow read was sent a second time
	Breaker func(service, from, to string)  // closed, open, half-open
	Hits    func(service string, keys int)  // fresh values found in the cache
	Misses  func(service string, keys int)  // values that had to be asked for
	Evicted func(service string)            // an entry left the cache for want of room
	Joined  func(service string)            // a read shared the answer of an identical one
	Stale   func(service string, keys int)  // old values stood in for answers that failed
	Unasked func(service string, n int)     // parts of answers that were not asked for or unusable, and were ignored
	Live    func(service string, live bool) // a service's events have begun to arrive, or ceased to
}

// observer calls an Observer's functions where there are any.
type observer struct{ to Observer }

func (o *observer) attempt(service, method, endpoint, outcome string, took time.Duration) {
	if o.to.Attempt != nil {
		o.to.Attempt(service, method, endpoint, outcome, took)
	}
}

func (o *observer) breaker(service, from, to string) {
	if o.to.Breaker != nil {
		o.to.Breaker(service, from, to)
	}
}

func (o *observer) live(service string, live bool) {
	if o.to.Live != nil {
		o.to.Live(service, live)
	}
}

func (o *observer) retry(service string)            { tell(o.to.Retry, service) }
func (o *observer) hedge(service string)            { tell(o.to.Hedge, service) }
func (o *observer) evicted(service string)          { tell(o.to.Evicted, service) }
func (o *observer) joined(service string)           { tell(o.to.Joined, service) }
func (o *observer) hits(service string, keys int)   { count(o.to.Hits, service, keys) }
func (o *observer) misses(service string, keys int) { count(o.to.Misses, service, keys) }
func (o *observer) stale(service string, keys int)  { count(o.to.Stale, service, keys) }
func (o *observer) unasked(service string, n int)   { count(o.to.Unasked, service, n) }

func tell(to func(string), service string) {
	if to != nil {
		to(service)
	}
}

func count(to func(string, int), service string, n int) {
	if to != nil && n > 0 {
		to(service, n)
	}
}
