package doctor

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

func followers() endpoint {
	return endpoint{
		name: "followers", path: "/followers", keys: "userIds", schema: "FollowGroups", at: "followedAt", by: "followerId",
		rules: []rule{belongs("followeeId")},
	}
}

func following() endpoint {
	return endpoint{
		name: "following", path: "/following", keys: "userIds", schema: "FollowGroups", at: "followedAt", by: "followeeId",
		rules: []rule{belongs("followerId")},
	}
}

func edgeTally() endpoint {
	return endpoint{name: "counts", path: "/counts", keys: "userIds", schema: "EdgeCounts"}
}

func edges() endpoint {
	return endpoint{name: "edges", path: "/edges", keys: "pairs", schema: "FollowBatch", at: "followedAt", by: "followerId", label: pair}
}

// pair names an edge as the contract does, follower first.
func pair(it item) string { return it.text("followerId") + ":" + it.text("followeeId") }

// followerReads runs the checks that only read.
func (s *inspection) followerReads(ctx context.Context) {
	in, out, counts, batch := followers(), following(), edgeTally(), edges()
	s.declareWindows(in)
	s.declareWindows(out)
	s.declareCounts(counts)
	s.declareReads(batch, ruleOnlyAsked)
	s.problems(ctx, "/users/"+unknownID(0)+"/remove")
	users := append(s.edgeFixtures(ctx), s.samples.users...)

	none := "no follow edges are known; they are found by way of the user service, or made by writes"
	followed := s.choose(ctx, in, users, none)
	followersOf := s.gatherGroups(ctx, in, keysOf(followed), nil)
	follows := s.choose(ctx, out, append(users, texts(followersOf, "followerId")...), none)
	s.windows(ctx, followed)
	s.windows(ctx, follows)
	s.counting(ctx, counts, followed.main)
	for _, k := range []keyed{followed, follows} {
		s.agrees(ctx, "counts.agree-on-"+k.ep.name, tally{
			ep: counts, of: k, count: k.ep.name, whole: s.totalOf(k.ep, nil),
			needs: []string{k.ep.name + ruleTotal, k.ep.name + ".total-counted"},
		})
	}
	known := sampled{items: followersOf, missing: skip(none), names: pair}
	s.batches(ctx, batch, known, unknownPair, nil)
	s.keyRefusals(ctx, batch, unknownPair, []string{"a", "a:b:c", ":b", "a:", "a b:c", "a:" + strings.Repeat("b", 65)})
	s.mirrored(ctx, out, followersOf)
}

func keysOf(k keyed) []string {
	return slices.DeleteFunc([]string{k.main, k.other}, func(key string) bool { return key == "" })
}

// mirrored checks that an edge on one side stands on the other too.
func (s *inspection) mirrored(ctx context.Context, out endpoint, edges []item) {
	s.steady(ctx, "following.mirrors", func(ctx context.Context) error {
		if len(edges) == 0 {
			return skip("no follow edges are known")
		}
		for _, edge := range edges[:min(3, len(edges))] {
			follower := edge.text("followerId")
			other := item{at: edge.at, id: edge.text("followeeId"), members: edge.members}
			there, err := s.stands(ctx, out, follower, other, nil)
			if err != nil {
				return err
			}
			if !there {
				return sawInstead("", "the edge "+pair(edge)+" that followers shows", "it is not in following")
			}
		}
		return nil
	})
}

// stands looks for an item at its place in a list; the key is empty for a list endpoint.
func (s *inspection) stands(ctx context.Context, ep endpoint, key string, it item, extra url.Values) (bool, error) {
	query := withLimit(extra, 5)
	query.Set("after", it.infront().cursor())
	var p page
	var err error
	if key == "" {
		p, err = s.list(ctx, ep, query)
	} else {
		var groups map[string]page
		groups, err = s.groups(ctx, ep, []string{key}, query)
		p = groups[key]
	}
	if err != nil {
		return false, err
	}
	return slices.Contains(ids(p.items), it.id), nil
}
