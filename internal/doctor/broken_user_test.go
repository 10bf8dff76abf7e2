package doctor

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// brokenUsers are the ways in which the reads of a user service can be broken, subject by subject.
func brokenUsers() []broken {
	return slices.Concat(brokenItems(), brokenBodies(), brokenCursors(), brokenPaging(), brokenBatches(), brokenHealth(), brokenProblems())
}

func isUserPage(r *http.Request) bool {
	q := r.URL.Query()
	return r.URL.Path == "/users" && !q.Has("ids") && !q.Has("handles")
}

// pages answers pages of users as something else, with the same body where none is given.
func pages(media, body string) fault {
	return fault{answer: func(r *http.Request, a *passing) {
		if isUserPage(r) && a.status == http.StatusOK {
			a.header.Set("Content-Type", media)
			if body != "" {
				a.body = []byte(body)
			}
		}
	}}
}

func brokenItems() []broken {
	return []broken{
		{"wrong order", onList("/users", func(tree map[string]any) { slices.Reverse(listOf(tree)) }), []string{"list.order"}},
		{"null items", onList("/users", func(tree map[string]any) { tree["items"] = nil }), []string{"list.schema"}},
		{"null item", onList("/users", func(tree map[string]any) { tree["items"] = append(listOf(tree), nil) }), []string{"list.schema"}},
		{"version as text", onList("/users", func(tree map[string]any) {
			for _, it := range listOf(tree) {
				members(it)["version"] = "1"
			}
		}), []string{"list.schema"}},
		{"absent instead of null", onList("/users", func(tree map[string]any) {
			for _, it := range listOf(tree) {
				delete(members(it), "bio")
			}
		}), []string{"list.schema"}},
		{"time with an offset", onList("/users", func(tree map[string]any) {
			for _, it := range listOf(tree) {
				members(it)["createdAt"] = "2025-01-01T00:00:00+01:00"
			}
		}), []string{"list.schema"}},
	}
}

func brokenBodies() []broken {
	return []broken{
		{"HTML", pages("text/html", "<h1>Users</h1>"), []string{"list.content-type"}},
		{"JSON called text", pages("text/plain", ""), []string{"list.content-type"}},
		{"HTML called JSON", pages("application/json", "<h1>Users</h1>"), []string{"list.schema"}},
		{"bytes that are not UTF-8", pages("application/json", "{\"items\":[],\"a\":\"\xff\"}"), []string{"list.schema"}},
		{"rubbish behind the JSON", pages("application/json", `{"items":[],"next":null,"prev":null,"total":0} {}`), []string{"list.schema"}},
	}
}

func brokenCursors() []broken {
	return []broken{
		{"cursor of another item", onList("/users", func(tree map[string]any) {
			if list := listOf(tree); len(list) > 1 && tree["next"] != nil {
				first := members(list[0])
				at, _ := decodeCursor(textOf(tree["next"]))
				tree["next"] = encodeCursor(at.at, textOf(first["id"]))
			}
		}), []string{"list.cursors"}},
		{"cursor that is no position", onList("/users", func(tree map[string]any) {
			if tree["next"] != nil {
				tree["next"] = "cGFnZS0y"
			}
		}), []string{"list.cursors"}},
		{"next on the last page", onList("/users", func(tree map[string]any) {
			if list := listOf(tree); len(list) > 0 && tree["next"] == nil {
				last := members(list[len(list)-1])
				tree["next"] = encodeCursor(timeOf(last), textOf(last["id"]))
			}
		}), []string{"list.cursors"}},
		{"total off by one", onList("/users", func(tree map[string]any) { tree["total"] = plus(tree["total"], 1) }), []string{"list.total"}},
		{"total of the page", onList("/users", func(tree map[string]any) { tree["total"] = len(listOf(tree)) }), []string{"list.cursors"}},
	}
}

func brokenPaging() []broken {
	return []broken{
		{"after ignored", onQuery("/users", func(q url.Values) { dropValid(q, "after") }), []string{"list.pages-forward"}},
		{"before ignored", onQuery("/users", func(q url.Values) { dropValid(q, "before") }), []string{"list.pages-back"}},
		{"from ignored", onQuery("/users", func(q url.Values) {
			if q.Get("from") == "end" {
				q.Del("from")
			}
		}), []string{"list.from-end"}},
		{"limit beyond its bounds taken", onQuery("/users", func(q url.Values) {
			if q.Get("limit") == "501" {
				q.Set("limit", "500")
			}
		}), []string{"list.limit-refused"}},
		{"malformed cursors taken", onQuery("/users", func(q url.Values) {
			for _, name := range []string{"after", "before"} {
				if _, err := decodeCursor(q.Get(name)); err != nil {
					q.Del(name)
				}
			}
		}), []string{"list.cursor-refused"}},
		{"other words for from taken", onQuery("/users", func(q url.Values) {
			if q.Get("from") == "middle" {
				q.Del("from")
			}
		}), []string{"list.from-refused"}},
		{"small default limit", onQuery("/users", func(q url.Values) {
			if len(q) == 0 || q.Has("utm_source") {
				q.Set("limit", "10")
			}
		}), []string{"list.limit"}},
		{"unknown parameters refused", status(func(r *http.Request) bool { return r.URL.Query().Has("utm_source") }, 400, "BAD_REQUEST", nil), []string{"list.unknown-parameters"}},
		{"frozen users listed", onList("/users", func(tree map[string]any) {
			for _, it := range listOf(tree) {
				members(it)["status"] = "frozen"
			}
		}), []string{"list.active-only"}},
	}
}

func brokenBatches() []broken {
	return []broken{
		{"extra item", onPath("/users", func(r *http.Request, tree map[string]any) {
			if list := listOf(tree); r.URL.Query().Has("ids") && len(list) > 0 {
				extra := without(members(list[0]), "id", "someone-else")
				tree["items"] = append(list, extra)
			}
		}), []string{"batch.only-asked"}},
		{"duplicates answered twice", onPath("/users", func(r *http.Request, tree map[string]any) {
			ids := strings.Split(r.URL.Query().Get("ids"), ",")
			if list := listOf(tree); len(list) == 1 && len(ids) > 1 && ids[0] == ids[1] {
				tree["items"] = append(list, list[0])
			}
		}), []string{"batch.duplicates-once"}},
		{"500 on an unknown id", status(func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Query().Get("ids"), "~d") && len(r.URL.RawQuery) < 20
		}, 500, "INTERNAL", nil), []string{"batch.missing-left-out"}},
		{"404 on an unknown id", status(func(r *http.Request) bool {
			return strings.Contains(r.URL.Query().Get("ids"), ",~d") && len(r.URL.RawQuery) < 100
		}, 404, "NOT_FOUND", nil), []string{"batch.missing-left-out"}},
		{"batch differs from list", onPath("/users", func(r *http.Request, tree map[string]any) {
			for _, it := range listOf(tree) {
				if r.URL.Query().Has("ids") {
					members(it)["name"] = "Someone"
				}
			}
		}), []string{"batch.found"}},
		{"too many ids taken", onQuery("/users", func(q url.Values) {
			if ids := strings.Split(q.Get("ids"), ","); len(ids) > 500 {
				q.Set("ids", strings.Join(ids[:500], ","))
			}
		}), []string{"batch.too-many-refused"}},
		{"big batch refused", status(func(r *http.Request) bool { return strings.Count(r.URL.Query().Get("ids"), ",") == 499 }, 400, "BAD_REQUEST", nil), []string{"batch.full"}},
		{"malformed ids taken", onQuery("/users", func(q url.Values) {
			if q.Has("ids") {
				q.Set("ids", strings.NewReplacer(" ", "", "/", "", "ä", "a").Replace(q.Get("ids")))
			}
		}), []string{"batch.malformed-refused"}},
		{"handles by their case", fault{answer: func(r *http.Request, a *passing) {
			if handles := r.URL.Query().Get("handles"); strings.ToLower(handles) != handles {
				a.change(func(tree map[string]any) { tree["items"] = []any{} })
			}
		}}, []string{"handles.any-case"}},
		{"ids and handles together taken", onQuery("/users", func(q url.Values) {
			if q.Has("ids") {
				q.Del("handles")
			}
		}), []string{"batch.ids-and-handles"}},
	}
}

func brokenHealth() []broken {
	var once atomic.Bool
	return []broken{
		{"health in other words", onPath("/healthz", func(_ *http.Request, tree map[string]any) { tree["status"] = "up" }), []string{"health.schema"}},
		{"no health", status(func(r *http.Request) bool { return r.URL.Path == "/healthz" }, 404, "NOT_FOUND", nil), []string{"healthy"}},
		{"no Retry-After", status(func(r *http.Request) bool { return isUserPage(r) && once.CompareAndSwap(false, true) }, 503, "UNAVAILABLE", nil), []string{"answers.retry-after"}},
		{"503 all along", status(isUserPage, 503, "UNAVAILABLE", http.Header{"Retry-After": {"0"}}), []string{"answers.available"}},
		{"405 without Allow", fault{answer: func(_ *http.Request, a *passing) { a.header.Del("Allow") }}, []string{"problem.method"}},
		{"200 for an unknown path", fault{answer: func(r *http.Request, a *passing) {
			if r.URL.Path == "/no-such-path" {
				a.status, a.header, a.body = 200, http.Header{"Content-Type": {"text/html"}}, []byte("<h1>App</h1>")
			}
		}}, []string{"problem.unknown-path"}},
	}
}

func brokenProblems() []broken {
	return []broken{
		{"problems as plain text", fault{answer: func(_ *http.Request, a *passing) {
			if a.status >= 400 {
				a.header.Set("Content-Type", "text/plain")
				a.body = []byte("no")
			}
		}}, []string{"problem.content-type", "problem.method"}},
		{"problems without a code", fault{answer: func(_ *http.Request, a *passing) {
			if a.status == 400 {
				a.body = []byte(`{"type":"about:blank","title":"Bad","status":400,"detail":"no"}`)
			}
		}}, []string{"problem.schema"}},
		{"another status in the problem", fault{answer: func(_ *http.Request, a *passing) {
			if a.status == 405 {
				a.body = []byte(`{"type":"about:blank","title":"Bad","status":404,"detail":"no","code":"METHOD_NOT_ALLOWED"}`)
			}
		}}, []string{"problem.schema"}},
		{"a list that hangs", fault{instead: func(_ http.ResponseWriter, r *http.Request) bool {
			if isUserPage(r) {
				<-r.Context().Done()
			}
			return isUserPage(r)
		}}, []string{"answers.timely"}},
		{"a huge body", fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
			if isUserPage(r) {
				w.Header().Set("Content-Type", "application/json")
				io.CopyN(w, endless{}, 200<<20) //nolint:errcheck // it is cut off
			}
			return isUserPage(r)
		}}, []string{"answers.bounded"}},
		{"a body that breaks off", fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
			if isUserPage(r) {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, `{"items":[`)
				panic(http.ErrAbortHandler)
			}
			return false
		}}, []string{"answers.whole"}},
		{"a wrong token refused as 500", fault{answer: func(r *http.Request, a *passing) {
			if r.Header.Get("Authorization") == "" && r.URL.Path != "/healthz" {
				a.problem(500, "INTERNAL")
			}
		}}, []string{"access.without-token"}},
		{"nobody is let in", status(func(r *http.Request) bool { return r.URL.Path != "/healthz" }, 401, "UNAUTHENTICATED", nil), []string{"access"}},
	}
}
