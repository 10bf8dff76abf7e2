package work

import (
	"context"
	"slices"
	"time"
)

// cleanPage is how many records a cleaning takes away at a time: others get their turn in between.
const cleanPage = 200

// remover is a store that is being cleaned.
type remover interface {
	List(ctx context.Context, filter Filter, after string, limit int) ([]Record, error)
	// remove deletes those of up to cleanPage records that still are as wanted when they go, and returns how many.
	remove(ctx context.Context, ids []string, still func(Record) bool) (int, error)
}

// endedBefore picks what a cleaning removes for its age.
func endedBefore(before time.Time) func(Record) bool {
	return func(r Record) bool { return r.State.Ended() && r.EndedAt.Before(before) }
}

// removeSurplus removes all ended records of an owner and kind but the last keep to end, the first to end first.
func removeSurplus(ctx context.Context, s remover, owner string, kind Kind, keep int) (removed int, err error) {
	type end struct {
		id string
		at time.Time
	}
	var ended []end
	for after, more := "", true; more; {
		page, err := s.List(ctx, Filter{OwnerID: owner, Kind: kind, States: ends()}, after, cleanPage)
		if err != nil {
			return 0, err
		}
		for _, r := range page {
			ended = append(ended, end{r.ID, r.EndedAt})
			after = r.ID
		}
		more = len(page) == cleanPage
	}
	if len(ended) <= keep {
		return 0, nil
	}
	slices.Reverse(ended) // of those that ended at once the first made goes first
	slices.SortStableFunc(ended, func(a, b end) int { return a.at.Compare(b.at) })
	surplus := ended[:len(ended)-keep]
	last := surplus[len(surplus)-1].at
	for page := range slices.Chunk(surplus, cleanPage) {
		ids := make([]string, len(page))
		for i, each := range page {
			ids[i] = each.id
		}
		n, err := s.remove(ctx, ids, func(r Record) bool { return r.State.Ended() && !r.EndedAt.After(last) })
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, nil
}
