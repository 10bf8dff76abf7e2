package demo

import (
	"context"
	"net/http"
	"strings"
)

// follow makes an edge stand, new or again.
func (f *followers) follow(ctx context.Context, w *writing) (answer, error) {
	follower, followee := w.ids[0], w.ids[1]
	if follower == followee {
		return answer{}, invalid(fieldError{field: "followeeId", code: "INVALID", message: "nobody can follow oneself"})
	}
	w.subject = "follow/" + edgeID(follower, followee)
	stands, found, err := f.find(ctx, w, edgeID(follower, followee))
	if err != nil {
		return answer{}, err
	}
	if found {
		return entityAnswer(http.StatusOK, stands.doc(), stands.Version), nil
	}
	if err := f.forget(ctx, w, edgeID(follower, followee)); err != nil {
		return answer{}, err
	}
	v, err := f.raise(ctx, w, follower, followee, w.now)
	if err != nil {
		return answer{}, err
	}
	return created(v.doc(), v.Version, "/edges/"+follower+"/"+followee), nil
}

func (f *followers) unfollow(ctx context.Context, w *writing) (answer, error) {
	w.subject = "follow/" + edgeID(w.ids[0], w.ids[1])
	v, found, err := f.find(ctx, w, edgeID(w.ids[0], w.ids[1]))
	if err != nil || !found {
		return answer{}, orNotFound(err)
	}
	if err := f.forget(ctx, w, v.id()); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, f.lower(ctx, w, &v)
}

// find loads an edge that stands.
func (f *followers) find(ctx context.Context, w *writing, id string) (follow, bool, error) {
	return load[follow](ctx, w, "SELECT doc FROM edges WHERE id = ? AND live = 1", id)
}

// raise makes an edge stand that does not, with its event.
func (f *followers) raise(ctx context.Context, w *writing, follower, followee string, at stamp) (*follow, error) {
	v := &follow{FollowerID: follower, FolloweeID: followee, FollowedAt: at, Version: 1}
	versions, err := column[int64](ctx, w, "SELECT version FROM edges WHERE id = ?", v.id())
	if err != nil {
		return nil, err
	}
	if len(versions) > 0 {
		v.Version = versions[0] + 1
	}
	_, err = w.exec(ctx, `INSERT INTO edges (id, follower_id, followee_id, live, followed_at, version, doc) VALUES (?, ?, ?, 1, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET live = 1, followed_at = excluded.followed_at, version = excluded.version, doc = excluded.doc`,
		v.id(), follower, followee, int64(at), v.Version, v.doc())
	if err != nil {
		return nil, err
	}
	data, err := names{}.full(v.doc())
	if err != nil {
		return nil, err
	}
	gone := names{"followerId": &v.FollowerID, "followeeId": &v.FolloweeID}.json()
	return v, w.emit(ctx, event{kind: "follower.added", subject: "follow/" + v.id(), version: v.Version, data: data, before: gone})
}

// lower takes away an edge that stands, with its event.
func (f *followers) lower(ctx context.Context, w *writing, v *follow) error {
	_, err := w.exec(ctx, "UPDATE edges SET live = 0, followed_at = 0, version = version + 1, doc = '' WHERE id = ?", v.id())
	if err != nil {
		return err
	}
	refs := names{"followerId": &v.FollowerID, "followeeId": &v.FolloweeID}
	return w.emit(ctx, event{kind: "follower.removed", subject: "follow/" + v.id(), version: v.Version + 1, data: refs.json(), before: v.doc()})
}

// ends splits the id of an edge.
func ends(id string) (follower, followee string) {
	follower, followee, _ = strings.Cut(id, ":")
	return follower, followee
}
