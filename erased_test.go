package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
)

// The traces of a person that must be gone. Each stands in what she wrote and nowhere else.
var traces = []string{"erased_person", "erased_given_name", "erased_post_text", "erased_draft_text", "erased_scheduled_text", "erased_biography"}

// TestAnErasedPersonIsNowhere has a person leave traces wherever there are any, and erases her. The processes are killed at once: no tidying
// on their way out helps.
func TestAnErasedPersonIsNowhere(t *testing.T) {
	torture(t)
	for _, shared := range []bool{false, true} {
		t.Run(map[bool]string{true: "Redis", false: "files"}[shared], func(t *testing.T) {
			t.Parallel()
			var redis *redistest.Server
			exports := t.TempDir()
			if shared {
				redis = redistest.Start(t)
			}
			echo := startEcho(t)
			s := startStage(t, families(t, 1), redis, "--account-grace", "0s", "--export-dir", exports, "--webhook-allow-http", "--webhook-allow-networks", "127.0.0.0/8")
			dirs := map[string]string{"gateway": s.dataDir, "demo": s.demoDir, "exports": exports}
			if shared {
				dirs["Redis"] = redis.Client().ConfigGet(t.Context(), "dir").Val()["dir"]
			}
			id := s.leaveTraces(t, echo)
			if redis != nil {
				rewriteAppendOnly(t, redis.Client())
			}
			for what, dir := range dirs {
				if what != "exports" && len(holding(t, dir)) == 0 {
					t.Errorf("%s: nothing to erase", what)
				}
			}
			if state := s.ended(t, s.begin(t, deletion, map[string]any{"id": "user_" + id})); state != work.Completed {
				t.Fatal(state)
			}
			s.gateway.kill()
			s.demos.kill()
			if redis != nil {
				rewriteAppendOnly(t, redis.Client())
			}
			for what, dir := range dirs {
				for _, found := range holding(t, dir) {
					t.Errorf("%s: %s", what, found)
				}
			}
			if files, _ := filepath.Glob(filepath.Join(exports, "*.zip")); len(files) > 0 {
				t.Errorf("exports: %v", files)
			}
			for _, trace := range traces {
				if strings.Contains(s.gateway.stderr.String()+s.demos.stderr.String(), trace) {
					t.Errorf("a log says %s", trace)
				}
			}
		})
	}
}

// startEcho is a receiver that answers with what it gets, now and then as a failure.
func startEcho(t *testing.T) *echo {
	t.Helper()
	e := &echo{}
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if e.got.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(e.server.Close)
	return e
}

type echo struct {
	server *httptest.Server
	got    atomic.Int64
}

// leaveTraces makes a person who does everything that is kept anywhere.
func (s *stage) leaveTraces(t *testing.T, e *echo) (id string) {
	t.Helper()
	const made = `mutation ($input: CreateWebhookInput!) { x: createWebhook(input: $input) { userErrors { code } } }`
	if _, code := s.command(t, s.admin, made, map[string]any{"input": map[string]any{"url": e.server.URL, "eventTypes": []string{"*"}}}); code != "" {
		t.Fatal(code)
	}
	id = s.person(t)
	token := s.issuer.token(t, map[string]any{"sub": id, "scope": "webhooks"})
	for _, mutation := range []string{
		`mutation { x: createWebhook(input: {url: "` + e.server.URL + `", eventTypes: ["*"], description: "erased_given_name"}) { userErrors { code } } }`,
		`mutation { x: updateUser(input: {id: "user_` + id + `", bio: "erased_biography"}) { userErrors { code } } }`,
		`mutation { x: createPost(input: {title: "erased_post_text", body: "erased_post_text", publish: true}) { userErrors { code } } }`,
		`mutation { x: createPost(input: {title: "erased_draft_text", body: "erased_draft_text", publish: false}) { userErrors { code } } }`,
		`mutation { x: schedulePost(input: {title: "erased_scheduled_text", body: "erased_scheduled_text", publishAt: "` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}) { userErrors { code } } }`,
		`mutation { x: addComment(input: {postId: "post_v00p", body: "to the point"}) { userErrors { code } } }`,
		`mutation { x: follow(input: {userId: "user_v00a"}) { userErrors { code } } }`,
	} {
		if _, code := s.command(t, token, mutation, nil); code != "" {
			t.Fatalf("%s: %s", mutation, code)
		}
	}
	x, code := s.command(t, token, `mutation { x: requestDataExport { job { id } userErrors { code } } }`, nil)
	if code != "" {
		t.Fatal(code)
	}
	job := at(t, x, "job", "id")
	eventuallySo(t, "the export is there", func() bool {
		a, err := s.ask(t.Context(), s.url, token, `query ($id: ID!) { job(id: $id) { state } }`, map[string]any{"id": job})
		return err == nil && at(t, a.Data, "job", "state") == "COMPLETED"
	})
	eventuallySo(t, "the mail is sent", func() bool {
		mails, _ := filepath.Glob(filepath.Join(s.dataDir, "mail", "*.eml"))
		return len(mails) > 0
	})
	eventuallySo(t, "her doings are delivered", func() bool { return e.got.Load() > 20 })
	return id
}

// person makes an account with an address.
func (s *stage) person(t *testing.T) (id string) {
	t.Helper()
	body := `{"handle":"erased_person","name":"erased_given_name","email":"erased_person@example.org"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.gates.urls["user"]+"/users", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "a key of hers")
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var user struct{ ID string }
	if err := json.NewDecoder(response.Body).Decode(&user); err != nil || user.ID == "" {
		t.Fatal(response.Status, err)
	}
	return user.ID
}

// rewriteAppendOnly has Redis write down nothing but what it has now, uncompressed.
func rewriteAppendOnly(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	if err := client.ConfigSet(t.Context(), "rdbcompression", "no").Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.BgRewriteAOF(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	eventuallySo(t, "the append-only file is written anew", func() bool {
		info := client.Info(t.Context(), "persistence").Val()
		return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	})
}

// holding are the files under a directory that have a trace in them, each with it and what stands around it.
func holding(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, trace := range traces {
			if i := bytes.Index(content, []byte(trace)); i >= 0 {
				found = append(found, strings.TrimPrefix(path, dir)+": "+strings.ToValidUTF8(string(content[max(0, i-60):min(len(content), i+60)]), "?"))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
