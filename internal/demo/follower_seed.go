package demo

import (
	"context"
	"database/sql"
	"fmt"
)

func seedFollows(ctx context.Context, tx *sql.Tx, people *population) error {
	rows := loader{tx: tx, into: "edges (id, follower_id, followee_id, followed_at, version, doc)"}
	for _, s := range people.follows {
		f := follow{
			FollowerID: fmt.Sprintf("u%d", s.from+1), FolloweeID: fmt.Sprintf("u%d", s.to+1),
			FollowedAt: s.at, Version: 1,
		}
		if err := rows.add(ctx, f.id(), f.FollowerID, f.FolloweeID, int64(s.at), f.Version, f.doc()); err != nil {
			return err
		}
	}
	return rows.flush(ctx)
}
