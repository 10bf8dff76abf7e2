package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// pinnedKey makes an API key of an admin's right, pinned to a version or, with 0, to none.
func (p *program) pinnedKey(t *testing.T, admin string, version int) (secret string) {
	t.Helper()
	pin := ""
	if version != 0 {
		pin = fmt.Sprint(", version: ", version)
	}
	made := p.send(t, fmt.Sprintf(`mutation { createApiKey(input: {name: "for %d", scopes: ["admin"], userId: "user_u1"%s}) { secret apiKey { version } userErrors { code } } }`, version, pin), "Authorization", "Bearer "+admin)
	if got := at(t, made.Data, "createApiKey", "apiKey", "version"); (version == 0 && got != nil) || (version != 0 && got != float64(version)) {
		t.Fatal(made.raw)
	}
	return at(t, made.Data, "createApiKey", "secret").(string)
}

// What the versions differ in.
const (
	onlyInFirst  = `{ user(id: "user_u1") { followedByViewer } }`
	onlyInSecond = `{ user(id: "user_u1") { viewerIsFollowing } }`
)

// TestKeysArePinned holds the order of what a request says, what its key is pinned to, and the default.
func TestKeysArePinned(t *testing.T) {
	dir := smallDir(t)
	admin := tokenFor(t, dir, "u1", "admin")
	args := []string{"--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "warn"}
	keys := map[int]string{}
	t.Run("both versions", func(t *testing.T) {
		p := start(t, args...)
		for version := range 3 {
			keys[version] = p.pinnedKey(t, admin, version)
		}
		for _, tt := range []struct {
			key   int
			field []string
			want  string
		}{
			{0, nil, "1"}, {1, nil, "1"}, {2, nil, "2"},
			{2, []string{"Api-Version", "1"}, "1"}, {1, []string{"Api-Version", "2"}, "2"}, {0, []string{"Api-Version", "2"}, "2"},
			{2, []string{"Accept", "application/json;version=1"}, "1"}, {2, []string{"Authorization", "Bearer " + admin}, "2"},
		} {
			header := append([]string{"X-API-Key", keys[tt.key]}, tt.field...)
			for version, query := range map[string]string{"1": onlyInFirst, "2": onlyInSecond} {
				r := p.send(t, query, header...)
				if r.header.Get("Api-Version") != tt.want || (len(r.Errors) > 0) != (version != tt.want) {
					t.Errorf("a key for %d with %v: %s in version %s: %s", tt.key, tt.field, query, r.header.Get("Api-Version"), r.raw)
				}
			}
		}
		if got := p.overSocket(t, keys[2], onlyInSecond); !strings.Contains(got, `"viewerIsFollowing":`) {
			t.Error(got)
		}
		if got := p.overSocket(t, keys[2], onlyInFirst); !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
			t.Error(got)
		}
		for _, version := range []int{0, -1, 3, 1 << 30} {
			r := p.send(t, fmt.Sprintf(`mutation { createApiKey(input: {name: "n", version: %d}) { apiKey { id } userErrors { field code message } } }`, version), "Authorization", "Bearer "+admin)
			wrong := at(t, r.Data, "createApiKey", "userErrors", 0)
			if at(t, wrong, "code") != "INVALID" || fmt.Sprint(at(t, wrong, "field")) != "[input version]" || at(t, r.Data, "createApiKey", "apiKey") != nil {
				t.Error(r.raw)
			}
		}
		listed := p.send(t, `{ apiKeys(first: 3) { nodes { name version } } }`, "Authorization", "Bearer "+admin)
		if want := `[{"name":"for 2","version":2},{"name":"for 1","version":1},{"name":"for 0","version":null}]`; !strings.Contains(listed.raw, want) {
			t.Error(listed.raw)
		}
	})
	t.Run("the first has ended", func(t *testing.T) {
		p := start(t, append(args, "--version-sunset", "1=2026-11-01")...)
		r := p.send(t, onlyInFirst, "X-API-Key", keys[1])
		if r.status != http.StatusGone || r.Errors[0].code() != "VERSION_SUNSET" || r.header.Get("Link") == "" {
			t.Errorf("%d %s", r.status, r.raw)
		}
		if got := p.overSocket(t, keys[1], onlyInFirst); got != "4400 VERSION_SUNSET" {
			t.Error(got)
		}
		for _, header := range [][]string{{"X-API-Key", keys[1], "Api-Version", "2"}, {"X-API-Key", keys[0]}, {"X-API-Key", keys[2]}} {
			if r := p.send(t, onlyInSecond, header...); r.status != http.StatusOK || len(r.Errors) > 0 || r.header.Get("Api-Version") != "2" {
				t.Errorf("%d %s", r.status, r.raw)
			}
		}
		r = p.send(t, `mutation { createApiKey(input: {name: "n", version: 1}) { userErrors { code } } }`, "Authorization", "Bearer "+admin)
		if at(t, r.Data, "createApiKey", "userErrors", 0, "code") != "INVALID" {
			t.Error(r.raw)
		}
	})
}

// overSocket runs one query over a websocket whose connection_init shows a key, and gives what came of it: a message, or how it was closed.
func (p *program) overSocket(t *testing.T, key, query string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	socket, _, err := websocket.Dial(ctx, p.url+"/graphql", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow() // closed already, where the server did
	subscribe, _ := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query}})
	for _, message := range []string{`{"type":"connection_init","payload":{"X-API-Key":"` + key + `"}}`, string(subscribe)} {
		if err := socket.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		_, raw, err := socket.Read(ctx)
		if closed, ok := errors.AsType[websocket.CloseError](err); ok {
			return fmt.Sprint(int(closed.Code), " ", closed.Reason)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, []byte(`{"type":"connection_ack"}`)) {
			return string(raw)
		}
	}
	t.Fatal("no answer but the acknowledgement")
	return ""
}

// TestWebhooksArePinned to the version of the request that makes them, or to the one that it names, through the graph and plain HTTP.
func TestWebhooksArePinned(t *testing.T) {
	p, dir := serveSmallDemo(t)
	admin := tokenFor(t, dir, "u1", "admin")
	pinned := p.pinnedKey(t, admin, 2)
	delivered := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { delivered <- r.Header.Get("Api-Version") }))
	t.Cleanup(receiver.Close)
	create := func(version string, header ...string) reply {
		t.Helper()
		return p.send(t, fmt.Sprintf(`mutation { createWebhook(input: {url: %q, eventTypes: ["webhook.ping"]%s}) { webhook { id version } userErrors { field code } } }`, receiver.URL, version), header...)
	}
	for _, tt := range []struct {
		version string
		header  []string
		want    float64
	}{
		{"", []string{"Authorization", "Bearer " + admin}, 1},
		{"", []string{"Authorization", "Bearer " + admin, "Api-Version", "2"}, 2},
		{"", []string{"X-API-Key", pinned}, 2},
		{", version: 1", []string{"X-API-Key", pinned}, 1},
	} {
		if r := create(tt.version, tt.header...); at(t, r.Data, "createWebhook", "webhook", "version") != tt.want {
			t.Errorf("%+v: %s", tt, r.raw)
		}
	}
	r := create(", version: 3", "X-API-Key", pinned)
	if wrong := at(t, r.Data, "createWebhook", "userErrors", 0); at(t, wrong, "code") != "INVALID" || fmt.Sprint(at(t, wrong, "field")) != "[input version]" {
		t.Error(r.raw)
	}
	made := create("", "X-API-Key", pinned)
	id := at(t, made.Data, "createWebhook", "webhook", "id").(string)
	for _, want := range []string{"2", "1"} {
		p.send(t, fmt.Sprintf(`mutation { pingWebhook(id: %q) { userErrors { code } } }`, id), "X-API-Key", pinned)
		if got := <-delivered; got != want {
			t.Errorf("delivered in version %s, want %s", got, want)
		}
		p.send(t, fmt.Sprintf(`mutation { updateWebhook(input: {id: %q, version: 1}) { webhook { version } } }`, id), "X-API-Key", pinned)
	}
	for _, tt := range []struct {
		path, version, header string
		status                int
		want                  string
	}{
		{"", "", "", 201, `"version":1`},
		{"?version=2", "", "", 201, `"version":2`},
		{"", `,"version":2`, "", 201, `"version":2`},
		{"?version=2", `,"version":1`, "", 201, `"version":1`},
		{"", "", pinned, 201, `"version":2`},
		{"?version=1", "", pinned, 201, `"version":1`},
		{"?version=9", "", "", 400, "VERSION_UNKNOWN"},
		{"", `,"version":9`, "", 422, `"field":"version"`},
		{"", `,"version":0`, "", 422, `"field":"version"`},
		{"", `,"version":"2"`, "", 400, "BAD_REQUEST"},
	} {
		status, got := p.registers(t, tt.path, fmt.Sprintf(`{"url":%q,"events":["webhook.ping"]%s}`, receiver.URL, tt.version), admin, tt.header)
		if status != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %d %s", tt, status, got)
		}
	}
}

// registers asks plain HTTP for a webhook, by an API key or, without, by a token.
func (p *program) registers(t *testing.T, query, body, token, key string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/webhooks"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("X-API-Key", key)
	} else {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}
