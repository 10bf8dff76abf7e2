package doctor

import (
	"net/http"
	"net/url"
	"strings"
)

func brokenComments(n *network) []broken {
	return []broken{
		{"topLevel ignored", onQuery("/comments/by-post", func(q url.Values) { q.Del("topLevel") }), []string{"by-post.top-level-only"}},
		{"topLevel leaves too much out", onPath("/comments/by-post", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				if p := members(page); r.URL.Query().Has("topLevel") && len(listOf(p)) > 0 {
					p["items"], p["total"] = listOf(p)[1:], plus(p["total"], -1)
				}
			}
		}), []string{"by-post.top-level"}},
		{"total of all replies", onGroups("/comments/by-post", func(_ string, page map[string]any) {
			if len(listOf(page)) > 0 {
				page["total"] = plus(page["total"], 1)
			}
		}), []string{"by-post.total"}},
		{"tombstones without replies", onGroups("/comments/by-post", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				if members(it)["id"] == n.remark[8] {
					members(it)["status"], members(it)["authorId"], members(it)["body"] = "deleted", nil, ""
				}
			}
		}), []string{"by-post.tombstones"}},
		{"tombstones with an author", onGroups("/comments/by-post", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				if members(it)["status"] == "deleted" {
					members(it)["authorId"] = n.users[0]
				}
			}
		}), []string{"by-post.schema"}},
		{"deleted comments counted", onPath("/comments/counts", func(r *http.Request, tree map[string]any) {
			if count, ok := members(tree["counts"])[n.posts[0]]; ok && r.URL.Query().Has("postIds") {
				members(tree["counts"])[n.posts[0]] = plus(count, 1)
			}
		}), []string{"post-counts.agree"}},
		{"authors' counts off", onPath("/comments/counts", func(r *http.Request, tree map[string]any) {
			for key, count := range members(tree["counts"]) {
				if r.URL.Query().Has("authorIds") && !strings.HasPrefix(key, "~d") {
					members(tree["counts"])[key] = plus(count, -1)
				}
			}
		}), []string{"author-counts.agree"}},
		{"replies of others", onGroups("/comments/replies", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				members(it)["parentId"] = n.remark[5]
			}
		}), []string{"replies.belongs"}},
		{"replies under another post", onGroups("/comments/replies", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				members(it)["postId"] = n.posts[5]
			}
		}), []string{"replies.same-post"}},
		{"both kinds of counts at once taken", onQuery("/comments/counts", func(q url.Values) {
			if q.Has("postIds") {
				q.Del("authorIds")
			}
		}), []string{"post-counts.posts-and-authors"}},
		{"counts of nothing", fault{answer: func(r *http.Request, a *passing) {
			if r.URL.Path == "/comments/counts" && r.URL.RawQuery == "" {
				a.status, a.header, a.body = 200, http.Header{"Content-Type": {"application/json"}}, []byte(`{"counts":{}}`)
			}
		}}, []string{"post-counts.of-nothing"}},
		{"a comment left out", onPath("/comments", func(_ *http.Request, tree map[string]any) {
			if list := listOf(tree); len(list) > 4 && len(list) < 10 {
				tree["items"] = list[1:]
			}
		}), []string{"batch.found"}},
	}
}
