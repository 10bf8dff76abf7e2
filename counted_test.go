package main

import (
	"slices"
	"strings"
	"testing"

	"tributary/internal/auth"
)

// TestWhatIsOnlyCountedIsNotRead asks for pages of a hundred of which only totalCount is wanted, in every list.
func TestWhatIsOnlyCountedIsNotRead(t *testing.T) {
	u := startUpstream(t, startDemo(t, seededDir(t)))
	g := openGateway(t, u.urls, uncached)
	for _, c := range []struct {
		name, list string // LIST stands for what is asked of each list
		reads      int    // of pages
	}{
		{"of a user", `{ user(id: "user_u1") { posts(first: 100) LIST comments(last: 100) LIST followers(first: 100) LIST following(first: 100) LIST activity(first: 100) LIST } }`, 6},
		{"of everybody", `{ posts(first: 100, orderBy: OLDEST_FIRST) LIST }`, 1},
		{"of many", `{ nodes(ids: ["post_p1", "post_p2"]) { ... on Post { comments(first: 100) LIST } } }`, 1},
		{"of a comment", `{ comment(id: "comment_c1") { replies(first: 100) LIST } }`, 1},
	} {
		for list, limit := range map[string]string{
			`{ totalCount }`: "limit=1", `{ n: totalCount __typename }`: "limit=1",
			`{ totalCount pageInfo { hasNextPage } }`: "limit=100", `{ totalCount nodes { __typename } }`: "limit=100", `{ ... { edges { cursor } } }`: "limit=100",
			`{ totalCount nodes @skip(if: true) { __typename } }`: "limit=1",
		} {
			a := ask(t, g, auth.Viewer{}, strings.ReplaceAll(c.list, "LIST", list), nil)
			if len(a.Errors) > 0 {
				t.Fatalf("%s %s: %v", c.name, list, a.Errors)
			}
			var limits []string
			for _, call := range u.take() {
				_, query, _ := strings.Cut(call, "?")
				for part := range strings.SplitSeq(query, "&") {
					if strings.HasPrefix(part, "limit=") {
						limits = append(limits, part)
					}
				}
			}
			if want := slices.Repeat([]string{limit}, c.reads); !slices.Equal(limits, want) {
				t.Errorf("%s %s: %v, want %v", c.name, list, limits, want)
			}
		}
	}
	counted := ask(t, g, auth.Viewer{}, `{ user(id: "user_u1") { posts(first: 100) { totalCount } } posts(first: 7) { totalCount } }`, nil)
	paged := ask(t, g, auth.Viewer{}, `{ user(id: "user_u1") { posts(first: 100) { totalCount nodes { id } } } posts(first: 7) { totalCount nodes { id } } }`, nil)
	for _, path := range [][]any{{"user", "posts", "totalCount"}, {"posts", "totalCount"}} {
		if got, want := at(t, counted.Data, path...), at(t, paged.Data, path...); got != want || want == 0.0 {
			t.Errorf("%v is %v alone, %v with its page", path, got, want)
		}
	}
	for _, query := range []string{`{ posts(first: 101) { totalCount } }`, `{ posts { totalCount } }`, `{ posts(first: 1, after: "x") { totalCount } }`} {
		if a := ask(t, g, auth.Viewer{}, query, nil); a.codes()[`"posts"`] == "" {
			t.Errorf("%s is taken: %v", query, a.Data)
		}
	}
}
