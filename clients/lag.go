package clients

import (
	"context"
	"strings"
	"time"
)

// standing is what the cache says of a value that was read.
type standing uint8

const (
	shown standing = iota
	gone           // it does not exist any more
	lags           // the service has not come as far as is known already
)

// lagPause is how long a service is given to catch up with its own events before it is asked again.
const lagPause = 20 * time.Millisecond

// fetch asks the service, and once more for what lags behind what is known already. What it returns is shared by everyone
// who waits for it.
func (b *batch[K, V]) fetch(ctx context.Context, target string, keys []wireKey[K]) replies[V] {
	answers, late := b.ask(ctx, target, keys)
	if len(late) == 0 {
		return answers
	}
	texts, again := make([]string, len(late)), make([]wireKey[K], len(late))
	enough := make([]int, len(late)) // of what is told from here on, this read need not know
	for i, l := range late {
		again[i], texts[i] = l.wireKey, l.text
		if known := b.svc.cache.get(cacheKey{b.space, l.text}); known != nil {
			enough[i] = known.version
		}
	}
	pause := time.NewTimer(b.svc.pause)
	defer pause.Stop()
	var second replies[V]
	var later []laggard[K, V]
	select {
	case <-ctx.Done():
		second = failAll[V](len(again), ctx.Err())
	case <-pause.C:
		second, later = b.ask(ctx, b.target(strings.Join(texts, ",")), again)
	}
	for _, l := range later {
		if l.found {
			second[l.at].Answer, second[l.at].exists = b.outrun(l.value, enough[l.at])
		}
	}
	for i, l := range late {
		answers[l.at] = second[i]
	}
	return answers
}

// laggard is a key whose answer lags: an older value, or none where there should be one.
type laggard[K, V any] struct {
	wireKey[K]
	at    int // among the keys that were asked for
	value V
	found bool
}

// outrun answers for an entity that the service has in an older version than an event told of, twice: with the newest
// version known, as stale unless that is enough. It is false for one that was deleted or may have been.
func (e *entities[K, V]) outrun(v V, enough int) (Answer[V], bool) {
	svc := e.batch.svc
	known := svc.cache.get(cacheKey{e.kind, string(v.key())})
	if known == nil { // evicted
		known = &entry{version: enough, awaited: true, told: svc.now()}
	}
	if cached, ok := known.value.(V); ok && cached.revision() >= v.revision() && svc.cache.isKept(known, svc.now()) {
		v = cached
	}
	switch {
	case known.withheld || known.value == nil && !known.awaited || v.revision() < known.barred:
		return Answer[V]{}, false
	case v.revision() >= min(enough, known.version):
		return Answer[V]{Value: v}, true
	}
	since := known.told
	if !known.awaited {
		since = known.at
	}
	svc.observe.stale(svc.name, 1)
	return Answer[V]{Value: v, Stale: &Outage{Service: svc.name, Reason: Unavailable, Age: svc.now().Sub(since)}}, true
}
