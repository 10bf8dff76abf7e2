package resolvers

import (
	"context"
	"fmt"
	"math"
	"time"

	"tributary/graph"
	"tributary/internal/relay"
	"tributary/internal/usage"
)

// Versions is what there is to know of the versions of the schema.
type Versions struct {
	Supports func(version int) error                        // whether something may be pinned to one: nil, or why not
	Of       func(context.Context) int                      // the version of the operation that a field of the root is resolved for
	Ends     func(version int, coordinate string) time.Time // when an element of one ends; zero: not known
}

// maxUses bounds a list of uses of deprecated elements.
const maxUses = 1000

func (r *Resolver) deprecatedUses(ctx context.Context, first *int) ([]*graph.DeprecatedUse, error) {
	if first == nil || *first < 1 || *first > maxUses {
		return nil, fmt.Errorf("%w: first must be from 1 to %d", relay.ErrPaging, maxUses)
	}
	if r.Uses == nil {
		return []*graph.DeprecatedUse{}, nil
	}
	rows, err := r.Uses.Top(ctx, *first)
	if err != nil {
		return nil, err
	}
	uses := make([]*graph.DeprecatedUse, 0, len(rows))
	for _, row := range rows {
		uses = append(uses, r.deprecatedUse(row))
	}
	return uses, nil
}

func (r *Resolver) deprecatedUse(row usage.Row) *graph.DeprecatedUse {
	use := &graph.DeprecatedUse{
		Coordinate: row.Coordinate, Version: row.Version, Client: row.Client, ClientVersion: unlessZero(row.ClientVersion),
		Count: int(min(row.Count, math.MaxInt32)), FirstUsedAt: row.First, LastUsedAt: row.Last,
	}
	if end := r.Versions.Ends(row.Version, row.Coordinate); !end.IsZero() {
		use.Sunset = &end
	}
	return use
}
