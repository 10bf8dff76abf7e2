package demo

import "context"

// removeAll takes away all edges of a user, on both sides. Edges that another bulk write took away before are claimed
// too: they come back only when both are undone.
func (f *followers) removeAll(ctx context.Context, w *writing) (answer, error) {
	_, err := w.exec(ctx, `INSERT INTO edge_steps (edge_id, owner, step, at, version)
		SELECT u.edge_id, ?1, 'remove', max(u.at), e.version FROM edge_steps u JOIN edges e ON e.id = u.edge_id AND e.version = u.version
		WHERE e.live = 0 AND (e.follower_id = ?1 OR e.followee_id = ?1)
		GROUP BY u.edge_id HAVING max(u.owner = ?1 AND u.step = 'remove') = 0`, w.ids[0])
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
		switch {
		case taken:
			if heir, err = f.shared(ctx, w, edgeID(follower, followee)); err != nil {
				return err
			}
		case follower != followee:
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

// shared is an edge that stands if it does so only because another transfer put it there: then it is to stay until both
// are undone. Otherwise it is empty.
func (f *followers) shared(ctx context.Context, w *writing, id string) (string, error) {
	others, err := f.givers(ctx, w, id)
	if err != nil || len(others) == 0 {
		return "", err
	}
	return id, nil
}

// remember notes an edge that is about to be taken away.
func (f *followers) remember(ctx context.Context, w *writing, v *follow, step, heir string) error {
	_, err := w.exec(ctx, "INSERT INTO edge_steps (edge_id, owner, step, at, version, heir) VALUES (?, ?, ?, ?, ?, ?)",
		v.id(), w.ids[0], step, int64(v.FollowedAt), v.Version+1, heir)
	return err
}

// purgeAll erases all edges of a user and the undo data of those that were taken away before. What stays is that the
// pair was once known, and the number of its next version.
func (f *followers) purgeAll(ctx context.Context, w *writing) (answer, error) {
	const concerned = `owner = ?1 OR substr(edge_id, 1, length(?1) + 1) = ?1 || ':' OR substr(edge_id, -length(?1) - 1) = ':' || ?1`
	known, err := column[int64](ctx, w, "SELECT count(DISTINCT edge_id) FROM edge_steps WHERE "+concerned, w.ids[0])
	if err != nil {
		return answer{}, err
	}
	// What a transfer of this user put somewhere stays there for good, even if another one that shares it is undone.
	_, err = w.exec(ctx, "UPDATE edge_steps SET heir = '' WHERE heir IN (SELECT heir FROM edge_steps WHERE owner = ?1 AND heir <> '')", w.ids[0])
	if err != nil {
		return answer{}, err
	}
	if _, err := w.exec(ctx, "DELETE FROM edge_steps WHERE "+concerned, w.ids[0]); err != nil {
		return answer{}, err
	}
	n := known[0]
	_, err = f.each(ctx, w, func(v *follow) error {
		n++
		return f.lower(ctx, w, v)
	})
	return affected(n), err
}
