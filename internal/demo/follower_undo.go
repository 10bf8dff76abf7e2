package demo

import (
	"context"
	"math"
)

// edgeStep is one row of edge_steps.
type edgeStep struct {
	Seq              int64
	Edge, Step, Heir string
	At, Version      int64
}

// forget drops what was remembered of an edge: from now on it is as somebody wanted it.
func (f *followers) forget(ctx context.Context, w *writing, id string) error {
	if _, err := w.exec(ctx, "DELETE FROM edge_steps WHERE edge_id = ?", id); err != nil {
		return err
	}
	_, err := w.exec(ctx, "UPDATE edge_steps SET heir = '' WHERE heir = ? AND heir <> ''", id)
	return err
}

// restoreAll undoes what remove and transfer did to a user's edges, the latest step first. An edge that was given away
// again since keeps its undo data: that has to be undone first.
func (f *followers) restoreAll(ctx context.Context, w *writing) (answer, error) {
	var n int64
	for last := int64(math.MaxInt64); ; {
		steps, err := loadAll[edgeStep](ctx, w, `SELECT json_object('Seq', seq, 'Edge', edge_id, 'Step', step, 'Heir', heir, 'At', at, 'Version', version)
			FROM edge_steps WHERE owner = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, w.ids[0], last, bulkStep)
		if err != nil {
			return answer{}, err
		}
		for _, s := range steps {
			changed, err := f.undo(ctx, w, s)
			if err != nil {
				return answer{}, err
			}
			if changed {
				n++
			}
		}
		if len(steps) < bulkStep {
			return affected(n), nil
		}
		last = steps[len(steps)-1].Seq
	}
}

// undo takes one step back and says whether that changed an edge.
func (f *followers) undo(ctx context.Context, w *writing, s edgeStep) (changed bool, err error) {
	if s.Heir != "" {
		given, err := column[bool](ctx, w, `SELECT EXISTS (SELECT 1 FROM edge_steps u JOIN edges e ON e.id = u.edge_id AND e.version = u.version
			WHERE e.id = ? AND e.live = 0 AND u.step = 'transfer')`, s.Heir)
		if err != nil || given[0] {
			return false, err
		}
	}
	if _, err := w.exec(ctx, "DELETE FROM edge_steps WHERE seq = ?", s.Seq); err != nil {
		return false, err
	}
	if s.Heir != "" {
		if changed, err = f.disinherit(ctx, w, s.Heir); err != nil {
			return changed, err
		}
	}
	waits, err := column[bool](ctx, w, "SELECT EXISTS (SELECT 1 FROM edge_steps WHERE edge_id = ? AND version = ?)", s.Edge, s.Version)
	if err != nil || waits[0] {
		return changed, err
	}
	back, err := f.bring(ctx, w, s.Edge, stamp(s.At), s.Seq)
	return changed || back, err
}

// givers are the times of what transfers gave to an edge since it was taken away itself, if it was: what was given before
// went with it, and comes back with it.
func (f *followers) givers(ctx context.Context, w *writing, id string) (times []int64, err error) {
	return column[int64](ctx, w, `SELECT at FROM edge_steps WHERE heir = ?1 AND heir <> '' AND seq > coalesce((
		SELECT max(u.seq) FROM edge_steps u JOIN edges e ON e.id = u.edge_id WHERE e.id = ?1 AND (e.live = 1 OR u.version <> e.version)), 0)
		ORDER BY seq`, id)
}

// disinherit takes away an edge that a transfer put where it is, unless another transfer put it there too: then it stands
// since the time of that one's. It says whether that changed the edge.
func (f *followers) disinherit(ctx context.Context, w *writing, id string) (changed bool, err error) {
	others, err := f.givers(ctx, w, id)
	if err != nil {
		return false, err
	}
	heir, stands, err := f.find(ctx, w, id)
	switch {
	case err != nil:
		return false, err
	case stands && len(others) > 0 && heir.FollowedAt == stamp(others[0]):
		return false, nil
	case stands:
		if err := f.lower(ctx, w, &heir); err != nil || len(others) == 0 {
			return true, err
		}
		_, err = f.raise(ctx, w, heir.FollowerID, heir.FolloweeID, stamp(others[0]))
		return true, err
	case len(others) > 0: // taken away since: it comes back with the time of the other
		_, err = w.exec(ctx, "UPDATE edge_steps SET at = ?2 WHERE edge_id = ?1 AND version = (SELECT version FROM edges WHERE id = ?1)", id, others[0])
		return false, err
	}
	// A removal that took it away since must not bring it back.
	_, err = w.exec(ctx, "DELETE FROM edge_steps WHERE edge_id = ?1 AND version = (SELECT version FROM edges WHERE id = ?1)", id)
	return false, err
}

// bring makes an edge stand again since a time, and says whether that changed it. One that stands because of a transfer
// after the step with that number stands for itself from now on; one that somebody wanted anew has no steps that could lead here.
func (f *followers) bring(ctx context.Context, w *writing, id string, at stamp, after int64) (changed bool, err error) {
	now, stands, err := f.find(ctx, w, id)
	if err != nil {
		return false, err
	}
	if stands {
		if _, err := w.exec(ctx, "UPDATE edge_steps SET heir = '' WHERE heir = ? AND heir <> '' AND seq > ?", id, after); err != nil || now.FollowedAt == at {
			return false, err
		}
		if err := f.lower(ctx, w, &now); err != nil {
			return false, err
		}
	}
	follower, followee := ends(id)
	_, err = f.raise(ctx, w, follower, followee, at)
	return true, err
}
