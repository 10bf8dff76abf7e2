package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// besideGraph are paths that are held to the rule of origins, with their methods.
var besideGraph = map[string]string{
	"/api/users/user_u1": "GET, HEAD", "/api/v2/users": "GET, HEAD", "/api/profile/user_u1": "GET, HEAD", "/versions": "GET, HEAD",
	"/api/webhooks": "GET, HEAD, POST", "/api/webhooks/wh_x": "GET, HEAD, DELETE",
}

// TestRESTOfOtherOrigins holds which requests of browsers are answered, and whose pages get to read it.
func TestRESTOfOtherOrigins(t *testing.T) {
	p, _ := serveDemoOf(t, "--no-limit-enabled", "--allowed-origins", "https://app.example")
	for _, c := range []struct {
		header []string
		reads  string // the origin that may read the answer
		served bool
	}{
		{nil, "", true},
		{[]string{"Sec-Fetch-Site", "none"}, "", true},
		{[]string{"Origin", p.url, "Sec-Fetch-Site", "same-origin"}, "", true},
		{[]string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}, "https://app.example", true},
		{[]string{"Sec-Fetch-Site", "cross-site"}, "", false},
		{[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, "", false},
		{[]string{"Origin", "https://evil.example"}, "", false},
	} {
		for path := range besideGraph {
			got := sendREST(t, p.url, http.MethodGet, path, c.header...)
			header := got.header
			if (got.status != http.StatusForbidden) != c.served || header.Get("Access-Control-Allow-Origin") != c.reads || !slices.Contains(header["Vary"], "Origin") ||
				strings.Contains(header.Get("Access-Control-Expose-Headers"), "ETag") != (c.reads != "") {
				t.Errorf("%s %v: %d %v", path, c.header, got.status, header)
			}
			if !c.served && (got.body["code"] != "CSRF_REFUSED" || header.Get("Content-Type") != "application/problem+json" || header.Get("Cache-Control") != "no-store") {
				t.Errorf("%s %v: %v %s", path, c.header, header, got.raw)
			}
		}
	}
}

func TestRESTPreflights(t *testing.T) {
	p, _ := serveDemoOf(t, "--no-limit-enabled", "--allowed-origins", "https://app.example")
	const asks = "Access-Control-Request-Method"
	for path, methods := range besideGraph {
		got := sendREST(t, p.url, http.MethodOptions, path, "Origin", "https://app.example", asks, "GET", "Access-Control-Request-Headers", "authorization")
		if header := got.header; got.status != http.StatusNoContent || got.raw != "" || header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			header.Get("Access-Control-Allow-Methods") != methods || !strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Error(path, got.status, header)
		}
		if foreign := sendREST(t, p.url, http.MethodOptions, path, "Origin", "https://evil.example", asks, "GET"); foreign.status != http.StatusForbidden || foreign.body["code"] != "CSRF_REFUSED" {
			t.Error(path, foreign.status, foreign.raw)
		}
		if plain := sendREST(t, p.url, http.MethodOptions, path); plain.status != http.StatusNoContent || plain.header.Get("Allow") != methods || plain.header.Get("Access-Control-Allow-Methods") != "" {
			t.Error(path, plain.status, plain.header)
		}
	}
}

// TestForeignPagesSpendNothing holds that what is refused for its origin takes no points from the visitor.
func TestForeignPagesSpendNothing(t *testing.T) {
	p, _ := serveDemoOf(t, "--limit-ip-points", "60", "--limit-ip-restore", "0.001")
	for _, path := range []string{"/api/users?limit=50", "/api/users?limit=50", "/api/webhooks"} {
		if got := p.read(t, path, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden || got.header.Get("RateLimit") != "" {
			t.Error(path, got.status, got.header)
		}
	}
	if got := p.read(t, "/api/users?limit=50"); got.status != http.StatusOK || !strings.Contains(got.header.Get("RateLimit"), fmt.Sprintf(`"ip";r=%d;`, 60-51)) {
		t.Error(got.status, got.header)
	}
}
