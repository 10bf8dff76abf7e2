package clients

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// batch reads values by key: from the cache what is fresh there, the rest from the service, in as few parts as its bounds
// allow, sharing what identical reads have under way. Whatever fails, fails for its own keys. V is shared, and must not be
// changed once it is out.
type batch[K comparable, V any] struct {
	svc      *service
	endpoint string
	space    string                     // of the cache: unique over all services, the arguments included
	target   func(joined string) string // path and query for keys joined with commas
	maxKeys  int                        // of one request; 0: as the service's configuration says
	text     func(K) string             // the key in the target; "" if no such key can exist
	tags     func(K) tags
	decode   func(body []byte, asked []K) (found[K, V], error)
	mayMiss  bool // a key without an answer does not exist; else the answer is broken

	// keep stores a value read at the given generation and returns what to show for it, which is newer if something newer
	// stands in the cache.
	keep func(k K, v V, epoch uint64) (V, standing)

	// outrun answers for a value that lags still when it is read again; enough is the version that was known before that.
	// It is false if the value may not be shown.
	outrun func(v V, enough int) (Answer[V], bool)
}

// found is what one answer holds.
type found[K comparable, V any] struct {
	values   map[K]V    // unasked ones too
	unusable []K        // present, but not fit for use
	odd      int        // parts that belong to no key
	stale    replies[V] // in the order of the keys; nil: the service answered
}

// replies are the answers of one request, in the order of its keys.
type replies[V any] []replied[V]

// replied is the answer of one key, if what it names exists.
type replied[V any] struct {
	Answer[V]
	exists bool
}

// wireKey is a key with its text.
type wireKey[K any] struct {
	key  K
	text string
}

// read answers for each key, in a map of the caller's own.
func (b *batch[K, V]) read(ctx context.Context, keys []K) map[K]Answer[V] {
	out := make(map[K]Answer[V], len(keys))
	missing := b.fromCache(ctx, keys, out)
	if len(missing) == 0 {
		return out
	}
	most := b.maxKeys
	if most == 0 {
		most = b.svc.cfg.MaxKeys
	}
	parts := split(missing, most, b.svc.room(len(b.target(""))))
	if len(parts) == 1 {
		collect(out, parts[0], b.part(ctx, parts[0]))
		return out
	}
	answers := make([]replies[V], len(parts))
	turns := make(chan struct{}, b.svc.cfg.Parallel)
	var work sync.WaitGroup
	for i, part := range parts {
		turns <- struct{}{}
		work.Go(func() {
			answers[i] = b.part(ctx, part)
			<-turns
		})
	}
	work.Wait()
	for i, part := range parts {
		collect(out, part, answers[i])
	}
	return out
}

func collect[K comparable, V any](out map[K]Answer[V], part []wireKey[K], answers replies[V]) {
	for i, k := range part {
		if answers[i].exists {
			out[k.key] = answers[i].Answer
		}
	}
}

// fromCache puts the fresh values into out and returns the other keys that can exist, sorted and each once.
func (b *batch[K, V]) fromCache(ctx context.Context, keys []K, out map[K]Answer[V]) []wireKey[K] {
	var missing []wireKey[K]
	hits, cached, now := 0, b.svc.cache, b.svc.now()
	for _, k := range keys {
		text := b.text(k)
		if text == "" {
			continue
		}
		if cached != nil {
			if e := cached.get(cacheKey{b.space, text}); cached.isFresh(e, now) {
				hits++
				if e.value != nil {
					out[k] = Answer[V]{Value: e.value.(V)}
				}
				continue
			}
		}
		if missing == nil {
			missing = make([]wireKey[K], 0, len(keys))
		}
		missing = append(missing, wireKey[K]{k, text})
	}
	slices.SortFunc(missing, func(x, y wireKey[K]) int { return cmp.Compare(x.text, y.text) })
	missing = slices.CompactFunc(missing, func(x, y wireKey[K]) bool { return x.text == y.text })
	if cached != nil {
		b.svc.observe.hits(b.svc.name, hits)
		b.svc.observe.misses(b.svc.name, len(missing))
	}
	if record := recorderOf(ctx); record != nil && hits > 0 {
		record(Call{Service: b.svc.name, Method: http.MethodGet, Endpoint: b.endpoint, Keys: hits, Cached: true, Start: now})
	}
	return missing
}

// split cuts keys into parts of at most so many keys, and so many bytes with a comma for each.
func split[K any](keys []wireKey[K], most, room int) [][]wireKey[K] {
	var parts [][]wireKey[K]
	start, size := 0, 0
	for i, k := range keys {
		if i > start && (i-start == most || size+1+len(k.text) > room) {
			parts = append(parts, keys[start:i])
			start, size = i, 0
		}
		size += 1 + len(k.text)
	}
	return append(parts, keys[start:])
}

// part reads keys that fit into one request, or joins an identical read.
func (b *batch[K, V]) part(ctx context.Context, keys []wireKey[K]) replies[V] {
	start := time.Now()
	texts := make([]string, len(keys))
	flight := flightKey{}
	for i, k := range keys {
		texts[i] = k.text
		flight.generation = max(flight.generation, b.svc.gens.last(b.tags(k.key)))
	}
	flight.target = b.target(strings.Join(texts, ","))
	answers, joined, err := fly(ctx, b.svc, flight, func(ctx context.Context) replies[V] {
		return b.fetch(ctx, flight.target, keys)
	})
	if joined {
		b.svc.observe.joined(b.svc.name)
		if record := recorderOf(ctx); record != nil {
			record(Call{Service: b.svc.name, Method: http.MethodGet, Endpoint: b.endpoint, Target: flight.target, Keys: len(keys),
				Start: start, Duration: time.Since(start), Joined: true, Err: err})
		}
	}
	if err != nil {
		return failAll[V](len(keys), err)
	}
	return answers
}

// ask asks the service once.
func (b *batch[K, V]) ask(ctx context.Context, target string, keys []wireKey[K]) (replies[V], []laggard[K, V]) {
	epoch := b.svc.gens.current()
	asked := make([]K, len(keys))
	for i, k := range keys {
		asked[i] = k.key
	}
	r := &request{method: http.MethodGet, endpoint: b.endpoint, target: target, keys: len(keys)}
	got, err := call(ctx, b.svc, r,
		func(a answer) (found[K, V], error) { return b.decode(a.body, asked) },
		func(e *Error) found[K, V] { return found[K, V]{stale: b.lastKnown(ctx, keys, e)} })
	switch {
	case err != nil:
		return failAll[V](len(keys), err), nil
	case got.stale != nil:
		return got.stale, nil
	}
	return b.accept(ctx, got, keys, epoch)
}

// accept stores what an answer holds and makes it the answers of the keys, but for those that lag.
func (b *batch[K, V]) accept(ctx context.Context, got found[K, V], keys []wireKey[K], epoch uint64) (replies[V], []laggard[K, V]) {
	var late []laggard[K, V]
	answers := make(replies[V], len(keys))
	var broken []int
	unasked := len(got.values)
	for i, k := range keys {
		v, ok := got.values[k.key]
		switch {
		case ok:
			unasked--
			switch v, is := b.keep(k.key, v, epoch); is {
			case shown:
				answers[i] = replied[V]{Answer[V]{Value: v}, true}
			case lags:
				late = append(late, laggard[K, V]{wireKey: k, at: i, value: v, found: true})
			}
		case !b.mayMiss || slices.Contains(got.unusable, k.key):
			broken = append(broken, i)
		default:
			if b.svc.cache.put(cacheKey{b.space, k.text}, &entry{svc: b.svc, epoch: epoch, tags: b.tags(k.key)}, 0).awaited {
				late = append(late, laggard[K, V]{wireKey: k, at: i})
			}
		}
	}
	b.svc.complain(b.endpoint, got.odd+len(got.unusable)+unasked)
	if len(broken) > 0 {
		missing := breach(b.svc.name, "%s answered nothing usable for %d of %d keys", b.endpoint, len(broken), len(keys))
		unusable := make([]wireKey[K], len(broken))
		for n, i := range broken {
			unusable[n] = keys[i]
		}
		for n, a := range b.lastKnown(ctx, unusable, missing) {
			answers[broken[n]] = a
		}
	}
	return answers, late
}

// lastKnown answers an outage: with the last known value where there is one, with the outage where there is none.
func (b *batch[K, V]) lastKnown(ctx context.Context, keys []wireKey[K], because *Error) replies[V] {
	answers := make(replies[V], len(keys))
	stale, now := 0, b.svc.now()
	for i, k := range keys {
		e := b.svc.cache.get(cacheKey{b.space, k.text})
		if !b.svc.cache.isKept(e, now) {
			answers[i] = replied[V]{Answer[V]{Err: because}, true}
			continue
		}
		outage := *because.Outage
		outage.Age = now.Sub(e.at)
		answers[i] = replied[V]{Answer[V]{Value: e.value.(V), Stale: &outage}, true}
		stale++
	}
	b.svc.observe.stale(b.svc.name, stale)
	if record := recorderOf(ctx); record != nil && stale > 0 {
		record(Call{Service: b.svc.name, Method: http.MethodGet, Endpoint: b.endpoint, Keys: stale, Stale: true, Start: now, Err: because})
	}
	return answers
}

// store is the keep of values that have no version and stand for themselves.
func (b *batch[K, V]) store(k K, v V, epoch uint64, bytes int) {
	b.svc.cache.put(cacheKey{b.space, b.text(k)}, &entry{svc: b.svc, value: v, epoch: epoch, tags: b.tags(k)}, bytes)
}

func failAll[V any](n int, err error) replies[V] {
	answers := make(replies[V], n)
	for i := range answers {
		answers[i] = replied[V]{Answer[V]{Err: err}, true}
	}
	return answers
}

func invalidAll[K comparable, V any](svc *service, keys []K, err error) map[K]Answer[V] {
	answers := make(map[K]Answer[V], len(keys))
	for _, k := range keys {
		answers[k] = Answer[V]{Err: invalid(svc.name, err)}
	}
	return answers
}
