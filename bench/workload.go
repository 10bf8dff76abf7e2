package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// workload is a set of requests that are the same work.
type workload struct {
	name   string
	bodies [][]byte // the most popular request first
	items  int      // of the longest list in an answer; 0: needs nothing from upstream
}

const (
	trivialQuery = `{__typename}`

	timelinePage = `{ nodes { id title publishedAt author { id handle name } } pageInfo { hasNextPage endCursor } totalCount }`

	timelineQuery = `query Timeline($first: Int!) { posts(first: $first) ` + timelinePage + ` }`

	profileQuery = `query Profile($id: ID!) {
  user(id: $id) {
    id handle name bio createdAt
    stats { posts comments followers following }
    posts(first: 10) { nodes { id title publishedAt comments(first: 5) { nodes { id body createdAt author { id handle name } } } } }
    followers(first: 20) { totalCount nodes { id handle name } }
  }
}`

	usersQuery   = `query Users($after: String) { users(first: 100, after: $after) { nodes { id stats { followers posts } } pageInfo { hasNextPage endCursor } } }`
	cursorsQuery = `query Cursors($after: String) { posts(first: 100, after: $after) { pageInfo { hasNextPage endCursor } } }`
)

// longPages is how many pages of 100, the most that the graph gives at once, make the timeline of 1,000.
const longPages = 10

// longTimelineQuery asks for all pages of the long timeline at once, under the names p0 to p9, each behind a cursor, a1 to a9.
func longTimelineQuery() string {
	var variables, pages strings.Builder
	for i := range longPages {
		after := ""
		if i > 0 {
			fmt.Fprintf(&variables, "$a%d: String! ", i)
			after = fmt.Sprintf(", after: $a%d", i)
		}
		fmt.Fprintf(&pages, "p%d: posts(first: 100%s) { ...Page }\n", i, after)
	}
	return fmt.Sprintf("query LongTimeline(%s) {\n%s}\nfragment Page on PostConnection %s", strings.TrimSpace(variables.String()), pages.String(), timelinePage)
}

// newWorkloads makes all workloads from what the gateway at url knows: where the pages of the long timeline begin, and which users to
// show profiles of, at most so many.
func newWorkloads(ctx context.Context, url string, profiles int) ([]*workload, error) {
	cursors, err := pageCursors(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("cursors of the long timeline: %w", err)
	}
	users, err := popularUsers(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("users to show: %w", err)
	}
	profile := &workload{name: "profile", items: 20}
	for _, id := range users[:min(len(users), profiles)] {
		profile.bodies = append(profile.bodies, request("Profile", profileQuery, map[string]any{"id": id}))
	}
	timeline := func(first int) *workload {
		return &workload{name: "timeline-" + strconv.Itoa(first), items: first, bodies: [][]byte{request("Timeline", timelineQuery, map[string]any{"first": first})}}
	}
	return []*workload{
		timeline(10),
		timeline(100),
		{name: "timeline-1000", items: 1000, bodies: [][]byte{request("LongTimeline", longTimelineQuery(), cursors)}},
		profile,
		{name: "trivial", bodies: [][]byte{request("", trivialQuery, nil)}},
	}, nil
}

// request is the body of a GraphQL request over HTTP.
func request(operation, query string, variables map[string]any) []byte {
	body, err := json.Marshal(struct {
		Operation string         `json:"operationName,omitempty"`
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables,omitempty"`
	}{operation, query, variables})
	if err != nil { // strings and numbers only
		panic(err)
	}
	return body
}

type pageInfo struct {
	HasNextPage bool
	EndCursor   string
}

// pageCursors are the variables of the long timeline.
func pageCursors(ctx context.Context, url string) (map[string]any, error) {
	cursors := map[string]any{}
	var after *string
	for i := 1; i < longPages; i++ {
		var answer struct {
			Data struct{ Posts struct{ PageInfo pageInfo } }
		}
		if err := ask(ctx, url, request("Cursors", cursorsQuery, map[string]any{"after": after}), &answer); err != nil {
			return nil, err
		}
		info := answer.Data.Posts.PageInfo
		if !info.HasNextPage {
			return nil, fmt.Errorf("there are not more than %d posts", 100*i)
		}
		cursors["a"+strconv.Itoa(i)] = info.EndCursor
		after = &info.EndCursor
	}
	return cursors, nil
}

// popularUsers are the ids of all users, those with the most followers first.
func popularUsers(ctx context.Context, url string) ([]string, error) {
	type node struct {
		ID    string
		Stats struct{ Followers, Posts int }
	}
	var users []node
	for info := (pageInfo{HasNextPage: true}); info.HasNextPage; {
		var answer struct {
			Data struct {
				Users struct {
					Nodes    []node
					PageInfo pageInfo
				}
			}
		}
		var after *string
		if info.EndCursor != "" {
			after = &info.EndCursor
		}
		if err := ask(ctx, url, request("Users", usersQuery, map[string]any{"after": after}), &answer); err != nil {
			return nil, err
		}
		users = append(users, answer.Data.Users.Nodes...)
		info = answer.Data.Users.PageInfo
	}
	slices.SortStableFunc(users, func(a, b node) int {
		return cmp.Or(cmp.Compare(b.Stats.Followers, a.Stats.Followers), cmp.Compare(b.Stats.Posts, a.Stats.Posts), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids, nil
}
