package operation

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// recording keeps what resolvers gave to one part of an answer, for the parts inside of it: on the way to their objects they find what was
// found before, so that nothing is read twice, all parts speak of the same objects, and no mutation is carried out again. A nil recording
// keeps nothing. It is safe for concurrent use; what is above is complete.
type recording struct {
	above *recording
	mu    sync.Mutex
	given map[string]resolved // by place
}

// resolved is what a resolver gave.
type resolved struct {
	value any
	err   error
}

type recordingKey struct{}

// withRecording has the resolvers of a run recorded, and those of the parts above replayed.
func withRecording(ctx context.Context, r *recording) context.Context {
	return context.WithValue(ctx, recordingKey{}, r)
}

func recordingFrom(ctx context.Context) *recording {
	r, _ := ctx.Value(recordingKey{}).(*recording)
	return r
}

// errNotReplayed stands for a write that a part would do again.
var errNotReplayed = errors.New("a later part of the answer would carry out the mutation again")

// around puts the recording around what stands around a field, which may be nil; then, without a recording, nothing does.
func (r *recording) around(inner graphql.FieldMiddleware) graphql.FieldMiddleware {
	if r == nil {
		return inner
	}
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		fc := graphql.GetFieldContext(ctx)
		if !fc.IsResolver { // it stands in its object
			if inner == nil {
				return next(ctx)
			}
			return inner(ctx, next)
		}
		place := placeOf(fc)
		if known, ok := r.replayed(place); ok {
			return known.value, known.err
		}
		if fc.Object == "Mutation" && r.above != nil {
			return nil, errNotReplayed
		}
		var got resolved
		if inner == nil {
			got.value, got.err = next(ctx)
		} else {
			got.value, got.err = inner(ctx, next)
		}
		r.keep(place, got)
		return got.value, got.err
	}
}

// replayed is what a part above was given at a place. A list of values for many parents is the caller's own.
func (r *recording) replayed(place string) (resolved, bool) {
	for above := r.above; above != nil; above = above.above {
		if known, ok := above.given[place]; ok {
			known.value = ownValues(known.value)
			return known, true
		}
	}
	return resolved{}, false
}

func (r *recording) keep(place string, got resolved) {
	got.value = ownValues(got.value)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.given == nil {
		r.given = map[string]resolved{}
	}
	r.given[place] = got
}

// ownValues copies what the engine writes into.
func ownValues(value any) any {
	if values, ok := value.([]any); ok {
		return slices.Clone(values)
	}
	return value
}

// placeOf writes the way from a field to the root, with the types that it goes through: objects of different types under one response key
// are different places. Where a resolver takes many parents there are no indexes in it.
func placeOf(fc *graphql.FieldContext) string {
	var place []byte
	for ; fc != nil; fc = fc.Parent {
		if fc.Index != nil {
			place = strconv.AppendInt(append(place, '['), int64(*fc.Index), 10)
			continue
		}
		place = append(append(place, '/'), fc.Object...)
		if fc.Field.Field != nil {
			place = append(append(place, '.'), fc.Field.Alias...)
		}
	}
	return string(place)
}
