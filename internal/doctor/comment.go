package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

func commentEndpoint(name, path, keys, schema string, rules ...rule) endpoint {
	return endpoint{name: name, path: path, keys: keys, schema: schema, at: "createdAt", by: "id", rules: rules}
}

func commentBatch() endpoint { return commentEndpoint("batch", "/comments", "ids", "CommentBatch") }

func commentsByPost() endpoint {
	return commentEndpoint("by-post", "/comments/by-post", "postIds", "CommentGroups", belongs("postId"),
		rule{"top-level-only", func(it item, _ string, query url.Values) error {
			if parent := it.text("parentId"); query.Get("topLevel") == "true" && parent != "" {
				return sawInstead("", "no replies with topLevel=true", "parentId %s", quote(parent))
			}
			return nil
		}})
}

func commentReplies() endpoint {
	return commentEndpoint("replies", "/comments/replies", "parentIds", "CommentGroups", belongs("parentId"))
}

func commentsByAuthor() endpoint {
	return commentEndpoint("by-author", "/comments/by-author", "authorIds", "CommentGroups", belongs("authorId"))
}

func postTally() endpoint {
	return endpoint{name: "post-counts", path: "/comments/counts", keys: "postIds", schema: "Counts"}
}

func authorTally() endpoint {
	return endpoint{name: "author-counts", path: "/comments/counts", keys: "authorIds", schema: "Counts"}
}

// commentReads runs the checks that only read.
func (s *inspection) commentReads(ctx context.Context) {
	batch, byPost, replies, byAuthor := commentBatch(), commentsByPost(), commentReplies(), commentsByAuthor()
	s.declareReads(batch, ruleOnlyAsked)
	for _, ep := range []endpoint{byPost, replies, byAuthor} {
		s.declareWindows(ep)
	}
	s.declareCounts(postTally())
	s.declareCounts(authorTally())
	s.problems(ctx, "/comments/"+unknownID(0)+"/restore")
	posts, authors := s.commentFixtures(ctx)
	posts = append(posts, s.samples.posts...)

	items := s.gatherGroups(ctx, byPost, posts, nil)
	authors = append(authors, texts(items, "authorId")...)
	none := "no comments are known; they are found by way of the post service, or made by writes"
	known := sampled{items: items, missing: skip(none), names: func(it item) string { return it.id }}
	s.batches(ctx, batch, known, unknownID, nil)
	s.keyRefusals(ctx, batch, unknownID, malformedIDs())

	ofPost := s.choose(ctx, byPost, posts, none)
	ofParent := s.choose(ctx, replies, append(texts(items, "parentId"), ids(items)...), "no comment with replies is known")
	ofAuthor := s.choose(ctx, byAuthor, append(authors, s.samples.users...), "no author of comments is known")
	for _, k := range []keyed{ofPost, ofParent, ofAuthor} {
		s.windows(ctx, k)
	}
	s.threads(ctx, ofPost, ofParent, items)
	s.commentCounts(ctx, ofPost, ofAuthor)
}

// threads checks how replies, parents and deleted comments hang together.
func (s *inspection) threads(ctx context.Context, ofPost, ofParent keyed, items []item) {
	s.steady(ctx, ofPost.ep.name+".top-level", func(ctx context.Context) error { return s.topLevel(ctx, ofPost) })
	s.steady(ctx, ofPost.ep.name+".tombstones", func(ctx context.Context) error {
		deleted := slices.DeleteFunc(slices.Clone(items), func(it item) bool { return it.text("status") != "deleted" })
		if len(deleted) == 0 {
			return skip("no deleted comment stands in a list that is known")
		}
		groups, err := s.groups(ctx, ofParent.ep, affordable(ids(deleted)), url.Values{"limit": {"1"}})
		if err != nil {
			return err
		}
		for id, p := range groups {
			if p.total == 0 {
				return sawInstead("", "deleted comments in lists only while they have replies", "%s without any", quote(id))
			}
		}
		return nil
	})
	s.steady(ctx, ofParent.ep.name+".same-post", func(ctx context.Context) error { return s.samePost(ctx, ofParent) })
}

// topLevel holds topLevel=true to leaving out the replies, and those only.
func (s *inspection) topLevel(ctx context.Context, ofPost keyed) error {
	whole, err := s.whole(ctx, ofPost)
	if err != nil {
		return err
	}
	top := slices.DeleteFunc(whole, func(it item) bool { return it.text("parentId") != "" })
	groups, err := s.groups(ctx, ofPost.ep, []string{ofPost.main}, url.Values{"limit": {strconv.Itoa(pageSize)}, "topLevel": {"true"}})
	if err != nil {
		return err
	}
	p := groups[ofPost.main]
	if p.total != int64(len(top)) {
		return sawInstead("", "a total of "+strconv.Itoa(len(top))+", the comments without a parent", "%d", p.total)
	}
	return p.same(top[:min(len(top), pageSize)], "the comments without a parent")
}

// samePost holds replies to standing under the post of their parent.
func (s *inspection) samePost(ctx context.Context, ofParent keyed) error {
	if ofParent.missing != nil {
		return ofParent.missing
	}
	parents, err := s.batch(ctx, commentBatch(), []string{ofParent.main}, nil)
	if err != nil {
		return err
	}
	if len(parents) != 1 {
		return sawInstead("", "the comment that has replies", "%s", plural(len(parents), "item"))
	}
	groups, err := s.groups(ctx, ofParent.ep, []string{ofParent.main}, url.Values{"limit": {"20"}})
	if err != nil {
		return err
	}
	for _, it := range groups[ofParent.main].items {
		if want, got := parents[0].text("postId"), it.text("postId"); got != want {
			return sawInstead("", "replies under the post of their parent, "+quote(want), "%s", quote(got))
		}
	}
	return nil
}

// whole reads a group to its end, if it is not too long.
func (s *inspection) whole(ctx context.Context, k keyed) ([]item, error) {
	var out []item
	q := s.sequence(k, nil)
	for w := (window{limit: pageSize}); ; {
		p, err := q.read(ctx, w)
		if err != nil {
			return nil, err
		}
		out = append(out, p.items...)
		if p.next == "" {
			return out, nil
		}
		if len(out) >= countable {
			return nil, skipf("the list of %s is too long", k.main)
		}
		w.after = p.next
	}
}

func (s *inspection) commentCounts(ctx context.Context, ofPost, ofAuthor keyed) {
	byPost, byAuthor := postTally(), authorTally()
	s.counting(ctx, byPost, ofPost.main)
	s.counting(ctx, byAuthor, ofAuthor.main)
	sound := func(k keyed) []string {
		return []string{k.ep.name + ruleTotal, k.ep.name + ".total-counted", k.ep.name + ".pages-forward"}
	}
	s.agrees(ctx, "post-counts.agree", tally{
		ep: byPost, of: ofPost, needs: append(sound(ofPost), ofPost.ep.name+".tombstones"),
		whole: func(ctx context.Context, _ string) (int64, error) {
			items, err := s.whole(ctx, ofPost)
			living := slices.DeleteFunc(items, func(it item) bool { return it.text("status") == "deleted" })
			return int64(len(living)), err
		},
	})
	s.agrees(ctx, "author-counts.agree", tally{ep: byAuthor, of: ofAuthor, needs: sound(ofAuthor), whole: s.totalOf(ofAuthor.ep, nil)})
	s.check(ctx, "post-counts.posts-and-authors", func(ctx context.Context) error { return s.exclusive(ctx, byPost, "postIds", "authorIds") })
	s.check(ctx, "post-counts.of-nothing", func(ctx context.Context) error {
		_, err := s.expect(ctx, byPost.request(nil, nil), http.StatusBadRequest)
		return err
	})
}
