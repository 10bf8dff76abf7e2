package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"tributary/internal/wire"
)

func origins(t *testing.T, list ...string) *wire.Origins {
	t.Helper()
	o, err := wire.NewOrigins(list)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestListsOfOrigins(t *testing.T) {
	for entry, ok := range map[string]bool{
		"*": true, "https://app.example": true, "HTTPS://App.Example": true, "http://localhost:3000": true, "https://app.example/": true,
		"https://*.example": true, "https://*.app.example:8443": true, "http://[::1]:3000": true, "capacitor://localhost": true, "https://xn--bcher-kva.example": true,

		"": false, "app.example": false, "//app.example": false, "https://": false, "https://*": false, "https://*.": false, "https://a.*.example": false, "https://a*.example": false,
		"https://*.*.example": false, "*.example": false, "*://app.example": false, "https://app.example/path": false, "https://app.example?x": false, "https://app.example?": false,
		"https://app.example#x": false, "https://app.example#": false, "https://user@app.example": false, "https://bücher.example": false, "null": false,
		"https://app.example, https://b.example": false, "https://app example": false, "https://.example": false, "https://*.[::1]": false, "https://app.example:port": false, "https://:80": false,
	} {
		if _, err := wire.NewOrigins([]string{"https://first.example", entry}); (err == nil) != ok || (err != nil && !strings.Contains(err.Error(), `"`+entry+`"`)) {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

// TestPagesOfOtherOrigins holds which requests of browsers are served, and whose pages get to read the answers.
func TestPagesOfOtherOrigins(t *testing.T) {
	few := origins(t, "https://app.example", "HTTPS://Secure.example:443", "http://localhost:3000", "https://*.wild.example", "https://*.port.example:8443")
	all := origins(t, "*")
	const refused, silent = "refused", ""
	for _, tt := range []struct {
		name    string
		allowed *wire.Origins
		headers string
		want    string // the origin that may read; silent: served without a word
	}{
		{"no browser", nil, "", silent},
		{"the playground", nil, "Origin: http://localhost:8080\nSec-Fetch-Site: same-origin", silent},
		{"an old browser on the playground", nil, "Origin: http://localhost:8080", silent},
		{"another port", nil, "Origin: http://localhost:9090", refused},
		{"another host", nil, "Origin: https://evil.example", refused},
		{"no host", nil, "Origin: null", refused},
		{"nonsense", nil, "Origin: localhost:8080", refused},
		{"two origins", few, "Origin: https://app.example\nOrigin: https://app.example", refused},
		{"a proxy that changes Host", nil, "Origin: https://outside.example\nSec-Fetch-Site: same-origin", silent},
		{"TLS in front", nil, "Host: localhost\nOrigin: https://localhost", silent},
		{"the default port in Host", nil, "Host: localhost:443\nOrigin: https://localhost", silent},
		{"the other default port in Host", nil, "Host: localhost:80\nOrigin: https://localhost", refused},
		{"typed into the bar", nil, "Sec-Fetch-Site: none", silent},
		{"a picture or link elsewhere", nil, "Sec-Fetch-Site: cross-site", refused},
		{"a picture or link beside", nil, "Sec-Fetch-Site: same-site", refused},
		{"a word of the future", nil, "Sec-Fetch-Site: near-site", refused},
		{"this host over another scheme", nil, "Origin: http://localhost:8080\nSec-Fetch-Site: cross-site", refused},
		{"one of the list", few, "Origin: https://app.example\nSec-Fetch-Site: cross-site", "https://app.example"},
		{"one of the list beside", few, "Origin: https://app.example\nSec-Fetch-Site: same-site", "https://app.example"},
		{"one with its default port", few, "Origin: https://secure.example", "https://secure.example"},
		{"one with a port", few, "Origin: http://localhost:3000", "http://localhost:3000"},
		{"the scheme counts", few, "Origin: http://app.example", refused},
		{"the port counts", few, "Origin: https://app.example:8443", refused},
		{"below", few, "Origin: https://a.wild.example", "https://a.wild.example"},
		{"far below", few, "Origin: https://a.b.wild.example", "https://a.b.wild.example"},
		{"not below", few, "Origin: https://wild.example", refused},
		{"only alike", few, "Origin: https://evilwild.example", refused},
		{"an empty label", few, "Origin: https://.wild.example", refused},
		{"in the path", few, "Origin: https://evil.example/.wild.example", refused},
		{"as a port", few, "Origin: https://evil.example:1.wild.example", refused},
		{"below by another scheme", few, "Origin: http://a.wild.example", refused},
		{"below with a port", few, "Origin: https://a.port.example:8443", "https://a.port.example:8443"},
		{"below without it", few, "Origin: https://a.port.example", refused},
		{"others than the list", few, "Origin: https://evil.example", refused},
		{"a link, with a list", few, "Sec-Fetch-Site: cross-site", refused},
		{"everybody", all, "Origin: https://any.example\nSec-Fetch-Site: cross-site", "*"},
		{"everybody without a host", all, "Origin: null", "*"},
		{"everybody's links", all, "Sec-Fetch-Site: cross-site", silent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.http.Origins = tt.allowed
			headers := []string{"Host: localhost:8080"}
			if tt.headers != "" {
				headers = append(headers, strings.Split(tt.headers, "\n")...)
			}
			for _, r := range []reply{s.post(t, query, headers...), s.send(t, http.MethodGet, "/graphql?query=%7Becho%7D", "", headers...)} {
				if !strings.Contains(r.header.Get("Vary"), "Origin") || r.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("header %v", r.header)
				}
				if tt.want == refused {
					r.wants(t, http.StatusForbidden, wire.CodeCSRFRefused)
				} else {
					r.wants(t, http.StatusOK, "")
				}
				reads := strings.Contains(r.header.Get("Access-Control-Expose-Headers"), "RateLimit")
				if got := r.header.Get("Access-Control-Allow-Origin"); (tt.want == refused && got != "") || (tt.want != refused && got != tt.want) || reads != (got != "") {
					t.Errorf("header %v", r.header)
				}
			}
		})
	}
}

func TestPreflights(t *testing.T) {
	s := newSite(t)
	s.http.Origins = origins(t, "https://app.example")
	ask := func(headers ...string) reply {
		return s.send(t, http.MethodOptions, "/graphql", "", append(headers, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")...)
	}
	r := ask("Origin: https://app.example", "Accept: */*")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://app.example", "Access-Control-Allow-Methods": "GET, HEAD, POST", "Access-Control-Max-Age": "7200",
		"Access-Control-Allow-Headers":     "Content-Type, Authorization, X-API-Key, Idempotency-Key, Api-Version, GraphQL-Cost-Debug, Last-Event-ID, X-Request-Id, traceparent, apollographql-client-name, apollographql-client-version, GraphQL-Client-Name, GraphQL-Client-Version",
		"Access-Control-Allow-Credentials": "", "Access-Control-Expose-Headers": "", "Content-Type": "",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if r.status != http.StatusNoContent || r.text != "" || !strings.Contains(r.header.Get("Vary"), "Origin") {
		t.Errorf("%+v", r)
	}
	ask("Origin: https://evil.example").wants(t, http.StatusForbidden, wire.CodeCSRFRefused)
	if r := ask(); r.status != http.StatusNoContent || r.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("without an origin: %+v", r)
	}
}

// TestRefusalsAreReadable holds that a page that may use the graph also gets to read why it cannot.
func TestRefusalsAreReadable(t *testing.T) {
	s := newSite(t)
	s.http.Origins = origins(t, "https://app.example")
	for _, headers := range [][]string{{"Accept: text/html"}, {"Authorization: bad token"}, {"Content-Encoding: br"}, {"GraphQL-Cost-Debug: x"}} {
		r := s.post(t, query, append(headers, "Origin: https://app.example")...)
		if r.status < 400 || r.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Errorf("%q: %+v", headers, r)
		}
	}
}
