package doctor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// brokenPosts are the ways in which the reads of a post service can be broken, subject by subject.
func brokenPosts(n *network) []broken {
	return slices.Concat(brokenVisibility(), brokenAuthors(), brokenGroups(n), brokenWindows(), brokenCounts())
}

func brokenVisibility() []broken {
	isDefault := func(q url.Values) bool { return !q.Has("visibility") }
	return []broken{
		{"drafts in the list", onQuery("/posts", func(q url.Values) {
			if isDefault(q) && !q.Has("ids") {
				q.Set("visibility", "author")
			}
		}), []string{"list.public-only"}},
		{"drafts in a batch", onQuery("/posts", func(q url.Values) {
			if isDefault(q) && q.Has("ids") {
				q.Set("visibility", "author")
			}
		}), []string{"batch.public-only"}},
		{"drafts in groups", onQuery("/posts/by-author", func(q url.Values) {
			if isDefault(q) {
				q.Set("visibility", "author")
			}
		}), []string{"by-author.public-only"}},
		{"drafts for nobody", onQuery("/posts", func(q url.Values) {
			if q.Has("ids") && q.Get("visibility") == "author" {
				q.Del("visibility")
			}
		}), []string{"batch.drafts"}},
		{"any visibility taken", onQuery("/posts/counts", func(q url.Values) {
			if q.Get("visibility") == "everyone" {
				q.Del("visibility")
			}
		}), []string{"counts.visibility-refused"}},
		{"published without a time", onList("/posts", func(tree map[string]any) {
			for _, it := range listOf(tree) {
				members(it)["publishedAt"] = nil
			}
		}), []string{"list.published-at"}},
	}
}

func brokenAuthors() []broken {
	return []broken{
		{"authorIds ignored", onQuery("/posts", func(q url.Values) {
			if q.Get("authorIds") != "" && !q.Has("ids") {
				q.Del("authorIds")
			}
		}), []string{"list.belongs"}},
		{"no author is everybody", onQuery("/posts", func(q url.Values) {
			if q.Has("authorIds") && q.Get("authorIds") == "" {
				q.Del("authorIds")
			}
		}), []string{"list.of-no-author"}},
		{"merged total of all", onPath("/posts", func(r *http.Request, tree map[string]any) {
			if strings.Contains(r.URL.Query().Get("authorIds"), ",") {
				tree["total"] = plus(tree["total"], 1)
			}
		}), []string{"list.of-authors"}},
	}
}

func brokenGroups(n *network) []broken {
	return []broken{
		{"missing group", onPath("/posts/by-author", func(_ *http.Request, tree map[string]any) {
			for key := range members(tree["groups"]) {
				if strings.HasPrefix(key, "~d") {
					delete(members(tree["groups"]), key)
				}
			}
		}), []string{"by-author.every-key"}},
		{"extra group", onPath("/posts/by-author", func(_ *http.Request, tree map[string]any) {
			if groups := members(tree["groups"]); len(groups) < 500 {
				groups["extra"] = map[string]any{"items": []any{}, "next": nil, "prev": nil, "total": 0}
			}
		}), []string{"by-author.every-key"}},
		{"500 for many authors", status(func(r *http.Request) bool {
			return r.URL.Path == "/posts/by-author" && r.URL.Query().Get("limit") == "1" && strings.Count(r.URL.Query().Get("authorIds"), ",") == 2
		}, 500, "INTERNAL", nil), []string{"by-author.many-keys"}},
		{"404 for unknown authors", status(func(r *http.Request) bool { return r.URL.Query().Get("authorIds") == "~d1000,~d1001" }, 404, "NOT_FOUND", nil), []string{"by-author.unknown-keys"}},
		{"the same author twice refused", status(func(r *http.Request) bool {
			authors := strings.Split(r.URL.Query().Get("authorIds"), ",")
			return r.URL.Path == "/posts/by-author" && len(authors) == 3 && authors[0] == authors[2]
		}, 400, "BAD_REQUEST", nil), []string{"by-author.duplicate-keys"}},
		{"an unknown author has something", onGroups("/posts/by-author", func(key string, page map[string]any) {
			if strings.HasPrefix(key, "~d") {
				page["total"] = 1
			}
		}), []string{"by-author.limit"}},
		{"groups mixed up", onGroups("/posts/by-author", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				members(it)["authorId"] = n.users[9]
			}
		}), []string{"by-author.belongs"}},
	}
}

func brokenWindows() []broken {
	return []broken{
		{"other totals for many keys", onPath("/posts/by-author", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				if q := r.URL.Query(); strings.Count(q.Get("authorIds"), ",") == 2 && q.Get("limit") == "3" && members(page)["next"] != nil {
					members(page)["total"] = plus(members(page)["total"], 1)
				}
			}
		}), []string{"by-author.many-keys"}},
		{"cursors of other groups ignored", fault{request: func(r *http.Request) {
			q := r.URL.Query()
			if r.URL.Path == "/posts/by-author" && strings.Contains(q.Get("authorIds"), ",") {
				q.Del("after")
				r.URL.RawQuery = q.Encode()
			}
		}}, []string{"by-author.any-group"}},
		{"prev missing", onGroups("/posts/by-author", func(_ string, page map[string]any) {
			if page["next"] != nil {
				page["prev"] = nil
			}
		}), []string{"by-author.pages-forward"}},
		{"positions must name an item", fault{answer: func(r *http.Request, a *passing) {
			at, err := decodeCursor(r.URL.Query().Get("after"))
			if err == nil && strings.HasSuffix(at.id, "~") {
				a.problem(400, "BAD_REQUEST")
			}
		}}, []string{"by-author.positions", "list.positions"}},
		{"total within the bounds", onPath("/posts/by-author", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				if q := r.URL.Query(); q.Has("after") && q.Has("before") {
					members(page)["total"] = max(len(listOf(members(page))), 1)
				}
			}
		}), []string{"by-author.bounds"}},
	}
}

func brokenCounts() []broken {
	return []broken{
		{"counts off by one", onPath("/posts/counts", func(r *http.Request, tree map[string]any) {
			for key, count := range members(tree["counts"]) {
				if !strings.HasPrefix(key, "~d") {
					members(tree["counts"])[key] = plus(count, 1)
				}
			}
		}), []string{"counts.agree"}},
		{"counts without drafts", onQuery("/posts/counts", func(q url.Values) {
			if q.Get("visibility") == "author" {
				q.Del("visibility")
			}
		}), []string{"counts.agree-for-author"}},
		{"unknown author not counted", onPath("/posts/counts", func(_ *http.Request, tree map[string]any) {
			delete(members(tree["counts"]), unknownID(1))
		}), []string{"counts.every-key"}},
		{"unknown author has posts", onPath("/posts/counts", func(_ *http.Request, tree map[string]any) {
			if counts := members(tree["counts"]); counts[unknownID(1)] != nil {
				counts[unknownID(1)] = 1
			}
		}), []string{"counts.unknown-zero"}},
		{"ids and authorIds together taken", onQuery("/posts", func(q url.Values) {
			if q.Has("ids") {
				q.Del("authorIds")
			}
		}), []string{"batch.ids-and-authors"}},
	}
}
