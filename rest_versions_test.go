package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tributary/internal/auth"
	"tributary/internal/config"
	"tributary/internal/rest"
	"tributary/internal/wire"
)

// serveREST serves the REST API of a gateway to callers whose keys are pinned to what they send as Pin.
func serveREST(t *testing.T, g *gateway) (url string) {
	t.Helper()
	reads := &rest.Reads{Pipeline: g.pipeline, Views: g.views, Logger: slog.New(slog.DiscardHandler), Identify: func(r *http.Request) (auth.Viewer, netip.Addr, error) {
		pin, _ := strconv.Atoi(r.Header.Get("Pin"))
		return auth.Viewer{Version: pin}, netip.Addr{}, nil
	}}
	server := httptest.NewServer(wire.Identify(reads))
	t.Cleanup(server.Close)
	return server.URL
}

// demoURLs are where the services of a demo are.
func demoURLs(t *testing.T) map[string]string {
	t.Helper()
	return startUpstream(t, startDemo(t, seededDir(t))).urls
}

func TestRESTVersions(t *testing.T) {
	urls := demoURLs(t)
	url := serveREST(t, openGateway(t, urls, nil))
	const user, bad = "/users/user_u1", http.StatusBadRequest
	for _, c := range []struct {
		path, version string
		header        []string
		status        int
		code          string
	}{
		{"/api" + user, "1", nil, 200, ""},
		{"/api/v1" + user, "1", nil, 200, ""},
		{"/api/v2" + user, "2", nil, 200, ""},
		{"/api/v2/users", "2", nil, 200, ""},
		{"/api/v2/profile/user_u1", "2", nil, 200, ""},
		{"/api" + user + "?version=2", "2", nil, 200, ""},
		{"/api" + user + "?version=v2", "2", nil, 200, ""},
		{"/api" + user, "2", []string{"Api-Version", "2"}, 200, ""},
		{"/api" + user, "2", []string{"Accept", "application/json; version=2"}, 200, ""},
		{"/api/v2/users?version=2", "2", []string{"Accept", "application/json;version=2", "Api-Version", "v2"}, 200, ""},
		{"/api" + user, "2", []string{"Pin", "2"}, 200, ""},
		{"/api/v1" + user, "1", []string{"Pin", "2"}, 200, ""},
		{"/api/v1" + user + "?version=2", "", nil, bad, "VERSION_CONFLICT"},
		{"/api/v1" + user, "", []string{"Api-Version", "2"}, bad, "VERSION_CONFLICT"},
		{"/api/v1" + user, "", []string{"Accept", "application/json;version=2"}, bad, "VERSION_CONFLICT"},
		{"/api" + user + "?version=1", "", []string{"Accept", "application/json;version=2"}, bad, "VERSION_CONFLICT"},
		{"/api" + user + "?version=9", "", nil, bad, "VERSION_UNKNOWN"},
		{"/api" + user + "?version=1&version=2", "", nil, bad, "VERSION_CONFLICT"},
		{"/api" + user + "?version=2&version=v2", "2", nil, 200, ""},
		{"/api" + user, "", []string{"Api-Version", "1", "Api-Version", "2"}, bad, "VERSION_CONFLICT"},
		{"/api" + user, "2", []string{"Api-Version", "2", "Api-Version", "2"}, 200, ""},
		{"/api" + user, "", []string{"Accept", "application/json;version=1, */*;version=2"}, bad, "VERSION_CONFLICT"},
		{"/api" + user, "", []string{"Api-Version", "0"}, bad, "VERSION_UNKNOWN"},
		{"/api/v9" + user, "", nil, 404, "VERSION_UNKNOWN"},
		{"/api/vX" + user, "", nil, 404, "VERSION_UNKNOWN"},
		{"/api/v9/posts", "", nil, 404, "NOT_FOUND"},
	} {
		got := sendREST(t, url, http.MethodGet, c.path, c.header...)
		if code, _ := got.body["code"].(string); got.status != c.status || code != c.code || got.header.Get("Api-Version") != c.version {
			t.Errorf("%s %v: %d, version %q: %s", c.path, c.header, got.status, got.header.Get("Api-Version"), got.raw)
		}
	}
	if one, two := sendREST(t, url, "GET", "/api/v1/profile/user_u1"), sendREST(t, url, "GET", "/api/v2/profile/user_u1"); one.raw != two.raw {
		t.Error("the versions differ in what they have in common")
	}
}

func TestRESTVersionsEnd(t *testing.T) {
	urls := demoURLs(t)
	ending := serveREST(t, openGateway(t, urls, func(g *config.Gateway) { g.Versions.Sunsets = []string{"1=2999-01-01"} }))
	for _, path := range []string{"/api/users", "/api/users/user_none", "/api/users?limit=0"} {
		got := sendREST(t, ending, http.MethodGet, path)
		if got.header.Get("Sunset") != "Tue, 01 Jan 2999 00:00:00 GMT" || !slices.Contains(got.header["Link"], `</versions>; rel="sunset"; type="application/json"`) || len(got.header["Link"]) != 2 {
			t.Error(path, got.status, got.header)
		}
	}
	if got := sendREST(t, ending, http.MethodGet, "/api/v2/users"); got.header.Get("Sunset") != "" || got.header["Link"] != nil {
		t.Error(got.header)
	}
	ended := serveREST(t, openGateway(t, urls, func(g *config.Gateway) { g.Versions.Sunsets = []string{"1=2026-11-02"} }))
	gone := sendREST(t, ended, http.MethodGet, "/api/v1/users")
	if gone.status != http.StatusGone || gone.body["code"] != "VERSION_SUNSET" || gone.header.Get("Sunset") == "" || !strings.Contains(gone.header.Get("Link"), "/versions") {
		t.Error(gone.status, gone.header, gone.raw)
	}
	if next := sendREST(t, ended, http.MethodGet, "/api/users"); next.status != http.StatusOK || next.header.Get("Api-Version") != "2" {
		t.Error(next.status, next.header)
	}
}

// TestRESTWebhooksAreInAVersion names a version in every kind of request for webhooks.
func TestRESTWebhooksAreInAVersion(t *testing.T) {
	p, dir := serveDemoOf(t, "--no-limit-enabled")
	bearer := []string{"Authorization", "Bearer " + tokenFor(t, dir, "u1", "webhooks")}
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
		code         string
	}{
		{"GET", "/api/webhooks?version=2", nil, 200, ""},
		{"GET", "/api/webhooks?version=9", nil, 400, "VERSION_UNKNOWN"},
		{"GET", "/api/webhooks/wh_x", []string{"Api-Version", "9"}, 400, "VERSION_UNKNOWN"},
		{"GET", "/api/webhooks/wh_x", []string{"Api-Version", "1"}, 404, "NOT_FOUND"},
		{"DELETE", "/api/webhooks/wh_x?version=1", []string{"Api-Version", "2"}, 400, "VERSION_CONFLICT"},
		{"POST", "/api/webhooks", []string{"Api-Version", "9"}, 400, "VERSION_UNKNOWN"},
		{"POST", "/api/webhooks", []string{"Api-Version", "2"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
	} {
		got := sendREST(t, p.url, c.method, c.path, append(c.header, bearer...)...)
		code, _ := got.body["code"].(string)
		if detail, _ := got.body["detail"].(string); got.status != c.status || code != c.code || code != "" && (!strings.HasSuffix(detail, ".") || strings.ToUpper(detail[:1]) != detail[:1]) {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.header, got.status, got.raw)
		}
	}
}
