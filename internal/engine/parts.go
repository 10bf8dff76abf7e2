package engine

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Ways are fields of an operation that is answered in parts: those on the way to an object of which a later part tells more. It is not
// safe for concurrent use until it is complete.
type Ways map[string]bool

// Add adds the fields on the way along response keys from the root.
func (w Ways) Add(keys []string) {
	way := ""
	for _, key := range keys {
		way = key + "." + way
		w[way] = true
	}
}

type waysKey struct{}

// WithParts has InParts know the ways of an operation.
func WithParts(ctx context.Context, ways Ways) context.Context {
	return context.WithValue(ctx, waysKey{}, ways)
}

// InParts says whether a later part of the answer may select more of what the field of ctx gives than the operation that runs shows: what a
// resolver gives now is all that those parts will have.
func InParts(ctx context.Context) bool {
	ways, _ := ctx.Value(waysKey{}).(Ways)
	if len(ways) == 0 {
		return false
	}
	var way []byte
	for fc := graphql.GetFieldContext(ctx); fc != nil; fc = fc.Parent {
		if fc.Index == nil && fc.Field.Field != nil {
			way = append(append(way, fc.Field.Alias...), '.')
		}
	}
	return ways[string(way)]
}
