package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// author is the query that shows drafts and hidden posts too.
func author() url.Values { return url.Values{"visibility": {"author"}} }

func postEndpoint(name, path, keys, schema string, extra ...rule) endpoint {
	rules := []rule{
		{"public-only", func(it item, _ string, query url.Values) error {
			if status := it.text("status"); query.Get("visibility") != "author" && status != "published" {
				return sawInstead("", "published posts only", "a %s one", status)
			}
			return nil
		}},
		{"published-at", func(it item, _ string, _ url.Values) error {
			status, at := it.text("status"), it.text("publishedAt")
			if status == "published" && at == "" || status == "draft" && at != "" {
				return sawInstead("", "publishedAt of what was published, null of a draft", "%s with a %s", quote(at), status)
			}
			return nil
		}},
	}
	return endpoint{name: name, path: path, keys: keys, schema: schema, at: "createdAt", by: "id", rules: append(rules, extra...)}
}

func postList() endpoint {
	return postEndpoint("list", "/posts", "", "PostPage", rule{"belongs", func(it item, _ string, query url.Values) error {
		if authors, of := it.text("authorId"), query.Get("authorIds"); of != "" && !slices.Contains(strings.Split(of, ","), authors) {
			return sawInstead("", "posts of the authors named", "author %s", quote(authors))
		}
		return nil
	}})
}

func postBatch() endpoint { return postEndpoint("batch", "/posts", "ids", "PostBatch") }

func postsByAuthor() endpoint {
	return postEndpoint("by-author", "/posts/by-author", "authorIds", "PostGroups", belongs("authorId"))
}

func postCounts() endpoint {
	return endpoint{name: "counts", path: "/posts/counts", keys: "authorIds", schema: "Counts"}
}

// belongs is the rule that a group holds its own items.
func belongs(member string) rule {
	return rule{"belongs", func(it item, key string, _ url.Values) error {
		if got := it.text(member); got != key {
			return sawInstead("", member+" "+quote(key)+" in the group of "+key, "%s", quote(got))
		}
		return nil
	}}
}

// postReads runs the checks that only read, and finds samples for the services behind.
func (s *inspection) postReads(ctx context.Context) {
	list, batch, byAuthor, counts := postList(), postBatch(), postsByAuthor(), postCounts()
	s.declareList(list)
	s.declareReads(batch, ruleOnlyAsked)
	s.declareWindows(byAuthor)
	s.declareCounts(counts)
	s.problems(ctx, "/posts/"+unknownID(0)+"/restore")
	fixture := s.postFixtures(ctx)

	public, missing := s.gather(ctx, list, nil, "no published posts are known")
	all, _ := s.gather(ctx, list, author(), "")
	authors := append(texts(all, "authorId"), fixture...)
	s.samples.posts = ids(public)
	if len(s.samples.users) == 0 {
		s.samples.users = texts(public, "authorId")
	}
	s.paging(ctx, sequence{name: list.name, fetch: func(ctx context.Context, query url.Values) (page, error) {
		return s.list(ctx, list, query)
	}})
	s.refusals(ctx, list)
	known := sampled{items: public, missing: missing, names: func(it item) string { return it.id }}
	s.batches(ctx, batch, known, unknownID, nil)
	s.keyRefusals(ctx, batch, unknownID, malformedIDs())
	s.check(ctx, "batch.ids-and-authors", func(ctx context.Context) error { return s.exclusive(ctx, batch, "ids", "authorIds") })

	longest := s.choose(ctx, byAuthor, authors, "no authors are known")
	s.windows(ctx, longest)
	s.counting(ctx, counts, longest.main)
	sound := []string{byAuthor.name + ruleTotal, byAuthor.name + ".total-counted", byAuthor.name + ".public-only"}
	s.agrees(ctx, "counts.agree", tally{ep: counts, of: longest, whole: s.totalOf(byAuthor, nil), needs: sound})
	s.agrees(ctx, "counts.agree-for-author", tally{
		ep: counts, query: author(), of: longest, whole: s.totalOf(byAuthor, author()),
		needs: append(sound, "counts.agree"),
	})
	s.namedAuthors(ctx, list, byAuthor, longest)
	s.visibility(ctx, batch, all, append([]endpoint{list, byAuthor}, counts))
}

// namedAuthors checks the list of some authors against their groups.
func (s *inspection) namedAuthors(ctx context.Context, list, byAuthor endpoint, k keyed) {
	s.steady(ctx, "list.of-authors", func(ctx context.Context) error {
		if k.missing != nil {
			return k.missing
		}
		names := slices.DeleteFunc([]string{k.main, k.other, unknownID(0)}, func(name string) bool { return name == "" })
		groups, err := s.groups(ctx, byAuthor, names, url.Values{"limit": {"10"}})
		if err != nil {
			return err
		}
		var want []item
		total := int64(0)
		for _, p := range groups {
			want, total = append(want, p.items...), total+p.total
		}
		slices.SortFunc(want, item.compare)
		merged, err := s.list(ctx, list, url.Values{"limit": {"10"}, "authorIds": {strings.Join(names, ",")}})
		if err != nil {
			return err
		}
		if merged.total != total {
			return sawInstead("", "the total of all authors named, "+plural(int(total), "post"), "%d", merged.total)
		}
		return merged.same(want[:min(10, len(want))], "the posts of the authors named, merged")
	})
	s.check(ctx, "list.of-no-author", func(ctx context.Context) error {
		p, err := s.list(ctx, list, url.Values{"authorIds": {""}})
		if err == nil && (p.total != 0 || len(p.items) != 0) {
			err = sawInstead("", "an empty page, for no author is named", "%d of %d items", len(p.items), p.total)
		}
		return err
	})
}

// visibility checks that drafts and hidden posts show themselves when asked for, and only then.
func (s *inspection) visibility(ctx context.Context, batch endpoint, all []item, takers []endpoint) {
	at := slices.IndexFunc(all, func(it item) bool { return it.text("status") != "published" })
	s.steady(ctx, "batch.drafts", func(ctx context.Context) error {
		if at < 0 {
			return skip("no draft or hidden post is known")
		}
		if err := s.amount(ctx, batch, []string{all[at].id}, 0, nil); err != nil {
			return err
		}
		return s.amount(ctx, batch, []string{all[at].id}, 1, author())
	})
	for _, ep := range append(takers, batch) {
		s.check(ctx, ep.name+".visibility-refused", func(ctx context.Context) error {
			r := ep.request([]string{unknownID(0)}, url.Values{"visibility": {"everyone"}})
			_, err := s.expect(ctx, r, http.StatusBadRequest)
			return err
		})
	}
}
