package demo

import (
	"fmt"
	"slices"
	"testing"
)

// graph reads all edges of the users as follower:followee, and checks both sides, totals, counts and pairs.
func (l *lab) graph(users ...string) (edges []string) {
	l.Helper()
	query := "?userIds=" + in(users...)
	to, from := as[groups[follow]](l.get("follower", "/followers"+query)).Groups, as[groups[follow]](l.get("follower", "/following"+query)).Groups
	counts := as[struct {
		Counts map[string]struct{ Followers, Following int }
	}](l.get("follower", "/counts"+query)).Counts
	var other []string
	for _, u := range users {
		for _, f := range to[u].Items {
			edges = append(edges, f.id())
		}
		for _, f := range from[u].Items {
			other = append(other, f.id())
		}
		equal(l, "totals of "+u, fmt.Sprint(to[u].Total, from[u].Total, len(to[u].Items), len(from[u].Items)),
			fmt.Sprint(counts[u].Followers, counts[u].Following, counts[u].Followers, counts[u].Following))
	}
	slices.Sort(edges)
	slices.Sort(other)
	equal(l, "sides", edges, other)
	equal(l, "pairs", len(as[page[follow]](l.get("follower", "/edges?pairs="+in(edges...))).Items), len(edges))
	return edges
}

func TestFollow(t *testing.T) {
	l := start(t)
	r := l.do("PUT", "follower", "/edges/a/b", "", "X-Actor", "a").want(201)
	f := as[follow](r)
	equal(t, "follow", fmt.Sprint(f.FollowerID, f.FolloweeID, f.Version, r.header.Get("ETag"), r.header.Get("Location")), `ab1"1"/edges/a/b`)
	again := l.do("PUT", "follower", "/edges/a/b", "").want(200)
	equal(t, "again", string(again.raw), string(r.raw))
	l.do("PUT", "follower", "/edges/a/a", "").refused(422, "INVALID", "followeeId INVALID")
	l.putEdge("b", "a")
	equal(t, "graph", l.graph("a", "b"), []string{"a:b", "b:a"})
	l.do("DELETE", "follower", "/edges/a/b", "").want(204)
	l.do("DELETE", "follower", "/edges/a/b", "").refused(404, "NOT_FOUND")
	equal(t, "graph", l.graph("a", "b"), []string{"b:a"})
	equal(t, "the version goes on", l.putEdge("a", "b").Version, 3)
	equal(t, "events", l.events("follower", "follow/a:b"), []string{
		fmt.Sprintf(`follower.added 1 {"followedAt":"%s","followeeId":"b","followerId":"a","version":1}`, f.FollowedAt),
		`follower.removed 2 {"followeeId":"b","followerId":"a"}`,
		fmt.Sprintf(`follower.added 3 {"followedAt":"%s","followeeId":"b","followerId":"a","version":3}`, l.putEdge("a", "b").FollowedAt),
	})
}

func (l *lab) bulkEdges(user, verb, body string, n int64) {
	l.Helper()
	l.post("follower", "/users/"+user+"/"+verb, body).affected(n)
}

func TestFollowerRemove(t *testing.T) {
	l := start(t)
	for _, e := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "c"}, {"c", "b"}} {
		l.putEdge(e[0], e[1])
	}
	since := l.putEdge("a", "b").FollowedAt
	l.bulkEdges("a", "restore", "", 0)
	l.bulkEdges("a", "remove", "", 3)
	l.bulkEdges("a", "remove", "", 0)
	equal(t, "removed", l.graph("a", "b", "c"), []string{"c:b"})
	l.bulkEdges("b", "remove", "", 1)
	l.bulkEdges("a", "restore", "", 1) // those with b wait for b
	equal(t, "a is back", l.graph("a", "b", "c"), []string{"a:c"})
	l.bulkEdges("b", "restore", "", 3)
	l.bulkEdges("b", "restore", "", 0)
	equal(t, "b is back", l.graph("a", "b", "c"), []string{"a:b", "a:c", "b:a", "c:b"})
	equal(t, "since", l.putEdge("a", "b").FollowedAt, since)
	l.bulkEdges("a", "remove", "", 3)
	l.putEdge("a", "b")
	l.do("DELETE", "follower", "/edges/a/b", "").want(204)
	l.bulkEdges("a", "restore", "", 2) // a:b was decided anew since
	equal(t, "graph", l.graph("a", "b", "c"), []string{"a:c", "b:a", "c:b"})
}

func TestFollowerTransfer(t *testing.T) {
	l := start(t)
	for _, e := range [][2]string{{"a", "b"}, {"a", "c"}, {"d", "a"}, {"b", "c"}, {"b", "a"}, {"e", "b"}} {
		l.putEdge(e[0], e[1])
	}
	before, since := l.graph("a", "b", "c", "d", "e"), l.putEdge("d", "a").FollowedAt
	l.bulkEdges("a", "transfer", `{"to":"b"}`, 4)
	l.bulkEdges("a", "transfer", `{"to":"b"}`, 0)
	equal(t, "moved", l.graph("a", "b", "c", "d", "e"), []string{"b:c", "d:b", "e:b"})
	equal(t, "since", l.putEdge("d", "b").FollowedAt, since)
	l.bulkEdges("a", "restore", "", 4)
	l.bulkEdges("a", "restore", "", 0)
	equal(t, "undone", l.graph("a", "b", "c", "d", "e"), before)
	l.bulkEdges("a", "transfer", `{"to":"b"}`, 4)
	l.bulkEdges("d", "remove", "", 1)
	l.bulkEdges("a", "restore", "", 3) // d:a waits for d, and d:b must not come back with it
	l.bulkEdges("d", "restore", "", 1)
	equal(t, "undone in another order", l.graph("a", "b", "c", "d", "e"), before)
	l.post("follower", "/users/a/transfer", `{"to":"a"}`).refused(422, "INVALID", "to INVALID")
}

func TestFollowerPurge(t *testing.T) {
	l := start(t)
	for _, e := range [][2]string{{"a", "b"}, {"b", "a"}, {"b", "c"}, {"aa", "c"}} {
		l.putEdge(e[0], e[1])
	}
	l.bulkEdges("b", "remove", "", 3)
	l.putEdge("c", "a")
	l.bulkEdges("a", "purge", "", 3) // two that b had taken away, and one
	l.bulkEdges("a", "purge", "", 0)
	l.bulkEdges("a", "restore", "", 0)
	l.bulkEdges("b", "restore", "", 1)
	equal(t, "graph", l.graph("a", "aa", "b", "c"), []string{"aa:c", "b:c"})
	equal(t, "events", l.rows("follower", "SELECT type, version FROM outbox WHERE subject = 'follow/c:a'"), []string{"follower.added 1", "follower.removed 2"})
	equal(t, "times", l.rows("follower", "SELECT DISTINCT followed_at, doc FROM edges WHERE live = 0"), []string{"0 "})
}
