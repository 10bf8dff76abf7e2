package doctor

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestBrokenWritesAreNamed(t *testing.T) {
	t.Parallel()
	n := openNetwork(t).people(t)
	for _, service := range []string{"user", "post", "comment", "follower"} {
		for _, b := range brokenWrites(n)[service] {
			t.Run(service+"/"+b.name, func(t *testing.T) { n.expectBreaches(t, service, b, writing) })
		}
	}
}

// onWrite edits the answers of writes whose path ends like that.
func onWrite(method, suffix string, edit func(r *http.Request, a *passing)) fault {
	return fault{answer: func(r *http.Request, a *passing) {
		if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
			edit(r, a)
		}
	}}
}

// without the header: the service acts as if it knew nothing of it.
func deaf(header string) fault {
	return fault{request: func(r *http.Request) { r.Header.Del(header) }}
}

// mute takes a header out of answers.
func mute(header string) fault {
	return fault{answer: func(_ *http.Request, a *passing) { a.header.Del(header) }}
}

// swallowed answers 204 without doing anything.
func swallowed(method, suffix string) fault {
	return fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
			w.WriteHeader(http.StatusNoContent)
			return true
		}
		return false
	}}
}

// becomes turns one status of a kind of write into another.
func becomes(method, suffix string, from, to int, code string) fault {
	return onWrite(method, suffix, func(_ *http.Request, a *passing) {
		if a.status == from {
			a.problem(to, code)
		}
	})
}

// body changes what a kind of write sends.
func body(method, suffix string, edit func(tree map[string]any)) fault {
	return fault{request: func(r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var tree map[string]any
		if err == nil && r.Method == method && strings.HasSuffix(r.URL.Path, suffix) && json.Unmarshal(raw, &tree) == nil {
			edit(tree)
			raw, _ = json.Marshal(tree)
		}
		r.Body = io.NopCloser(strings.NewReader(string(raw)))
		r.ContentLength = int64(len(raw))
	}}
}

func brokenWrites(n *network) map[string][]broken {
	return map[string][]broken{
		"user": append(brokenUserWrites(), broken{"If-Match ignored", fault{request: func(r *http.Request) {
			if r.Method != http.MethodPatch || r.Header.Get("Idempotency-Key") != "" || !strings.HasPrefix(r.Header.Get("If-Match"), `"`) {
				return
			}
			for version := range 6 { // no user of a run gets further
				if !n.hasVersion(r, version) {
					continue
				}
				r.Header.Set("If-Match", strconv.Quote(strconv.Itoa(version)))
			}
		}}, []string{"patch.version-mismatch"}}),
		"post": brokenPostWrites(), "comment": brokenCommentWrites(), "follower": brokenEdgeWrites(),
	}
}

// hasVersion asks the healthy service for the version of the user in a path.
func (n *network) hasVersion(r *http.Request, version int) bool {
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, n.urls["user"]+"/users?ids="+id, nil)
	req.Header = http.Header{"Authorization": r.Header["Authorization"]}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var batch struct{ Items []struct{ Version int } }
	return json.NewDecoder(res.Body).Decode(&batch) == nil && len(batch.Items) == 1 && batch.Items[0].Version == version
}

func brokenUserWrites() []broken {
	var frozen sync.Map
	return []broken{
		{"no idempotency", deaf("Idempotency-Key"), []string{"fence.done", "fence.late", "idempotency.malformed", "idempotency.patch", "idempotency.replay", "idempotency.reused"}},
		{"replays not marked", mute("Idempotency-Replayed"), []string{"idempotency.patch", "idempotency.replay"}},
		{"no ETag", mute("ETag"), []string{"write.etag"}},
		{"no Location", mute("Location"), []string{"create.location"}},
		{"200 instead of 201", onWrite(http.MethodPost, "/users", func(_ *http.Request, a *passing) {
			if a.status == 201 {
				a.status = 200
			}
		}), []string{"create.entity"}},
		{"handles keep their case", onWrite(http.MethodPost, "/users", func(_ *http.Request, a *passing) {
			a.change(func(map[string]any) {})
			if a.status == 201 {
				a.body = []byte(strings.ReplaceAll(string(a.body), `"doctor_`, `"Doctor_`))
			}
		}), []string{"create.schema"}},
		{"handles spelled otherwise", body(http.MethodPost, "/users", func(tree map[string]any) {
			if handle := textOf(tree["handle"]); strings.HasPrefix(handle, "DOCTOR_") {
				tree["handle"] = handle + "x"
			}
		}), []string{"create.handle-lower-cased", "create.handle-taken"}},
		{"a new user is not listed", onPath("/users", func(r *http.Request, tree map[string]any) {
			if r.URL.Query().Get("limit") == "5" {
				tree["items"], tree["next"], tree["prev"] = []any{}, nil, nil
			}
		}), []string{"create.readable", "delete.version-mismatch", "freeze.restored", "restore.undoes"}},
		{"a freeze that does nothing", onWrite(http.MethodPost, "/freeze", func(_ *http.Request, a *passing) {
			a.change(func(tree map[string]any) { tree["status"] = "active" })
		}), []string{"freeze.freezes"}},
		{"a restore that forgets", onWrite(http.MethodPost, "/restore", func(_ *http.Request, a *passing) {
			a.change(func(tree map[string]any) { tree["name"] = "Nobody" })
		}), []string{"freeze.restored", "restore.undoes"}},
		{"a malformed If-Match overlooked", fault{request: func(r *http.Request) {
			if r.Header.Get("If-Match") == "yesterday" {
				r.Header.Del("If-Match")
			}
		}}, []string{"patch.malformed-if-match"}},
		{"errors of other fields", fault{answer: func(_ *http.Request, a *passing) {
			a.body = []byte(strings.ReplaceAll(string(a.body), `"field":"`, `"field":"user.`))
		}}, []string{"create.handle-taken", "create.invalid", "patch.invalid"}},
		{"INVALID without errors", fault{answer: func(_ *http.Request, a *passing) {
			if a.status == 422 && strings.Contains(string(a.body), `"INVALID"`) {
				a.problem(422, "INVALID")
			}
		}}, []string{"problem.schema"}},
		{"412 without the version", fault{answer: func(_ *http.Request, a *passing) {
			if a.status == 412 {
				a.problem(412, "VERSION_MISMATCH")
			}
		}}, []string{"problem.schema"}},
		{"no 428", becomes(http.MethodPatch, "", 428, 400, "BAD_REQUEST"), []string{"patch.precondition-required"}},
		{"no 415", becomes(http.MethodPost, "", 415, 400, "BAD_REQUEST"), []string{"create.media-type"}},
		{"no 413", becomes(http.MethodPost, "", 413, 422, "IDEMPOTENCY_KEY_REUSED"), []string{"create.too-large"}},
		{"a patch that answers what was", onWrite(http.MethodPatch, "", func(_ *http.Request, a *passing) {
			a.change(func(tree map[string]any) { tree["bio"] = "as before" })
		}), []string{"patch.changes", "patch.merge-patch"}},
		{"a version that jumps", onWrite(http.MethodPatch, "", func(_ *http.Request, a *passing) {
			a.change(func(tree map[string]any) {
				tree["version"] = plus(tree["version"], 1)
				version, _ := tree["version"].(int64)
				a.header.Set("ETag", strconv.Quote(strconv.FormatInt(version, 10)))
			})
		}), []string{"patch.changes", "patch.merge-patch", "patch.unchanged"}},
		{"a delete that does nothing", swallowed(http.MethodDelete, ""), []string{"delete.gone", "delete.unknown", "delete.version-mismatch"}},
		{"204 for what is gone", fault{answer: func(r *http.Request, a *passing) {
			if r.Method == http.MethodDelete && a.status == 404 {
				a.status, a.header, a.body = 204, http.Header{}, nil
			}
		}}, []string{"delete.twice", "delete.unknown"}},
		{"restore of what stands", becomes(http.MethodPost, "/restore", 409, 400, "BAD_REQUEST"), []string{"fence.late", "restore.conflict"}},
		{"a restore that is refused forgets its fence", fault{request: func(r *http.Request) {
			if id, restores := strings.CutSuffix(r.URL.Path, "/restore"); restores && len(r.Header.Get("Idempotency-Fence")) < 256 {
				if _, undoes := frozen.Load(id); !undoes {
					r.Header.Del("Idempotency-Fence")
				}
			} else if id, freezes := strings.CutSuffix(r.URL.Path, "/freeze"); freezes {
				frozen.Store(id, true)
			}
		}}, []string{"fence.late"}},
		{"a purge that only deletes", fault{request: func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/purge") && !strings.Contains(r.URL.Path, "~d") {
				r.Method, r.URL.Path = http.MethodDelete, strings.TrimSuffix(r.URL.Path, "/purge")
			}
		}}, []string{"purge.final"}},
		{"a purge that fails", becomes(http.MethodPost, "/purge", 204, 500, "INTERNAL"), []string{"cleanup", "purge.final"}},
	}
}

func brokenPostWrites() []broken {
	var again sync.Map
	return []broken{
		{"published by default", body(http.MethodPost, "/posts", func(tree map[string]any) {
			if tree["status"] == nil {
				tree["status"] = "published"
			}
		}), []string{"create.draft-by-default"}},
		{"a patch publishes without a time", onWrite(http.MethodPatch, "", func(_ *http.Request, a *passing) {
			a.change(func(tree map[string]any) { tree["publishedAt"] = nil })
		}), []string{"patch.changes", "patch.merge-patch", "patch.publishes"}},
		{"a second hide counts again", onWrite(http.MethodPost, "/hide", func(r *http.Request, a *passing) {
			first, done := again.LoadOrStore(r.URL.Path, string(a.body))
			if done && r.Header.Get("Idempotency-Key") == "" {
				a.body = []byte(first.(string))
			}
		}), []string{"hide-all.again"}},
		{"a second restore counts again", onWrite(http.MethodPost, "/restore", func(r *http.Request, a *passing) {
			if first, done := again.LoadOrStore(r.URL.Path, string(a.body)); done && a.status == http.StatusOK {
				a.body = []byte(first.(string))
			}
		}), []string{"hide-all.restored-again", "transfer-all.restored-again"}},
		{"back to draft taken", body(http.MethodPatch, "", func(tree map[string]any) {
			if tree["status"] == "draft" {
				delete(tree, "status")
			}
		}), []string{"patch.publishes-for-good"}},
		{"hide leaves drafts alone", onWrite(http.MethodPost, "/hide", func(_ *http.Request, a *passing) {
			a.body = []byte(strings.ReplaceAll(string(a.body), "3", "2"))
		}), []string{"hide-all.affected"}},
		{"bulk writes without idempotency", fault{request: func(r *http.Request) {
			if strings.Contains(r.URL.Path, "/by-author/") {
				r.Header.Del("Idempotency-Key")
			}
		}}, []string{"fence.done", "fence.late", "hide-all.replayed"}},
		{"fences unknown", deaf("Idempotency-Fence"), []string{"fence.done", "fence.late", "fence.malformed"}},
		{"a fenced key still repeats its answer", fault{answer: func(r *http.Request, a *passing) {
			key := r.Header.Get("Idempotency-Key")
			if first, done := again.LoadOrStore(key, *a); done && key != "" && a.status == http.StatusConflict {
				*a = first.(passing)
			}
		}}, []string{"fence.done"}},
		{"transfer keeps nothing to undo", fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "-transfer/restore") {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, `{"affected":0}`) //nolint:errcheck // the doctor has gone
				return true
			}
			return false
		}}, []string{"transfer-all.restored"}},
		{"transfer to nobody", becomes(http.MethodPost, "/transfer", 422, 400, "BAD_REQUEST"), []string{"transfer-all.invalid"}},
	}
}

func brokenCommentWrites() []broken {
	var deleted sync.Map
	note := func(r *http.Request) {
		if r.Method == http.MethodDelete {
			deleted.Store(strings.TrimPrefix(r.URL.Path, "/comments/"), true)
		}
	}
	orphan := body(http.MethodPost, "/comments", func(tree map[string]any) {
		if _, gone := deleted.Load(textOf(tree["parentId"])); gone {
			delete(tree, "parentId")
		}
	})
	empty := func(page map[string]any) { page["items"], page["next"], page["prev"] = []any{}, nil, nil }
	return []broken{
		{"any parent", body(http.MethodPost, "/comments", func(tree map[string]any) {
			if parent, _ := tree["parentId"].(string); strings.HasPrefix(parent, "~d") {
				delete(tree, "parentId")
			}
		}), []string{"create.invalid"}},
		{"deleted parents", fault{request: func(r *http.Request) {
			note(r)
			orphan.request(r)
		}}, []string{"create.parent-deleted"}},
		{"a reply that is nowhere", onPath("/comments/replies", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				if r.URL.Query().Get("limit") == "5" {
					empty(members(page))
				}
			}
		}), []string{"create.reply"}},
		{"a deleted comment takes its replies along", onPath("/comments/by-post", func(r *http.Request, tree map[string]any) {
			for _, page := range members(tree["groups"]) {
				list := listOf(members(page))
				if len(list) > 0 && r.URL.Query().Get("limit") == "5" && members(list[0])["status"] == "deleted" {
					empty(members(page))
				}
			}
		}), []string{"delete.with-replies"}},
		{"parents of another post", body(http.MethodPost, "/comments", func(tree map[string]any) {
			if post, _ := tree["postId"].(string); strings.HasSuffix(post, "-other") {
				delete(tree, "parentId")
			}
		}), []string{"create.parent-of-another-post"}},
		{"anonymise deletes the text", fault{answer: func(r *http.Request, a *passing) {
			if r.Method == http.MethodGet && r.URL.Path == "/comments" {
				a.change(func(tree map[string]any) {
					for _, it := range listOf(tree) {
						if it := members(it); it["authorId"] == nil && it["status"] == "published" {
							it["body"] = "gone"
						}
					}
				})
			}
		}}, []string{"anonymise-all.affected"}},
		{"deleted comments can be changed", onWrite(http.MethodPatch, "", func(_ *http.Request, a *passing) {
			if a.status == 404 {
				a.problem(409, "CONFLICT")
			}
		}), []string{"patch.deleted", "patch.unknown"}},
	}
}

func brokenEdgeWrites() []broken {
	var once atomic.Bool
	return []broken{
		{"no Location", mute("Location"), []string{"follow.creates"}},
		{"always 201", onWrite(http.MethodPut, "", func(_ *http.Request, a *passing) {
			if a.status == 200 {
				a.status = 201
				a.header.Set("Location", "/")
			}
		}), []string{"follow.again"}},
		{"one may follow oneself", fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
			if parts := strings.Split(r.URL.Path, "/"); r.Method == http.MethodPut && parts[2] == parts[3] {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("ETag", `"1"`)
				w.WriteHeader(http.StatusCreated)
				json.NewEncoder(w).Encode(map[string]any{"followerId": parts[2], "followeeId": parts[3], "followedAt": "2026-01-01T00:00:00Z", "version": 1}) //nolint:errcheck // the doctor has gone
				return true
			}
			return false
		}}, []string{"follow.oneself"}},
		{"an unfollow that does nothing", swallowed(http.MethodDelete, ""), []string{"unfollow.gone"}},
		{"throttled once", fault{instead: func(w http.ResponseWriter, r *http.Request) bool {
			throttled := r.Method == http.MethodPut && once.CompareAndSwap(false, true)
			if throttled {
				w.Header().Set("Content-Type", "application/problem+json")
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				io.WriteString(w, `{"type":"about:blank","title":"T","status":429,"detail":"D","code":"THROTTLED"}`) //nolint:errcheck // the doctor has gone
			}
			return throttled
		}}, []string{}},
		{"remove of one side", onWrite(http.MethodPost, "/remove", func(_ *http.Request, a *passing) {
			a.body = []byte(strings.ReplaceAll(string(a.body), "3", "2"))
		}), []string{"remove-all.affected"}},
	}
}
