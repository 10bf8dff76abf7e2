package resolvers

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"

	"tributary/clients"
	"tributary/internal/engine"
	"tributary/internal/explain"
)

// loader gathers the keys that the fields of one response ask for into one batch for each level of the query, and asks
// for no key twice. The values are shared by all who ask: nobody may change them. The zero value has to be set up.
type loader[K comparable, V any] struct {
	how     *loading
	fetch   read[K, V]
	visible func(V) bool // nil: this viewer sees every value

	clocked sync.Once
	byClock *dataloader.Loader[*wish[K, V], struct{}] // for an executor that does not say when no further keys can come

	mu      sync.Mutex
	known   map[K]*answer[V]
	waiting []*waiting[K, V] // for the engine to say that no further ones can come
}

// wish is the keys that one field wants, as one key of the dataloader: a hundred keys of a list are one thing to it.
type wish[K comparable, V any] struct {
	keys    []K
	answers []*answer[V]
	early   context.Context // ends when nobody wants them any more; nil: somebody always does
}

// answer is what a key came to, once done is closed.
type answer[V any] struct {
	done   <-chan struct{}
	found  found[V]
	effort *effort // nil: nobody gives up its read
}

// found is what a key came to. Absent is what does not exist or is not for this viewer.
type found[V any] struct {
	clients.Answer[V]
	absent bool
}

// read asks for many keys at once; a key that does not exist is missing from the map.
type read[K comparable, V any] func(context.Context, *clients.Clients, []K) map[K]clients.Answer[V]

// loading is how the loaders of one response read.
type loading struct {
	ctx     context.Context // the response's own: that of the field which happens to come first would take the others down with it
	wait    time.Duration   // for further keys
	recover func(context.Context, any) error
	clients *clients.Clients
	trace   *explain.Trace // nil unless somebody wants to know
}

// setUp says how a loader reads. It makes nothing yet: of the loaders of a response few are used.
func (l *loader[K, V]) setUp(how *loading, fetch read[K, V], visible func(V) bool) {
	l.how, l.fetch, l.visible = how, fetch, visible
}

// load gathers a wish by the clock.
func (l *loader[K, V]) load(ctx context.Context, w *wish[K, V]) dataloader.Thunk[struct{}] {
	l.clocked.Do(func() {
		l.byClock = l.gatherer(dataloader.WithWait[*wish[K, V], struct{}](l.how.wait), dataloader.WithInputCapacity[*wish[K, V], struct{}](32))
	})
	return l.byClock.Load(ctx, w)
}

// read reads the values of keys into their answers.
func (l *loader[K, V]) read(ctx context.Context, keys []K, answers []answer[V]) {
	got := l.guarded(l.traced(ctx, keys), keys)
	for i, key := range keys {
		value, ok := got[key]
		hidden := ok && value.Err == nil && l.visible != nil && !l.visible(value.Value)
		answers[i].found = found[V]{Answer: value, absent: !ok || hidden}
	}
}

// gatherer makes the dataloader of a batch. The loader itself knows what it has asked for, so that it needs no cache.
func (l *loader[K, V]) gatherer(options ...dataloader.Option[*wish[K, V], struct{}]) *dataloader.Loader[*wish[K, V], struct{}] {
	batch := func(_ context.Context, wishes []*wish[K, V]) []*dataloader.Result[struct{}] {
		clients.GrowStack()
		l.grant(wishes)
		results := make([]*dataloader.Result[struct{}], len(wishes))
		for i := range results {
			results[i] = new(dataloader.Result[struct{}])
		}
		return results
	}
	return dataloader.NewBatchedLoader(batch, append(options, dataloader.WithCache[*wish[K, V], struct{}](&dataloader.NoCache[*wish[K, V], struct{}]{}))...)
}

// grant reads the keys of all wishes that nobody has asked for before, and gives each wish its answers. Those that another batch is
// reading are done when that is.
func (l *loader[K, V]) grant(wishes []*wish[K, V]) {
	total := 0
	for _, w := range wishes {
		total += len(w.keys)
	}
	done := make(chan struct{})
	defer close(done)
	keys, fresh := make([]K, 0, total), make([]answer[V], 0, total)
	ctx, shared := l.effort(wishes)
	l.mu.Lock()
	if l.known == nil {
		l.known = make(map[K]*answer[V], total)
	}
	for _, w := range wishes {
		w.answers = make([]*answer[V], len(w.keys))
		for i, key := range w.keys {
			a, ok := l.known[key]
			if !ok || !a.effort.join(w.early) {
				keys, fresh = append(keys, key), append(fresh, answer[V]{done: done, effort: shared})
				a = &fresh[len(fresh)-1]
				l.known[key] = a
			}
			w.answers[i] = a
		}
	}
	l.mu.Unlock()
	if len(keys) > 0 {
		l.read(ctx, keys, fresh)
	}
	shared.end()
}

// guarded reads, and turns a panic into an error of every key, where dataloader would print it.
func (l *loader[K, V]) guarded(ctx context.Context, keys []K) (answers map[K]clients.Answer[V]) {
	defer func() {
		if value := recover(); value != nil {
			err := l.how.recover(ctx, value)
			answers = make(map[K]clients.Answer[V], len(keys))
			for _, key := range keys {
				answers[key] = clients.Answer[V]{Err: err}
			}
		}
	}()
	return l.fetch(ctx, l.how.clients, keys)
}

// all has the keys gathered for the field of ctx; the thunk waits for what they come to, in the order of the keys.
func (l *loader[K, V]) all(ctx context.Context, keys []K) func() []*answer[V] {
	if l.how.trace != nil {
		for _, key := range keys {
			l.how.trace.Want(ctx, wanted[K, V]{l, key})
		}
	}
	w := &wish[K, V]{keys: keys, early: earlyOf(ctx)}
	gate := engine.GateFrom(ctx)
	if gate == nil {
		granted := l.load(ctx, w)
		return func() []*answer[V] { return w.wait(func() { _, _ = granted() }) }
	}
	granted := l.join(gate, w)
	return func() (answers []*answer[V]) {
		gate.Outside(func() { answers = w.wait(granted) })
		return answers
	}
}

// wait waits until the wish is granted and everything of it is there.
func (w *wish[K, V]) wait(granted func()) []*answer[V] {
	granted()
	for _, a := range w.answers {
		<-a.done
	}
	return w.answers
}

// waiting is a wish that has not been given to the dataloader yet.
type waiting[K comparable, V any] struct {
	*wish[K, V]
	begun   chan struct{} // closed once granted is set
	granted dataloader.Thunk[struct{}]
}

// join adds a wish to those that become one batch when the engine says that no further ones can come.
func (l *loader[K, V]) join(gate *engine.Gate, w *wish[K, V]) (granted func()) {
	waits := &waiting[K, V]{wish: w, begun: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, waits)
	first := len(l.waiting) == 1
	l.mu.Unlock()
	if first {
		gate.Later(l.begin)
	}
	return func() {
		<-waits.begun
		_, _ = waits.granted()
	}
}

// begin has the dataloader make one batch of all wishes: it starts as soon as it has been given the last.
func (l *loader[K, V]) begin() {
	l.mu.Lock()
	wishes := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	n := len(wishes)
	gather := l.gatherer(dataloader.WithBatchCapacity[*wish[K, V], struct{}](n), dataloader.WithInputCapacity[*wish[K, V], struct{}](n),
		dataloader.WithWait[*wish[K, V], struct{}](time.Minute)) // never waited for: the n-th wish starts the batch
	for _, w := range wishes {
		w.granted = gather.Load(context.Background(), w.wish)
		close(w.begun)
	}
}

// ask has one key gathered for the field of ctx; the thunk waits for what it comes to.
func (l *loader[K, V]) ask(ctx context.Context, key K) dataloader.Thunk[found[V]] {
	thunk := l.all(ctx, []K{key})
	return func() (found[V], error) { return thunk()[0].found, nil }
}

// wanted tells a key of one loader from the same key of another.
type wanted[K comparable, V any] struct {
	of  *loader[K, V]
	key K
}

func (l *loader[K, V]) traced(ctx context.Context, keys []K) context.Context {
	if l.how.trace == nil {
		return ctx
	}
	owners := make([]any, len(keys))
	for i, key := range keys {
		owners[i] = wanted[K, V]{l, key}
	}
	return l.how.trace.Gathered(ctx, owners)
}

// one loads the value of one key for the field of ctx; ok is false when there is none.
func one[K comparable, V any](ctx context.Context, l *loader[K, V], key K) (value V, ok bool, err error) {
	f, _ := l.ask(ctx, key)()
	if f.Err != nil || f.absent {
		return value, false, f.Err
	}
	if f.Stale != nil {
		load(ctx).report.stale(ctx, graphql.GetPath(ctx), f.Stale)
	}
	return f.Value, true, nil
}

// each loads for every parent the value of its key and converts it. A parent without a key, and a key without a value,
// leave the zero R; a key that fails leaves an error in the parent's place and harms no other.
func each[P, V, R any, K comparable](ctx context.Context, l *loader[K, V], parents []P, key func(P) (K, bool), convert func(V) R) ([]R, error) {
	return eachOr(ctx, l, parents, key, func(v V, ok bool) (r R) {
		if ok {
			r = convert(v)
		}
		return r
	})
}

// eachOr is each for what is worth saying also of a key without a value: convert is then told so.
func eachOr[P, V, R any, K comparable](ctx context.Context, l *loader[K, V], parents []P, key func(P) (K, bool), convert func(V, bool) R) ([]R, error) {
	keys, places := make([]K, 0, len(parents)), make([]int, 0, len(parents))
	var nobody P // gqlgen's executor passes the nulls of a list on as parents
	for i, parent := range parents {
		if any(parent) == any(nobody) {
			continue
		}
		if k, ok := key(parent); ok {
			keys, places = append(keys, k), append(places, i)
		}
	}
	results := make([]R, len(parents))
	if len(keys) == 0 {
		return results, nil
	}
	var failed graphql.BatchErrorList
	for n, a := range l.all(ctx, keys)() {
		i, f := places[n], &a.found
		if f.Err != nil {
			if failed == nil {
				failed = make(graphql.BatchErrorList, len(parents))
			}
			failed[i] = f.Err
			continue
		}
		if f.Stale != nil {
			load(ctx).report.stale(ctx, parentPath(ctx, i), f.Stale)
		}
		results[i] = convert(f.Value, !f.absent)
	}
	if failed != nil {
		return results, failed
	}
	return results, nil
}

// same is the conversion of what is wanted as it was loaded.
func same[V any](v V) V { return v }
