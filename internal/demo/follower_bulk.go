package demo

import "context"

// removeAll takes away all edges of a user, on both sides. Edges that another bulk write took away before are claimed
// too: they come back only when both are undone.
func (f *followers) removeAll(ctx context.Context, w *writing) (answer, error) {
	_, err := w.exec(ctx, `INSERT OR IGNORE INTO edge_undo (edge_id, owner, step, at)
		SELECT u.edge_id, ?1, 'remove', max(u.at) FROM edge_undo u JOIN edges e ON e.id = u.edge_id
		WHERE e.live = 0 AND (e.follower_id = ?1 OR e.followee_id = ?1) GROUP BY u.edge_id`, w.ids[0])
	if err != nil {
		return answer{}, err
	}
	return f.each(ctx, w, func(v *follow) error {
		if err := f.remember(ctx, w, v, "remove", ""); err != nil {
			return err
		}
		return f.lower(ctx, w, v)
	})
}

// transferAll gives all edges of a user to another, with the times they stand since. Edges that the other has
// already, and those between the two, are taken away.
func (f *followers) transferAll(ctx context.Context, w *writing) (answer, error) {
	to, err := w.heir()
	if err != nil {
		return answer{}, err
	}
	return f.each(ctx, w, func(v *follow) error {
		follower, followee, heir := v.FollowerID, v.FolloweeID, ""
		if follower == w.ids[0] {
			follower = to
		} else {
			followee = to
		}
		_, taken, err := f.find(ctx, w, edgeID(follower, followee))
		if err != nil {
			return err
		}
		if !taken && follower != followee {
			moved, err := f.raise(ctx, w, follower, followee, v.FollowedAt)
			if err != nil {
				return err
			}
			heir = moved.id()
		}
		if err := f.remember(ctx, w, v, "transfer", heir); err != nil {
			return err
		}
		return f.lower(ctx, w, v)
	})
}

// each runs change on all edges of a user; change has to take them away.
func (f *followers) each(ctx context.Context, w *writing, change func(*follow) error) (answer, error) {
	for n := int64(0); ; {
		found, err := loadAll[follow](ctx, w, `SELECT doc FROM edges WHERE live = 1 AND follower_id = ?1
			UNION ALL SELECT doc FROM edges WHERE live = 1 AND followee_id = ?1 LIMIT ?2`, w.ids[0], bulkStep)
		if err != nil {
			return answer{}, err
		}
		for i := range found {
			if err := change(&found[i]); err != nil {
				return answer{}, err
			}
		}
		if n += int64(len(found)); len(found) < bulkStep {
			return affected(n), nil
		}
	}
}

func (f *followers) remember(ctx context.Context, w *writing, v *follow, step, heir string) error {
	_, err := w.exec(ctx, "INSERT OR REPLACE INTO edge_undo (edge_id, owner, step, at, heir) VALUES (?, ?, ?, ?, ?)",
		v.id(), w.ids[0], step, int64(v.FollowedAt), heir)
	return err
}

// forget drops what was remembered of an edge: from now on it is as somebody wanted it.
func (f *followers) forget(ctx context.Context, w *writing, id string) error {
	_, err := w.exec(ctx, "DELETE FROM edge_undo WHERE edge_id = ?", id)
	return err
}

// edgeUndo is one row of edge_undo.
type edgeUndo struct {
	Edge, Step, Heir string
	At               int64
}

// restoreAll undoes what remove and transfer did to a user's edges. An edge that stands again already is left alone.
func (f *followers) restoreAll(ctx context.Context, w *writing) (answer, error) {
	for n := int64(0); ; {
		rows, err := loadAll[edgeUndo](ctx, w, `SELECT json_object('Edge', edge_id, 'Step', step, 'Heir', heir, 'At', at)
			FROM edge_undo WHERE owner = ? ORDER BY edge_id, step LIMIT ?`, w.ids[0], bulkStep)
		if err != nil {
			return answer{}, err
		}
		for _, row := range rows {
			changed, err := f.undo(ctx, w, row)
			if err != nil {
				return answer{}, err
			}
			if changed {
				n++
			}
		}
		if len(rows) < bulkStep {
			return affected(n), nil
		}
	}
}

// undo takes one step back and says whether that changed an edge.
func (f *followers) undo(ctx context.Context, w *writing, row edgeUndo) (changed bool, err error) {
	if _, err := w.exec(ctx, "DELETE FROM edge_undo WHERE edge_id = ? AND owner = ? AND step = ?", row.Edge, w.ids[0], row.Step); err != nil {
		return false, err
	}
	if row.Heir != "" {
		heir, found, err := f.find(ctx, w, row.Heir)
		if err != nil {
			return false, err
		}
		if found {
			if err := f.lower(ctx, w, &heir); err != nil {
				return false, err
			}
			changed = true
		}
		// A removal that took the heir away since must not bring it back.
		if err := f.forget(ctx, w, row.Heir); err != nil {
			return changed, err
		}
	}
	blocked, err := column[bool](ctx, w, `SELECT EXISTS (SELECT 1 FROM edges WHERE id = ?1 AND live = 1)
		OR EXISTS (SELECT 1 FROM edge_undo WHERE edge_id = ?1)`, row.Edge)
	if err != nil || blocked[0] {
		return changed, err
	}
	follower, followee := ends(row.Edge)
	_, err = f.raise(ctx, w, follower, followee, stamp(row.At))
	return true, err
}

// purgeAll erases all edges of a user and the undo data of those that were taken away before. What stays is that the
// pair was once known, and the number of its next version.
func (f *followers) purgeAll(ctx context.Context, w *writing) (answer, error) {
	const concerned = `owner = ?1 OR substr(edge_id, 1, length(?1) + 1) = ?1 || ':' OR substr(edge_id, -length(?1) - 1) = ':' || ?1`
	known, err := column[int64](ctx, w, "SELECT count(DISTINCT edge_id) FROM edge_undo WHERE "+concerned, w.ids[0])
	if err != nil {
		return answer{}, err
	}
	if _, err := w.exec(ctx, "DELETE FROM edge_undo WHERE "+concerned, w.ids[0]); err != nil {
		return answer{}, err
	}
	n := known[0]
	_, err = f.each(ctx, w, func(v *follow) error {
		n++
		return f.lower(ctx, w, v)
	})
	return affected(n), err
}
