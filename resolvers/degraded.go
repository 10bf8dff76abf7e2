package resolvers

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/clients"
	"tributary/internal/engine"
)

// maxDegraded bounds extensions.degraded: a response with more than that is past telling field by field.
const maxDegraded = 100

// report gathers what of a response is stale or missing because a service failed. It is safe for concurrent use.
type report struct {
	mu      sync.Mutex
	entries []degradation
}

// degradation is one entry of extensions.degraded. AgeMs is absent when there was nothing to fall back to, RetryAfterMs when
// nobody knows.
type degradation struct {
	Path         ast.Path `json:"path"`
	Service      string   `json:"service"`
	Reason       string   `json:"reason"`
	Stale        bool     `json:"stale"`
	AgeMs        int64    `json:"ageMs,omitempty"`
	RetryAfterMs int64    `json:"retryAfterMs,omitempty"`
}

func (r *report) stale(ctx context.Context, path ast.Path, o *clients.Outage) {
	r.add(ctx, degradation{
		Path: path, Service: o.Service, Reason: string(o.Reason), Stale: true,
		AgeMs: o.Age.Milliseconds(), RetryAfterMs: o.RetryAfter.Milliseconds(),
	})
}

// missing says whether it is the first of its service and reason: a hundred fields that fail for one cause are one line in the log.
func (r *report) missing(ctx context.Context, path ast.Path, o *clients.Outage) bool {
	return r.add(ctx, degradation{Path: path, Service: o.Service, Reason: string(o.Reason), RetryAfterMs: o.RetryAfter.Milliseconds()})
}

func (r *report) add(ctx context.Context, d degradation) (first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = !slices.ContainsFunc(r.entries, func(e degradation) bool {
		return e.Service == d.Service && e.Reason == d.Reason && e.Stale == d.Stale
	})
	if len(r.entries) == 0 {
		graphql.RegisterExtension(ctx, "degraded", r)
	}
	if len(r.entries) < maxDegraded {
		r.entries = append(r.entries, d)
	}
	return first
}

// MarshalJSON gives the entries as they are when the response is written.
func (r *report) MarshalJSON() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.Marshal(r.entries)
}

// parentPath is the path of the field of ctx under the i-th parent of its batch. In a list of several types the parents
// of one type are a part of the list, so their places there are looked up.
func parentPath(ctx context.Context, i int) ast.Path {
	if path, ok := engine.ParentPath(ctx, i); ok {
		return path
	}
	group := graphql.GetBatchParentGroup(ctx, graphql.GetFieldContext(ctx).Object)
	if group != nil {
		for place, member := range group.IndexMap {
			if member == i {
				i = place
				break
			}
		}
	}
	return graphql.BatchPathWithIndex(ctx, i)
}
