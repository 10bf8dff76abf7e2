package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// read is an answer of the REST API.
type read struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// sendREST asks a server, with header fields in pairs.
func sendREST(t *testing.T, server, method, path string, header ...string) read {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := read{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &got.body); err != nil {
			t.Fatalf("%s: %v: %s", path, err, raw)
		}
	}
	return got
}

func (p *program) read(t *testing.T, path string, header ...string) read {
	t.Helper()
	return sendREST(t, p.url, http.MethodGet, path, header...)
}

// TestRESTSaysWhatTheGraphSays compares a profile and users with what the graph answers to the same caller.
func TestRESTSaysWhatTheGraphSays(t *testing.T) {
	p, dir := serveDemoOf(t, "--no-limit-enabled")
	const query = `{ user(id: "user_u1") {
  id handle name email bio avatarUrl createdAt updatedAt stats { posts comments followers following }
  posts(first: 3) { nodes { id title body status publishedAt } pageInfo { endCursor } totalCount }
  followers(first: 2) { edges { followedAt node { id handle name avatarUrl } } pageInfo { endCursor } totalCount } } }`
	for who, token := range map[string]string{"anybody": "", "u1": tokenFor(t, dir, "u1", "")} {
		t.Run(who, func(t *testing.T) {
			var header []string
			if token != "" {
				header = []string{"Authorization", "Bearer " + token}
			}
			want := at(t, p.post(t, token, query, nil).Data, "user").(map[string]any)
			user := p.read(t, "/api/users/user_u1", header...)
			for name, value := range user.body {
				if !reflect.DeepEqual(value, want[name]) {
					t.Errorf("%s is %v, in the graph %v", name, value, want[name])
				}
			}
			if len(user.body) != 8 || (user.body["email"] != nil) != (who == "u1") {
				t.Error(user.raw)
			}
			profile := p.read(t, "/api/profile/user_u1?postsLimit=3&followersLimit=2", header...)
			if profile.status != http.StatusOK || len(profile.body) != 9 || !reflect.DeepEqual(profile.body["stats"], want["stats"]) {
				t.Error(profile.status, profile.raw)
			}
			posts := map[string]any{"items": at(t, want, "posts", "nodes"), "next": at(t, want, "posts", "pageInfo", "endCursor"), "total": at(t, want, "posts", "totalCount")}
			if !reflect.DeepEqual(profile.body["posts"], posts) {
				t.Errorf("posts are %v, in the graph %v", profile.body["posts"], posts)
			}
			followers := strings.ReplaceAll(fmt.Sprint(at(t, want, "followers", "edges")), "node:", "user:")
			if got := fmt.Sprint(at(t, profile.body, "followers", "items")); got != followers {
				t.Errorf("followers are %s, in the graph %s", got, followers)
			}
			next := at(t, profile.body, "posts", "next").(string)
			if more := p.read(t, "/api/profile/user_u1?postsAfter="+next, header...); at(t, more.body, "posts", "items", 0, "id") == at(t, profile.body, "posts", "items", 2, "id") {
				t.Error("the next page begins with the last post of the one before")
			}
		})
	}
}

// TestRESTListsEverybodyOnce follows the pages in both orders.
func TestRESTListsEverybodyOnce(t *testing.T) {
	server := serveREST(t, openGateway(t, demoURLs(t), nil))
	walk := func(order string) (ids []string) {
		after := ""
		for range 11 {
			got := sendREST(t, server, http.MethodGet, "/api/v1/users?limit=100&order="+order+after)
			if got.status != http.StatusOK || got.body["total"] != 1000.0 {
				t.Fatal(got.status, got.raw)
			}
			for _, item := range got.body["items"].([]any) {
				ids = append(ids, item.(map[string]any)["id"].(string))
			}
			next, ok := got.body["next"].(string)
			if !ok {
				return ids
			}
			after = "&after=" + url.QueryEscape(next)
		}
		t.Fatal("the pages never end")
		return nil
	}
	newest, oldest := walk("newest"), walk("oldest")
	if len(newest) != 1000 || len(slices.Compact(slices.Sorted(slices.Values(newest)))) != 1000 {
		t.Errorf("%d users", len(newest))
	}
	slices.Reverse(oldest)
	if !slices.Equal(newest, oldest) {
		t.Error("the orders are not each other's reverse")
	}
	standard := sendREST(t, server, http.MethodGet, "/api/users")
	if items := at(t, standard.body, "items").([]any); len(items) != 20 || at(t, standard.body, "items", 0, "id") != newest[0] {
		t.Error(standard.raw)
	}
	one := sendREST(t, server, http.MethodGet, "/api/users?handle=tarek_haddad")
	if at(t, one.body, "items", 0, "id") != "user_u1" || one.body["total"] != 1.0 || one.body["next"] != nil {
		t.Error(one.raw)
	}
	if none := sendREST(t, server, http.MethodGet, "/api/users?handle=nobody_at_all"); none.status != http.StatusOK || none.raw != `{"items":[],"next":null,"total":0}`+"\n" {
		t.Error(none.status, none.raw)
	}
}

func TestRESTRefusals(t *testing.T) {
	server := serveREST(t, openGateway(t, demoURLs(t), nil))
	for _, c := range []struct {
		method, path string
		status       int
		code, field  string
		header       []string
	}{
		{"GET", "/api/", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/posts", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/users/", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/users/user_u1/posts", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/users/user_u1%2Fposts", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/profile", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/profile/", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/v1/", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/v/users", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/v1/v1/users", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/v1/webhooks", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/users/user_none", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/profile/user_none", 404, "NOT_FOUND", "", nil},
		{"GET", "/api/users/u1", 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/users/post_p1", 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/users/user_%00", 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/users/%FF", 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/users/user_" + strings.Repeat("x", 65), 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/profile/nobody", 400, "BAD_REQUEST", "id", nil},
		{"GET", "/api/users?limit=0", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=101", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=-1", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=1e1", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=99999999999999999999", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?limit=1&limit=2", 400, "BAD_REQUEST", "limit", nil},
		{"GET", "/api/users?order=handle", 400, "BAD_REQUEST", "order", nil},
		{"GET", "/api/users?after=x", 400, "BAD_REQUEST", "after", nil},
		{"GET", "/api/users?after=%FF", 400, "BAD_REQUEST", "after", nil},
		{"GET", "/api/users?handle=", 400, "BAD_REQUEST", "handle", nil},
		{"GET", "/api/users?handle=a&limit=1", 400, "BAD_REQUEST", "handle", nil},
		{"GET", "/api/users?limt=1", 400, "BAD_REQUEST", "", nil},
		{"GET", "/api/users?%zz", 400, "BAD_REQUEST", "", nil},
		{"GET", "/api/users/user_u1?limit=1", 400, "BAD_REQUEST", "", nil},
		{"GET", "/api/profile/user_u1?postsLimit=0", 400, "BAD_REQUEST", "postsLimit", nil},
		{"GET", "/api/profile/user_u1?postsAfter=x", 400, "BAD_REQUEST", "postsAfter", nil},
		{"GET", "/api/profile/user_u1?followersLimit=x", 400, "BAD_REQUEST", "followersLimit", nil},
		{"GET", "/api/profile/user_u1?followersAfter=x", 400, "BAD_REQUEST", "followersAfter", nil},
		{"POST", "/api/users", 405, "METHOD_NOT_ALLOWED", "", nil},
		{"DELETE", "/api/users/user_u1", 405, "METHOD_NOT_ALLOWED", "", nil},
		{"OPTIONS", "/api/profile/user_u1", 405, "METHOD_NOT_ALLOWED", "", nil},
		{"GET", "/api/users/user_u1", 406, "NOT_ACCEPTABLE", "", []string{"Accept", "text/html"}},
		{"GET", "/api/users/user_u1", 406, "NOT_ACCEPTABLE", "", []string{"Accept", "application/json;q=0, text/*"}},
	} {
		t.Run(c.method+" "+c.path[:min(len(c.path), 60)], func(t *testing.T) {
			got := sendREST(t, server, c.method, c.path, c.header...)
			if got.status != c.status || got.body["code"] != c.code || got.body["status"] != float64(c.status) || got.body["title"] != http.StatusText(c.status) ||
				got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Cache-Control") != "no-store" || got.header.Get("ETag") != "" {
				t.Error(got.status, got.header, got.raw)
			}
			if faults, _ := got.body["errors"].([]any); (len(faults) == 1) != (c.field != "") || c.field != "" && at(t, faults, 0, "field") != c.field {
				t.Error(got.raw)
			}
			if (got.header.Get("Allow") == "GET, HEAD") != (c.status == 405) {
				t.Error(got.header)
			}
		})
	}
}

func TestRESTAnswersAreNotSentTwice(t *testing.T) {
	server := serveREST(t, openGateway(t, demoURLs(t), nil))
	const path = "/api/profile/user_u1"
	first := sendREST(t, server, http.MethodGet, path)
	tag := first.header.Get("ETag")
	if first.status != http.StatusOK || len(tag) != 34 || first.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(first.header.Get("Vary"), "Authorization") {
		t.Fatal(first.header)
	}
	for given, status := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, tag[:10]: 200} {
		got := sendREST(t, server, http.MethodGet, path, "If-None-Match", given)
		if got.status != status || (got.raw == "") != (status == 304) || got.header.Get("ETag") != tag {
			t.Errorf("If-None-Match: %s gives %d %s", given, got.status, got.raw)
		}
	}
	head := sendREST(t, server, http.MethodHead, path)
	if head.status != http.StatusOK || head.raw != "" || head.header.Get("ETag") != tag || head.header.Get("Content-Length") != fmt.Sprint(len(first.raw)) || head.header.Get("Content-Type") != "application/json" {
		t.Error(head.status, head.header)
	}
}
