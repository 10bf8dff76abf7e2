package demo

import "encoding/json"

// followImports are the rules of follows.ndjson.
func followImports() importRules {
	return importRules{
		file: "follows.ndjson", live: "live = 1",
		columns: []string{"follower_id", "followee_id", "followed_at", "version", "doc"},
		id:      func(c *checker) string { return edgeID(c.id("followerId"), c.id("followeeId")) },
		read:    readFollowLine,
	}
}

func readFollowLine(c *checker, stands standing, _ stamp) stagedRow {
	c.only("followerId", "followeeId", "followedAt", "version")
	var before follow
	if stands.doc != "" && json.Unmarshal([]byte(stands.doc), &before) != nil {
		c.fail("followerId", "INVALID", "cannot be read in the store")
	}
	f := before
	f.FollowerID, f.FolloweeID, f.FollowedAt = c.id("followerId"), c.id("followeeId"), c.time("followedAt")
	if f.FollowerID == f.FolloweeID {
		c.fail("followeeId", "INVALID", "is the follower")
	}
	_, version := c.origin(f.FollowedAt)
	changed := f != before
	switch {
	case stands.version == 0:
		f.Version = version
	case changed:
		f.Version++
	}
	return stagedRow{id: f.id(), changed: changed, values: []any{f.FollowerID, f.FolloweeID, int64(f.FollowedAt), f.Version, f.doc()}}
}
