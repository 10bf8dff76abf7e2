package doctor

import (
	"net/http"
	"net/url"
	"strings"
)

func brokenEdges() []broken {
	swap := func(it any) {
		edge := members(it)
		edge["followerId"], edge["followeeId"] = edge["followeeId"], edge["followerId"]
	}
	return []broken{
		{"edges the wrong way round", onPath("/edges", func(_ *http.Request, tree map[string]any) {
			for _, it := range listOf(tree) {
				swap(it)
			}
		}), []string{"edges.only-asked"}},
		{"followers the wrong way round", onGroups("/followers", func(_ string, page map[string]any) {
			for _, it := range listOf(page) {
				swap(it)
			}
		}), []string{"followers.belongs"}},
		{"edges that exist on one side", onPath("/following", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				if r.URL.Query().Get("limit") == "5" {
					members(page)["items"], members(page)["next"], members(page)["prev"] = []any{}, nil, nil
				}
			}
		}), []string{"following.mirrors"}},
		{"followers miscounted", onPath("/counts", func(_ *http.Request, tree map[string]any) {
			for _, counts := range members(tree["counts"]) {
				if n, _ := integer(members(counts)["followers"]); n > 0 {
					members(counts)["followers"] = n - 1
				}
			}
		}), []string{"counts.agree-on-followers"}},
		{"following miscounted", onPath("/counts", func(_ *http.Request, tree map[string]any) {
			for _, counts := range members(tree["counts"]) {
				if n, _ := integer(members(counts)["following"]); n > 0 {
					members(counts)["following"] = n - 1
				}
			}
		}), []string{"counts.agree-on-following"}},
		{"a number for two", onPath("/counts", func(_ *http.Request, tree map[string]any) {
			for key := range members(tree["counts"]) {
				members(tree["counts"])[key] = 3
			}
		}), []string{"counts.schema"}},
		{"half pairs taken", onQuery("/edges", func(q url.Values) {
			if pairs := q.Get("pairs"); pairs != "" && strings.Count(pairs, ":") != strings.Count(pairs, ",")+1 {
				q.Set("pairs", "a:b")
			}
		}), []string{"edges.malformed-refused"}},
		{"an edge left out", onPath("/edges", func(_ *http.Request, tree map[string]any) {
			if list := listOf(tree); len(list) > 4 {
				tree["items"] = list[1:]
			}
		}), []string{"edges.found", "edges.full"}},
	}
}
