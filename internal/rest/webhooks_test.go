package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const valid = `{"url": "http://127.0.0.1:9/hook", "events": ["post.*"]}`

func TestLifeOfAWebhook(t *testing.T) {
	s := newServer(t)
	made := s.send("ann", "POST", "/api/webhooks", `{"url": "http://127.0.0.1:9/hook", "events": ["post.*", "user.created"], "description": "mine"}`)
	id, _ := made.body["id"].(string)
	secret, _ := made.body["secret"].(string)
	if made.status != http.StatusCreated || made.header.Get("Location") != "/api/webhooks/"+id || !strings.HasPrefix(id, "wh_") ||
		!strings.HasPrefix(secret, "whsec_") || made.body["ownerId"] != "user_ann" || made.body["state"] != "ACTIVE" ||
		made.body["description"] != "mine" || fmt.Sprint(made.body["events"]) != "[post.* user.created]" {
		t.Fatal(made.status, made.raw)
	}
	for _, as := range []string{"ann", "admin", "key"} {
		got := s.send(as, "GET", "/api/webhooks/"+id, "")
		if got.status != http.StatusOK || got.body["url"] != "http://127.0.0.1:9/hook" || strings.Contains(got.raw, "whsec_") || got.header.Get("Cache-Control") != "no-store" {
			t.Error(as, got.status, got.raw)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		if got := s.send("bob", method, "/api/webhooks/"+id, ""); got.status != http.StatusNotFound || got.body["code"] != "NOT_FOUND" {
			t.Error(method, got.status, got.raw)
		}
	}
	if got := s.send("ann", "DELETE", "/api/webhooks/"+id, ""); got.status != http.StatusNoContent || got.raw != "" {
		t.Error(got.status, got.raw)
	}
	if got := s.send("ann", "DELETE", "/api/webhooks/"+id, ""); got.status != http.StatusNotFound {
		t.Error(got.status, got.raw)
	}
	if want := []int64{10, 1, 1, 1, 1, 10, 10, 10}; !slices.Equal(s.charged, want) {
		t.Errorf("charged %v", s.charged)
	}
}

func TestGivenSecret(t *testing.T) {
	s := newServer(t)
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
	for _, as := range []string{"admin", "key"} {
		got := s.send(as, "POST", "/api/webhooks", strings.Replace(valid, "{", `{"secret": "`+secret+`", `, 1))
		if got.status != http.StatusCreated || got.body["secret"] != secret || got.body["ownerId"] != nil {
			t.Error(got.status, got.raw)
		}
	}
	if got := s.send("ann", "POST", "/api/webhooks", strings.Replace(valid, "{", `{"secret": null, `, 1)); got.status != http.StatusCreated {
		t.Error(got.status, got.raw)
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t)
	many := `["` + strings.Repeat(`post.created","`, 50) + `*"]`
	for _, c := range []struct {
		as, method, path, body string
		status                 int
		code, field            string
	}{
		{"nobody", "GET", "", "", 401, "UNAUTHENTICATED", ""},
		{"nobody", "POST", "", valid, 401, "UNAUTHENTICATED", ""},
		{"stranger", "GET", "", "", 401, "UNAUTHENTICATED", ""},
		{"unknowable", "GET", "", "", 503, "SERVICE_UNAVAILABLE", ""},
		{"plain", "GET", "", "", 403, "FORBIDDEN", ""},
		{"plain", "POST", "", valid, 403, "FORBIDDEN", ""},
		{"machine", "POST", "", valid, 403, "FORBIDDEN", ""},
		{"frozen", "POST", "", valid, 403, "FORBIDDEN", ""},
		{"ann", "PUT", "", valid, 405, "METHOD_NOT_ALLOWED", ""},
		{"ann", "DELETE", "", "", 405, "METHOD_NOT_ALLOWED", ""},
		{"ann", "POST", "/wh_x", valid, 405, "METHOD_NOT_ALLOWED", ""},
		{"ann", "GET", "/wh_x", "", 404, "NOT_FOUND", ""},
		{"ann", "GET", "/wh_x~replay", "", 404, "NOT_FOUND", ""},
		{"ann", "GET", "/on_welcome", "", 404, "NOT_FOUND", ""},
		{"ann", "GET", "/", "", 404, "NOT_FOUND", ""},
		{"ann", "GET", "/wh_x/deliveries", "", 404, "NOT_FOUND", ""},
		{"ann", "GET", "?limit=0", "", 400, "BAD_REQUEST", ""},
		{"ann", "GET", "?limit=101", "", 400, "BAD_REQUEST", ""},
		{"ann", "GET", "?limit=x", "", 400, "BAD_REQUEST", ""},
		{"ann", "GET", "?after=wh_x", "", 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", "[" + valid + "]", 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", valid + valid, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", valid + "}", 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", valid[:20], 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `null`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"url": 1, "events": ["*"]}`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": "*"}`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"URL": "http://127.0.0.1", "events": ["*"]}`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "url": "http://127.0.0.2", "events": ["*"]}`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ["*"], "ownerId": "user_bob"}`, 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", "{\"url\": \"http://127.0.0.1/\xff\", \"events\": [\"*\"]}", 400, "BAD_REQUEST", ""},
		{"ann", "POST", "", `{"url": "` + strings.Repeat("x", 17<<10) + `"}`, 413, "BODY_TOO_LARGE", ""},
		{"ann", "POST", "", `{}`, 422, "INVALID", "url"},
		{"ann", "POST", "", `{"url": "ftp://127.0.0.1", "events": ["*"]}`, 422, "INVALID", "url"},
		{"ann", "POST", "", `{"url": "http://u:p@127.0.0.1", "events": ["*"]}`, 422, "INVALID", "url"},
		{"ann", "POST", "", `{"url": "https://10.0.0.1", "events": ["*"]}`, 422, "TARGET_NOT_ALLOWED", "url"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1"}`, 422, "INVALID", "events"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ["post.exploded"]}`, 422, "UNKNOWN_EVENT_TYPE", "events"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ` + many + `}`, 422, "INVALID", "events"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ["*"], "secret": ""}`, 422, "INVALID", "secret"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ["*"], "secret": "whsec_AAAA"}`, 422, "INVALID", "secret"},
		{"ann", "POST", "", `{"url": "http://127.0.0.1", "events": ["*"], "description": "` + strings.Repeat("x", 201) + `"}`, 422, "INVALID", "description"},
	} {
		t.Run(c.as+" "+c.method+c.path+" "+c.body[:min(len(c.body), 50)], func(t *testing.T) {
			got := s.send(c.as, c.method, "/api/webhooks"+c.path, c.body)
			if got.status != c.status || got.body["code"] != c.code || got.body["status"] != float64(c.status) || got.body["title"] != http.StatusText(c.status) ||
				got.body["detail"] == "" || got.header.Get("Content-Type") != "application/problem+json" {
				t.Error(got.status, got.raw)
			}
			faults, _ := got.body["errors"].([]any)
			if c.field != "" && (len(faults) != 1 || faults[0].(map[string]any)["field"] != c.field || faults[0].(map[string]any)["code"] != c.code) {
				t.Error(got.raw)
			}
			if (c.status == 401) != (got.header.Get("WWW-Authenticate") != "") || (c.status == 405) != (got.header.Get("Allow") != "") ||
				(c.status == 503) != (got.header.Get("Retry-After") != "") {
				t.Error(got.header)
			}
		})
	}
	if got := s.send("ann", "GET", "/api/webhooks", ""); fmt.Sprint(got.body["webhooks"]) != "[]" {
		t.Errorf("something was made: %s", got.raw)
	}
}

func TestMediaTypes(t *testing.T) {
	s := newServer(t)
	for media, status := range map[string]int{
		"application/json": 201, "application/json; charset=UTF-8": 201, "text/plain": 415, "application/json; charset=latin1": 415,
		"application/x-www-form-urlencoded": 415, "json": 415, ";": 415,
	} {
		if got := s.send("ann", "POST", "/api/webhooks", valid, "Content-Type", media); got.status != status || (status == 415) != (got.header.Get("Accept-Post") == "application/json") {
			t.Error(media, got.status, got.raw)
		}
	}
	if got := s.send("ann", "POST", "/api/webhooks", valid, "Content-Encoding", "gzip"); got.status != 415 {
		t.Error(got.status, got.raw)
	}
}

func TestPages(t *testing.T) {
	s := newServer(t)
	var made []string
	for i := range 5 {
		made = append(made, s.send("ann", "POST", "/api/webhooks", strings.Replace(valid, "hook", fmt.Sprint("hook", i), 1)).body["id"].(string))
	}
	s.send("bob", "POST", "/api/webhooks", valid)
	got := s.send("ann", "POST", "/api/webhooks", valid)
	if got.status != 422 || got.body["code"] != "TOO_MANY" {
		t.Error(got.status, got.raw)
	}
	var seen []string
	path, pages := "/api/webhooks?limit=2", 0
	for path != "" {
		got := s.send("ann", "GET", path, "")
		for _, each := range got.body["webhooks"].([]any) {
			seen = append(seen, each.(map[string]any)["id"].(string))
		}
		link, _, more := strings.Cut(got.header.Get("Link"), ">")
		path, pages = strings.TrimPrefix(link, "<"), pages+1
		if more != (got.body["next"] != nil) {
			t.Error(got.header, got.raw)
		}
	}
	if !slices.Equal(seen, made) || pages != 3 {
		t.Errorf("%d pages with %v, want %v", pages, seen, made)
	}
	if all := s.send("admin", "GET", "/api/webhooks", ""); len(all.body["webhooks"].([]any)) != 6 {
		t.Error(all.raw)
	}
	if got := s.send("ann", "HEAD", "/api/webhooks", ""); got.status != 200 || got.raw != "" {
		t.Error(got.status, got.raw)
	}
}

func TestThrottled(t *testing.T) {
	s := newServer(t)
	s.broke = true
	got := s.send("ann", "POST", "/api/webhooks", valid)
	if got.status != 429 || got.body["code"] != "THROTTLED" || got.header.Get("Retry-After") != "2" || got.header.Get("RateLimit") != "left" {
		t.Error(got.status, got.header, got.raw)
	}
	s.broke = false
	if got := s.send("ann", "GET", "/api/webhooks", ""); fmt.Sprint(got.body["webhooks"]) != "[]" {
		t.Error(got.raw)
	}
}

// TestAKeyMakesOneWebhook: the same request under the same key gives the same webhook, without the secret.
func TestAKeyMakesOneWebhook(t *testing.T) {
	s := newServer(t)
	first := s.send("ann", "POST", "/api/webhooks", valid, "Idempotency-Key", "k")
	again := s.send("ann", "POST", "/api/webhooks", valid, "Idempotency-Key", "k")
	if first.status != 201 || first.body["secret"] == nil || again.status != 201 || again.body["id"] != first.body["id"] || again.body["secret"] != nil {
		t.Errorf("%d %v, again %d %v", first.status, first.body["id"], again.status, again.body["id"])
	}
	other := s.send("ann", "POST", "/api/webhooks", strings.Replace(valid, "http", "https", 1), "Idempotency-Key", "k")
	if other.status != 422 || other.body["code"] != "IDEMPOTENCY_KEY_REUSED" {
		t.Error(other.raw)
	}
}
