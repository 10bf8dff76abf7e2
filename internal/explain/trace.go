// Package explain shows a person what an operation does upstream: which fields led to which batches and calls.
package explain

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/clients"
)

// Trace gathers the batches of one operation. It is safe for concurrent use.
type Trace struct {
	mu      sync.Mutex
	batches []*Batch
	owners  map[any]*Batch   // by loader and key: the batch that asked for it
	waiting map[any][]string // by loader and key: the fields that want it, until there is a batch
}

// Batch is one piece of reading or writing: what a loader gathered, or what a field did by itself.
type Batch struct {
	Fields map[string]int // how many times each field, by its path without list indexes, wanted one of the keys
	Keys   int            // distinct keys; 0 when a field did it by itself
	Calls  []clients.Call
	start  time.Time
}

type traceKey struct{}

// WithTrace has the operation under ctx traced.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	t.owners, t.waiting = map[any]*Batch{}, map[any][]string{}
	return context.WithValue(ctx, traceKey{}, t)
}

// FromContext gives the trace of the operation, nil when it has none. The methods of a nil Trace do nothing.
func FromContext(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

// Want notes that the field of ctx wants a key; owner tells the keys of one loader from another's.
func (t *Trace) Want(ctx context.Context, owner any) {
	if t == nil {
		return
	}
	field := fieldPath(graphql.GetPath(ctx))
	t.mu.Lock()
	defer t.mu.Unlock()
	if batch, ok := t.owners[owner]; ok {
		batch.Fields[field]++
		return
	}
	t.waiting[owner] = append(t.waiting[owner], field)
}

// Gathered notes that a loader asks for keys together, and gives the context to ask under.
func (t *Trace) Gathered(ctx context.Context, owners []any) context.Context {
	if t == nil {
		return ctx
	}
	batch := &Batch{Fields: map[string]int{}, Keys: len(owners), start: time.Now()}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, owner := range owners {
		t.owners[owner] = batch
		for _, field := range t.waiting[owner] {
			batch.Fields[field]++
		}
		delete(t.waiting, owner)
	}
	t.batches = append(t.batches, batch)
	return clients.WithRecorder(ctx, t.recorder(batch))
}

// AroundField notes what a field calls by itself. It is a gqlgen field middleware.
func (t *Trace) AroundField(ctx context.Context, next graphql.Resolver) (any, error) {
	batch := &Batch{Fields: map[string]int{fieldPath(graphql.GetPath(ctx)): 1}, start: time.Now()}
	record := t.recorder(batch)
	var listed sync.Once
	return next(clients.WithRecorder(ctx, func(call clients.Call) {
		listed.Do(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.batches = append(t.batches, batch)
		})
		record(call)
	}))
}

func (t *Trace) recorder(batch *Batch) func(clients.Call) {
	return func(call clients.Call) {
		t.mu.Lock()
		defer t.mu.Unlock()
		batch.Calls = append(batch.Calls, call)
	}
}

// fieldPath is a response path without list indexes.
func fieldPath(path ast.Path) string {
	var names []string
	for _, element := range path {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ".")
}
