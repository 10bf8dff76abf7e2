package demo

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// follow is an edge as the API answers it.
type follow struct {
	FollowerID string `json:"followerId"`
	FolloweeID string `json:"followeeId"`
	FollowedAt stamp  `json:"followedAt"`
	Version    int64  `json:"version"`
}

// id names an edge in the file and in events.
func (f *follow) id() string { return edgeID(f.FollowerID, f.FolloweeID) }

func edgeID(follower, followee string) string { return follower + ":" + followee }

func (f *follow) doc() string {
	b := make([]byte, 0, 192)
	b = appendMember(append(b, '{'), "followerId", f.FollowerID)
	b = appendMember(b, "followeeId", f.FolloweeID)
	b = appendTime(b, "followedAt", f.FollowedAt)
	return string(append(strconv.AppendInt(appendName(b, "version"), f.Version, 10), '}'))
}

// followerTables: an edge that was taken away keeps a row without time, because its version goes on counting should
// it come back. edge_steps remembers who had an edge taken away or moved (owner), since when it had stood (at), the
// version it has while it is away, and the edge that a transfer put in its place (heir). Files of older schemas have
// the same in edge_undo.
const followerTables = `
CREATE TABLE IF NOT EXISTS edges (
	id          TEXT PRIMARY KEY,
	follower_id TEXT NOT NULL,
	followee_id TEXT NOT NULL,
	live        INTEGER NOT NULL DEFAULT 1,
	followed_at INTEGER NOT NULL,
	version     INTEGER NOT NULL,
	doc         TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS edge_steps (
	seq     INTEGER PRIMARY KEY,
	edge_id TEXT NOT NULL,
	owner   TEXT NOT NULL,
	step    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	version INTEGER NOT NULL,
	heir    TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS edge_undo (
	edge_id TEXT NOT NULL,
	owner   TEXT NOT NULL,
	step    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	heir    TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (edge_id, owner, step)
) WITHOUT ROWID;
INSERT INTO edge_steps (edge_id, owner, step, at, version, heir)
	SELECT u.edge_id, u.owner, u.step, u.at, e.version, u.heir FROM edge_undo u JOIN edges e ON e.id = u.edge_id ORDER BY u.step DESC, u.edge_id;
DROP TABLE edge_undo;
CREATE TABLE IF NOT EXISTS edge_totals (
	user_id   TEXT PRIMARY KEY,
	followers INTEGER NOT NULL,
	following INTEGER NOT NULL
) WITHOUT ROWID;
`

const followerIndexes = `
CREATE INDEX IF NOT EXISTS edges_to ON edges (followee_id, followed_at, follower_id) WHERE live = 1;
CREATE INDEX IF NOT EXISTS edges_from ON edges (follower_id, followed_at, followee_id) WHERE live = 1;
CREATE INDEX IF NOT EXISTS edge_steps_by_owner ON edge_steps (owner, seq);
CREATE INDEX IF NOT EXISTS edge_steps_by_edge ON edge_steps (edge_id);
CREATE INDEX IF NOT EXISTS edge_steps_by_heir ON edge_steps (heir) WHERE heir <> '';
`

const followerTotals = `
DELETE FROM edge_totals;
INSERT INTO edge_totals SELECT user_id, sum(followers), sum(following) FROM (
	SELECT followee_id AS user_id, 1 AS followers, 0 AS following FROM edges WHERE live = 1
	UNION ALL SELECT follower_id, 0, 1 FROM edges WHERE live = 1
) GROUP BY user_id;
`

const followerTriggers = `
CREATE TRIGGER IF NOT EXISTS edges_added AFTER INSERT ON edges WHEN NEW.live = 1 BEGIN
	INSERT INTO edge_totals VALUES (NEW.followee_id, 1, 0), (NEW.follower_id, 0, 1)
	ON CONFLICT (user_id) DO UPDATE SET followers = followers + excluded.followers, following = following + excluded.following;
END;
CREATE TRIGGER IF NOT EXISTS edges_changed AFTER UPDATE OF live ON edges WHEN NEW.live <> OLD.live BEGIN
	INSERT INTO edge_totals VALUES (NEW.followee_id, NEW.live - OLD.live, 0), (NEW.follower_id, 0, NEW.live - OLD.live)
	ON CONFLICT (user_id) DO UPDATE SET followers = followers + excluded.followers, following = following + excluded.following;
	DELETE FROM edge_totals WHERE user_id IN (NEW.followee_id, NEW.follower_id) AND followers = 0 AND following = 0;
END;
`

func followerDefinition() *definition {
	return &definition{
		name: "follower", table: "edges",
		tables: followerTables, indexes: followerIndexes, totals: followerTotals, triggers: followerTriggers,
		routes:  func(s *store) []route { return newFollowers(s).routes() },
		seed:    seedFollows,
		imports: followImports(),
		events:  telling{prefix: "follow/", live: "live = 1", changed: "follower.added", moved: "NULL"},
	}
}

// followers answers the follower service's requests.
type followers struct {
	store    *store
	to, from *listing
}

func newFollowers(s *store) *followers {
	l := listing{table: "edges", at: "followed_at", member: "live = 1"}
	f := &followers{store: s}
	l.group, l.id = "followee_id = k.value", "follower_id"
	l.total = "(SELECT followers FROM edge_totals WHERE user_id = k.value)"
	f.to = l.prepare()
	l.group, l.id = "follower_id = k.value", "followee_id"
	l.total = "(SELECT following FROM edge_totals WHERE user_id = k.value)"
	f.from = l.prepare()
	return f
}

func (f *followers) routes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/followers", read: f.readSide(f.to)},
		{method: http.MethodGet, pattern: "/following", read: f.readSide(f.from)},
		{method: http.MethodGet, pattern: "/counts", read: f.count},
		{method: http.MethodGet, pattern: "/edges", read: f.readEdges},
		{method: http.MethodPut, pattern: "/edges/{id}/{id}", write: f.follow},
		{method: http.MethodDelete, pattern: "/edges/{id}/{id}", write: f.unfollow},
		{method: http.MethodPost, pattern: "/users/{id}/remove", write: f.removeAll, bulk: true},
		{method: http.MethodPost, pattern: "/users/{id}/restore", write: f.restoreAll, bulk: true},
		{method: http.MethodPost, pattern: "/users/{id}/transfer", write: f.transferAll, bulk: true, body: jsonBody},
		{method: http.MethodPost, pattern: "/users/{id}/purge", write: f.purgeAll, bulk: true, erases: true},
	}
}

func (f *followers) readSide(l *listing) func(context.Context, params, *stream) error {
	return func(ctx context.Context, q params, out *stream) error {
		return readGroups(ctx, q, out, f.store.read, "userIds", l)
	}
}

func (f *followers) count(ctx context.Context, q params, out *stream) error {
	users, err := q.required("userIds")
	if err != nil {
		return err
	}
	return out.counts(ctx, f.store.read, `
		SELECT k.value, '{"followers":' || coalesce(t.followers, 0) || ',"following":' || coalesce(t.following, 0) || '}'
		FROM json_each(?) k LEFT JOIN edge_totals t ON t.user_id = k.value`, users)
}

func (f *followers) readEdges(ctx context.Context, q params, out *stream) error {
	pairs, given, err := q.list("pairs", validPair)
	if err != nil {
		return err
	}
	if !given {
		return badRequest("pairs is required")
	}
	return out.batch(ctx, f.store.read,
		"SELECT doc FROM edges WHERE id IN (SELECT value FROM json_each(?)) AND live = 1", jsonKeys(pairs))
}

// validPair says whether s is two ids with a colon between.
func validPair(s string) bool {
	follower, followee, found := strings.Cut(s, ":")
	return found && validID(follower) && validID(followee)
}
