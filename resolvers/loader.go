package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"

	"tributary/clients"
	"tributary/internal/explain"
)

// loader gathers the keys that the fields of one response ask for into one batch for each level of the query, and asks
// for no key twice. The values are shared by all who ask: nobody may change them.
type loader[K comparable, V any] struct {
	inner *dataloader.Loader[K, found[V]]
	trace *explain.Trace // nil unless somebody wants to know
}

// found is what a key came to. Absent is what does not exist or is not for this viewer.
type found[V any] struct {
	clients.Answer[V]
	absent bool
}

// read asks for many keys at once; a key that does not exist is missing from the map.
type read[K comparable, V any] func(context.Context, []K) map[K]clients.Answer[V]

// loading is how the loaders of one response read.
type loading struct {
	ctx     context.Context // the response's own: that of the field which happens to come first would take the others down with it
	wait    time.Duration   // for further keys
	recover func(context.Context, any) error
}

// newLoader makes a loader. visible, when not nil, hides values from this viewer.
func newLoader[K comparable, V any](how loading, fetch read[K, V], visible func(V) bool) *loader[K, V] {
	l := &loader[K, V]{trace: explain.FromContext(how.ctx)}
	batch := func(_ context.Context, keys []K) []*dataloader.Result[found[V]] {
		answers := guarded(l.traced(how.ctx, keys), how, fetch, keys)
		values := make([]dataloader.Result[found[V]], len(keys))
		results := make([]*dataloader.Result[found[V]], len(keys))
		for i, key := range keys {
			answer, ok := answers[key]
			hidden := ok && answer.Err == nil && visible != nil && !visible(answer.Value)
			values[i].Data = found[V]{Answer: answer, absent: !ok || hidden}
			results[i] = &values[i]
		}
		return results
	}
	l.inner = dataloader.NewBatchedLoader(batch, dataloader.WithWait[K, found[V]](how.wait), dataloader.WithInputCapacity[K, found[V]](32))
	return l
}

// guarded reads, and turns a panic into an error of every key, where dataloader would print it.
func guarded[K comparable, V any](ctx context.Context, how loading, fetch read[K, V], keys []K) (answers map[K]clients.Answer[V]) {
	defer func() {
		if value := recover(); value != nil {
			err := how.recover(ctx, value)
			answers = make(map[K]clients.Answer[V], len(keys))
			for _, key := range keys {
				answers[key] = clients.Answer[V]{Err: err}
			}
		}
	}()
	return fetch(ctx, keys)
}

// ask has the key gathered for the field of ctx; the thunk waits for what it comes to.
func (l *loader[K, V]) ask(ctx context.Context, key K) dataloader.Thunk[found[V]] {
	if l.trace != nil {
		l.trace.Want(ctx, wanted[K, V]{l, key})
	}
	return l.inner.Load(ctx, key)
}

// wanted tells a key of one loader from the same key of another.
type wanted[K comparable, V any] struct {
	of  *loader[K, V]
	key K
}

func (l *loader[K, V]) traced(ctx context.Context, keys []K) context.Context {
	if l.trace == nil {
		return ctx
	}
	owners := make([]any, len(keys))
	for i, key := range keys {
		owners[i] = wanted[K, V]{l, key}
	}
	return l.trace.Gathered(ctx, owners)
}

// one loads the value of one key for the field of ctx; ok is false when there is none.
func one[K comparable, V any](ctx context.Context, l *loader[K, V], key K) (value V, ok bool, err error) {
	f, err := l.ask(ctx, key)()
	if err == nil {
		err = f.Err
	}
	if err != nil || f.absent {
		return value, false, err
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
	thunks := make([]dataloader.Thunk[found[V]], len(parents))
	for i, parent := range parents {
		if k, ok := key(parent); ok {
			thunks[i] = l.ask(ctx, k)
		}
	}
	results := make([]R, len(parents))
	var failed graphql.BatchErrorList
	for i, thunk := range thunks {
		if thunk == nil {
			continue
		}
		f, err := thunk()
		if err == nil {
			err = f.Err
		}
		if err != nil {
			if failed == nil {
				failed = make(graphql.BatchErrorList, len(parents))
			}
			failed[i] = err
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
