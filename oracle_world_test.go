package main

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tributary/internal/demo"
)

// startWorld runs four services whose answers follow from what is asked and from X-Request-Id alone, faults among them: a call
// fails or not whatever keys it has, a key fails or not whatever else is asked with it. So two executors that gather different
// keys for one call see the same world. It keeps nothing; what is written is not there when it is read.
func startWorld(t *testing.T) map[string]string {
	t.Helper()
	urls := map[string]string{}
	for _, service := range demo.Services() {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := &asked{world: r.Header.Get("X-Request-Id"), service: service, method: r.Method, path: r.URL.Path, query: r.URL.Query()}
			a.faulty = a.roll("faulty") < 0.5
			status, body := a.answer(r)
			w.Header().Set("Content-Type", "application/json")
			if status >= 400 {
				w.Header().Set("Content-Type", "application/problem+json")
			}
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}))
		t.Cleanup(server.Close)
		urls[service] = server.URL
	}
	return urls
}

// asked is one call to a service of a world.
type asked struct {
	world, service, method, path string
	query                        url.Values
	faulty                       bool // in this world things fail
}

// number is drawn from the world and the parts, the same each time.
func (a *asked) number(parts ...string) uint64 {
	return hashed(append([]string{a.world}, parts...)...)
}

// roll is number as a share of 1.
func (a *asked) roll(parts ...string) float64 { return float64(a.number(parts...)%10_000) / 10_000 }

// fails says whether what the parts name fails in this world.
func (a *asked) fails(share float64, parts ...string) bool {
	return a.faulty && a.roll(append(parts, "fails")...) < share
}

func hashed(parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = h.Write([]byte(part + "\x00"))
	}
	n := h.Sum64() // its low bits depend on the last byte's alone
	n ^= n >> 31
	n *= 0x9e3779b97f4a7c15
	return n ^ n>>29
}

// keyParameters are those whose values are several keys, which have no say in whether a call fails.
var keyParameters = []string{"ids", "handles", "authorIds", "postIds", "userIds", "parentIds", "pairs"}

// keys are those that are asked for, and the name of their parameter; no name for a list of everything.
func (a *asked) keys() (name string, keys []string) {
	for _, name := range keyParameters {
		if joined := a.query.Get(name); joined != "" {
			return name, strings.Split(joined, ",")
		}
	}
	return "", nil
}

func (a *asked) answer(r *http.Request) (int, []byte) {
	name, keys := a.keys()
	without := url.Values{}
	for parameter, values := range a.query {
		if parameter != name {
			without[parameter] = values
		}
	}
	call := a.service + a.method + a.path + name + without.Encode()
	switch {
	case a.fails(0.10, call, "500"):
		return http.StatusInternalServerError, []byte(`{}`)
	case a.fails(0.02, call, "nonsense"):
		return http.StatusOK, []byte(`{"items":[`)
	case a.method != http.MethodGet:
		return a.write(r)
	}
	body, err := json.Marshal(a.read(name, keys))
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, body
}

// read answers a read in the form that its path has.
func (a *asked) read(name string, keys []string) any {
	switch {
	case strings.HasSuffix(a.path, "/counts"):
		counts := map[string]any{}
		for _, key := range keys {
			if !a.fails(0.06, a.path, key) {
				counts[key] = a.count(key)
			}
		}
		return map[string]any{"counts": counts}
	case name == "":
		return a.page("*")
	case name == "ids", name == "handles", name == "pairs":
		items := []any{}
		for _, key := range keys {
			if item := a.item(name, key); item != nil {
				items = append(items, item)
			}
		}
		return map[string]any{"items": items}
	case a.path == "/posts": // of several authors, merged
		return a.page(strings.Join(keys, ","))
	}
	groups := map[string]any{}
	for _, key := range keys {
		if !a.fails(0.06, a.path, key) {
			groups[key] = a.page(key)
		}
	}
	return map[string]any{"groups": groups}
}

func (a *asked) count(key string) any {
	n := hashed(a.path, key) % 50
	if a.service == "follower" {
		return map[string]any{"followers": n, "following": n / 2}
	}
	return n
}

// item is one entity or edge; nil where there is none.
func (a *asked) item(name, key string) map[string]any {
	if a.fails(0.06, a.service, key, "absent") {
		return nil
	}
	var item map[string]any
	switch {
	case name == "pairs":
		follower, followee, _ := strings.Cut(key, ":")
		if hashed(key)%2 == 0 {
			return nil
		}
		item = edgeOf(follower, followee, 0)
	case name == "handles":
		item = userOf("u" + strings.TrimPrefix(key, "handle_"))
	default:
		item = entityOf(a.service, key)
	}
	if item != nil && a.fails(0.04, a.service, key, "odd") {
		item["version"], item["followedAt"] = 0, nil // nobody can use that
	}
	return item
}

// page is the part of a list that is asked for.
func (a *asked) page(key string) map[string]any {
	list := a.list(key)
	positions := make([]string, len(list))
	for i, item := range list {
		positions[i] = positionOf(item)
	}
	start, end := 0, len(list)
	if i := slices.Index(positions, decodedCursor(a.query.Get("after"))); i >= 0 {
		start = i + 1
	}
	if i := slices.Index(positions, decodedCursor(a.query.Get("before"))); i >= 0 {
		end = max(i, start)
	}
	limit := min(atoi(a.query.Get("limit")), end-start)
	if a.query.Get("from") == "end" || (a.query.Get("from") == "" && a.query.Get("before") != "") {
		start = end - limit
	} else {
		end = start + limit
	}
	page := map[string]any{"items": list[start:end], "total": len(list)}
	if end < len(list) {
		page["next"] = "x"
	}
	if start > 0 {
		page["prev"] = "x"
	}
	return page
}
