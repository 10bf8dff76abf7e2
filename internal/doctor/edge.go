package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// underName reads the list of one key whole, by id.
func (s *inspection) underName(ctx context.Context, ep endpoint, who string) (map[string]item, error) {
	query := withLimit(nil, pageSize)
	if ep.path == "/posts/by-author" {
		query = withLimit(author(), pageSize)
	}
	groups, err := s.groups(ctx, ep, []string{who}, query)
	if err != nil {
		return nil, err
	}
	out := make(map[string]item)
	for _, it := range groups[who].items {
		out[it.id] = it
	}
	return out, nil
}

func (s *inspection) edge(method, follower, followee string, header map[string]string) request {
	r := s.change("follow", method, "/edges/"+follower+"/"+followee, "Follow", nil, header)
	if method == http.MethodDelete {
		r.name, r.schema = "unfollow", ""
	}
	return r
}

// follow makes an edge between made-up users.
func (s *inspection) follow(ctx context.Context, follower, followee string, statuses ...int) (item, answer, error) {
	ans, err := s.apply(ctx, s.edge(http.MethodPut, follower, followee, nil), statuses...)
	return item{id: followee, members: ans.tree}, ans, err
}

// edgeFixtures makes users with followers to page through; it returns their ids.
func (s *inspection) edgeFixtures(ctx context.Context) []string {
	if !s.write || s.dead != "" {
		return nil
	}
	star, fan := s.name("star"), s.name("fan")
	for n := range 9 {
		other := s.name("crowd-" + strconv.Itoa(n))
		for _, edge := range [][2]string{{other, star}, {fan, other}} {
			if _, _, err := s.follow(ctx, edge[0], edge[1], http.StatusCreated); err != nil {
				return []string{star, fan} // the checks of the writes say why
			}
		}
	}
	_, _, _ = s.follow(ctx, fan, star, http.StatusCreated)
	return []string{star, fan, s.name("crowd-0")}
}

func (s *inspection) edgeWrites(ctx context.Context) {
	s.declareWrites("follow", "bulk")
	s.following(ctx)
	s.unfollowing(ctx)
	s.writing(ctx, "idempotency.replay", func(ctx context.Context) error {
		header := map[string]string{keyHeader: s.key()}
		return s.replays(ctx, s.edge(http.MethodPut, s.name("f5"), s.name("g5"), header), http.StatusCreated)
	})
	s.writing(ctx, "idempotency.reused", func(ctx context.Context) error {
		header := map[string]string{keyHeader: s.key()}
		if _, err := s.apply(ctx, s.edge(http.MethodPut, s.name("f6"), s.name("g6"), header), http.StatusCreated); err != nil {
			return err
		}
		return s.reused(ctx, s.edge(http.MethodPut, s.name("f6"), s.name("g7"), header))
	})
	s.bulks(ctx, s.edgeBulk())
}

// following checks how an edge comes to stand.
func (s *inspection) following(ctx context.Context) {
	follower, followee := "doctor-"+s.run+"-f1", "doctor-"+s.run+"-g1"
	var first item
	s.writing(ctx, "follow.creates", func(ctx context.Context) error {
		s.name("f1")
		s.name("g1")
		it, ans, err := s.follow(ctx, follower, followee, http.StatusCreated)
		if err != nil {
			return err
		}
		if it.text("followerId") != follower || it.text("followeeId") != followee {
			return sawInstead("", "the edge "+follower+":"+followee, "%s", quote(pair(it)))
		}
		if ans.header.Get("Location") == "" {
			return sawInstead("", "a Location", "none")
		}
		first = it
		return s.edgeStands(ctx, follower, followee, 1)
	})
	s.writing(ctx, "follow.again", func(ctx context.Context) error {
		if first.members == nil {
			return skip("no edge could be made")
		}
		it, _, err := s.follow(ctx, follower, followee, http.StatusOK)
		if err != nil {
			return err
		}
		if member := first.differs(it); member != "" {
			return sawInstead("", "the edge as it stands", "another %s", member)
		}
		return nil
	})
	s.writing(ctx, "follow.oneself", func(ctx context.Context) error {
		_, err := s.apply(ctx, s.edge(http.MethodPut, s.name("f2"), s.name("f2"), nil), http.StatusUnprocessableEntity)
		return err
	})
}

// edgeStands holds every read of an edge to showing it, or not.
func (s *inspection) edgeStands(ctx context.Context, follower, followee string, want int) error {
	if err := s.amount(ctx, edges(), []string{follower + ":" + followee}, want, nil); err != nil {
		return err
	}
	for _, side := range []struct {
		ep  endpoint
		key string
	}{{followers(), followee}, {following(), follower}} {
		groups, err := s.groups(ctx, side.ep, []string{side.key}, url.Values{"limit": {"5"}})
		if err != nil {
			return err
		}
		if got := len(groups[side.key].items); got != want {
			return sawInstead("", plural(want, "edge"), "%d", got)
		}
		counts, err := s.counts(ctx, edgeTally(), []string{side.key}, nil)
		if err != nil {
			return err
		}
		if got := counts[side.key][side.ep.name]; got != int64(want) {
			return sawInstead("", side.ep.name+" "+strconv.Itoa(want), "%d", got)
		}
	}
	return nil
}

// unfollowing checks how an edge is taken away.
func (s *inspection) unfollowing(ctx context.Context) {
	var taken bool
	remove := func(s *inspection) request { return s.edge(http.MethodDelete, s.name("f3"), s.name("g3"), nil) }
	s.writing(ctx, "unfollow.gone", func(ctx context.Context) error {
		if _, _, err := s.follow(ctx, s.name("f3"), s.name("g3"), http.StatusCreated); err != nil {
			return err
		}
		if _, err := s.apply(ctx, remove(s), http.StatusNoContent); err != nil {
			return err
		}
		err := s.edgeStands(ctx, s.name("f3"), s.name("g3"), 0)
		taken = err == nil
		return err
	})
	s.writing(ctx, "unfollow.twice", func(ctx context.Context) error {
		if !taken {
			return skip("nothing could be taken away")
		}
		_, err := s.apply(ctx, remove(s), http.StatusNotFound)
		return err
	})
}

func (s *inspection) edgeBulk() bulk {
	return bulk{
		base: "/users/", verb: "remove", count: 3, stays: []string{"followerId", "followeeId", "followedAt"},
		setup: func(ctx context.Context, who string) error {
			for _, edge := range [][2]string{{who, s.name("g8")}, {who, s.name("g9")}, {s.name("f8"), who}} {
				if _, _, err := s.follow(ctx, edge[0], edge[1], http.StatusCreated); err != nil {
					return err
				}
			}
			return nil
		},
		state: func(ctx context.Context, who string) (map[string]item, error) {
			out := make(map[string]item)
			for _, ep := range []endpoint{followers(), following()} {
				side, err := s.underName(ctx, ep, who)
				if err != nil {
					return nil, err
				}
				for _, it := range side {
					out[pair(it)] = it
				}
			}
			return out, nil
		},
		taken: func(_ context.Context, _, after map[string]item) error {
			if len(after) != 0 {
				return sawInstead("", "no edges left", "%d", len(after))
			}
			return nil
		},
	}
}
