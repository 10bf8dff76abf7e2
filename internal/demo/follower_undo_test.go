package demo

import "testing"

// TestFollowerUndoInAnyOrder undoes transfers that touch each other, the first one first.
func TestFollowerUndoInAnyOrder(t *testing.T) {
	for _, c := range []struct {
		name  string
		edges [][2]string
		steps func(l *lab)
		want  []string
		other bool // than it was before
	}{
		{"two give the same edge to one heir", [][2]string{{"a", "x"}, {"c", "x"}}, func(l *lab) {
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("c", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("a", "restore", "", 1)
			equal(l, "the other's still stands", l.graph("a", "b", "c", "x"), []string{"a:x", "b:x"})
			l.bulkEdges("c", "restore", "", 1)
		}, []string{"a:x", "c:x"}, false},
		{"one of two givers is purged", [][2]string{{"a", "x"}, {"c", "x"}}, func(l *lab) {
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("c", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("a", "purge", "", 1)
			l.bulkEdges("c", "restore", "", 1)
		}, []string{"b:x", "c:x"}, true},
		{"given on", [][2]string{{"a", "x"}}, func(l *lab) {
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("b", "transfer", `{"to":"c"}`, 1)
			l.bulkEdges("a", "restore", "", 0) // what b gave away has to be undone first
			l.bulkEdges("b", "restore", "", 1)
			l.bulkEdges("a", "restore", "", 1)
		}, []string{"a:x"}, false},
		{"the heir wants it anew", [][2]string{{"a", "x"}}, func(l *lab) {
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.do("DELETE", "follower", "/edges/b/x", "").want(204)
			l.putEdge("b", "x")
			l.bulkEdges("a", "restore", "", 1)
		}, []string{"a:x", "b:x"}, true},
		{"the heir does not want it", [][2]string{{"a", "x"}}, func(l *lab) {
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.do("DELETE", "follower", "/edges/b/x", "").want(204)
			l.bulkEdges("a", "restore", "", 1)
		}, []string{"a:x"}, false},
		{"the heir had been removed", [][2]string{{"a", "x"}, {"b", "x"}}, func(l *lab) {
			l.bulkEdges("b", "remove", "", 1)
			l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
			l.bulkEdges("b", "restore", "", 1) // with its own time
			l.bulkEdges("a", "restore", "", 1)
		}, []string{"a:x", "b:x"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := start(t)
			for _, e := range c.edges {
				l.putEdge(e[0], e[1])
			}
			before := l.rows("follower", "SELECT id, followed_at FROM edges WHERE live = 1")
			c.steps(l)
			equal(t, "graph", l.graph("a", "b", "c", "x"), c.want)
			if !c.other {
				equal(t, "times", l.rows("follower", "SELECT id, followed_at FROM edges WHERE live = 1"), before)
			}
			checkTotals(l)
		})
	}
}

// TestSharedEdgesKeepTime: an edge that two transfers share stands since the time of the one that is left.
func TestSharedEdgesKeepTime(t *testing.T) {
	l := start(t)
	first, second := l.putEdge("a", "x").FollowedAt, l.putEdge("c", "x").FollowedAt
	l.bulkEdges("a", "transfer", `{"to":"b"}`, 1)
	l.bulkEdges("c", "transfer", `{"to":"b"}`, 1)
	equal(t, "of the first", l.putEdge("b", "x").FollowedAt, first)
	l.bulkEdges("b", "remove", "", 1)
	l.bulkEdges("a", "restore", "", 1)
	l.bulkEdges("b", "restore", "", 1)
	equal(t, "of the second", l.putEdge("b", "x").FollowedAt, second)
}

// TestEdgeUndoOfOlderFile: what a file of the schema before kept to undo can still be undone.
func TestEdgeUndoOfOlderFile(t *testing.T) {
	dir := t.TempDir()
	l := start(t, func(o *Options) { o.Dir = dir })
	l.putEdge("a", "x")
	l.putEdge("y", "a")
	before := l.rows("follower", "SELECT id, followed_at FROM edges ORDER BY id")
	l.bulkEdges("a", "transfer", `{"to":"b"}`, 2)
	l.bulkEdges("x", "remove", "", 1)
	if _, err := l.demo.find("follower").api.store.write.Exec(`
		CREATE TABLE edge_undo (edge_id TEXT NOT NULL, owner TEXT NOT NULL, step TEXT NOT NULL, at INTEGER NOT NULL,
			heir TEXT NOT NULL DEFAULT '', PRIMARY KEY (edge_id, owner, step)) WITHOUT ROWID;
		INSERT INTO edge_undo SELECT edge_id, owner, step, at, heir FROM edge_steps;
		DROP TABLE edge_steps; DROP TABLE fences; PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	l.stop()
	l = start(t, func(o *Options) { o.Dir = dir })
	equal(t, "nothing is untold anew", l.rows("follower", "SELECT count(*) FROM untold"), []string{"0"})
	l.bulkEdges("x", "restore", "", 1)
	l.bulkEdges("a", "restore", "", 2)
	equal(t, "undone", l.rows("follower", "SELECT id, followed_at FROM edges WHERE live = 1 ORDER BY id"), before)
}
