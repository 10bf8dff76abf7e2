package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pages is a client of a running handler.
type pages struct {
	t      *testing.T
	server *httptest.Server
}

func servePages(t *testing.T) pages {
	server := httptest.NewServer(Handler())
	t.Cleanup(server.Close)
	server.Client().Transport.(*http.Transport).DisableCompression = true
	return pages{t, server}
}

// do sends one request and returns the answer with its body as it came over the wire.
func (p pages) do(method, path string, header http.Header) (*http.Response, []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.server.URL+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = header
	answer, err := p.server.Client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer, body
}

var routes = map[string]string{
	"/":                      "text/html; charset=utf-8",
	"/assets/playground.js":  "text/javascript; charset=utf-8",
	"/assets/playground.css": "text/css; charset=utf-8",
	"/assets/icon.svg":       "image/svg+xml",
	"/assets/licenses.txt":   "text/plain; charset=utf-8",
}

func TestEveryAssetIsServed(t *testing.T) {
	p := servePages(t)
	assets := load(embedded)
	if len(assets) != len(routes) {
		t.Errorf("%d assets embedded, want %d", len(assets), len(routes))
	}
	for path, contentType := range routes {
		answer, body := p.do(http.MethodGet, path, nil)
		if answer.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("GET %s: status %d, %d bytes", path, answer.StatusCode, len(body))
		}
		want := http.Header{
			"Content-Type":            {contentType},
			"Content-Length":          {strconv.Itoa(len(body))},
			"Cache-Control":           {"no-cache"},
			"Vary":                    {"Accept-Encoding"},
			"X-Content-Type-Options":  {"nosniff"},
			"Referrer-Policy":         {"no-referrer"},
			"Content-Security-Policy": {contentSecurityPolicy},
		}
		for name, values := range want {
			if got := answer.Header.Get(name); got != values[0] {
				t.Errorf("GET %s: %s is %q, want %q", path, name, got, values[0])
			}
		}
	}
}

func TestPolicyIsStrict(t *testing.T) {
	for _, directive := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	} {
		if !strings.Contains(contentSecurityPolicy+";", directive+";") {
			t.Errorf("the policy lacks %q", directive)
		}
	}
	for _, loose := range []string{"unsafe", "*", "http", "ws:", "wss:"} {
		if strings.Contains(contentSecurityPolicy, loose) {
			t.Errorf("the policy allows %q", loose)
		}
	}
}

func TestEncodingIsNegotiated(t *testing.T) {
	p := servePages(t)
	want := map[string][]byte{}
	for path := range routes {
		want[path] = content(t, path)
	}
	for accept, packed := range map[string]bool{
		"":                         false,
		"gzip":                     true,
		"GZIP":                     true,
		"gzip, deflate, br":        true,
		"br;q=1.0, gzip;q=0.8":     true,
		"x-gzip":                   true,
		"*":                        true,
		"*;q=0":                    false,
		"gzip;q=0":                 false,
		"gzip ; q=0.000":           false,
		"*, gzip;q=0":              false,
		"*;q=0, gzip":              true,
		"gzip;q=much":              false,
		"gzip;q=NaN":               false,
		"identity":                 false,
		"deflate, br":              false,
		"gzippy":                   false,
		"identity;q=0.5, gzip;q=1": true,
	} {
		for path := range routes {
			answer, body := p.do(http.MethodGet, path, http.Header{"Accept-Encoding": {accept}})
			if got := answer.Header.Get("Content-Encoding") == "gzip"; got != packed {
				t.Errorf("GET %s, Accept-Encoding %q: gzip is %v, want %v", path, accept, got, packed)
				continue
			}
			if packed {
				body = unpack(t, body)
			}
			if !bytes.Equal(body, want[path]) {
				t.Errorf("GET %s, Accept-Encoding %q: another body than the embedded one", path, accept)
			}
		}
	}
}

func TestNotModified(t *testing.T) {
	p := servePages(t)
	tags := map[string]bool{}
	for path := range routes {
		for _, accept := range []string{"gzip", "identity"} {
			header := http.Header{"Accept-Encoding": {accept}}
			answer, _ := p.do(http.MethodGet, path, header)
			tag := answer.Header.Get("ETag")
			if tag == "" || tags[tag] {
				t.Errorf("GET %s as %s: ETag %q is empty or not its own", path, accept, tag)
			}
			tags[tag] = true
			for condition, status := range map[string]int{
				tag:               http.StatusNotModified,
				`"other", ` + tag: http.StatusNotModified,
				"*":               http.StatusNotModified,
				`"other"`:         http.StatusOK,
			} {
				header.Set("If-None-Match", condition)
				answer, body := p.do(http.MethodGet, path, header)
				if answer.StatusCode != status || status == http.StatusNotModified && len(body) != 0 {
					t.Errorf("GET %s as %s, If-None-Match %s: status %d, %d bytes, want status %d", path, accept, condition, answer.StatusCode, len(body), status)
				}
				if got := answer.Header.Get("ETag"); got != tag {
					t.Errorf("GET %s as %s, If-None-Match %s: ETag %s, want %s", path, accept, condition, got, tag)
				}
			}
		}
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	p := servePages(t)
	for path := range routes {
		for _, accept := range []string{"gzip", "identity"} {
			header := http.Header{"Accept-Encoding": {accept}}
			get, _ := p.do(http.MethodGet, path, header)
			head, body := p.do(http.MethodHead, path, header)
			if head.StatusCode != http.StatusOK || len(body) != 0 {
				t.Errorf("HEAD %s: status %d, %d bytes", path, head.StatusCode, len(body))
			}
			for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "ETag"} {
				if head.Header.Get(name) != get.Header.Get(name) {
					t.Errorf("HEAD %s: %s is %q, GET has %q", path, name, head.Header.Get(name), get.Header.Get(name))
				}
			}
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	p := servePages(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for path := range routes {
			answer, _ := p.do(method, path, nil)
			if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d, Allow %q", method, path, answer.StatusCode, answer.Header.Get("Allow"))
			}
		}
	}
}

func TestElsewhereIsNotFound(t *testing.T) {
	p := servePages(t)
	for _, path := range []string{
		"/index.html", "/assets", "/assets/", "/assets/index.html", "/assets/playground.js.gz", "/assets/playground.js/",
		"/assets/../console.go", "/console.go", "//", "/assets//playground.js", "/graphql", "/favicon.ico",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			answer, _ := p.do(method, path, nil)
			if answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: status %d, want 404", method, path, answer.StatusCode)
			}
			if answer.Header.Get("Content-Security-Policy") == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: no security headers", method, path)
			}
		}
	}
}

// FuzzAcceptsGzip holds the parser of Accept-Encoding to what can be said of any header: case does not matter, and
// nothing that names neither gzip nor * is a yes.
func FuzzAcceptsGzip(f *testing.F) {
	for _, seed := range []string{"", "gzip", "gzip;q=0", "*;q=0.1", "br, gzip;q=1e-3;x=y", ";;,=q", "gzip;q=-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := acceptsGzip([]string{header})
		if got && !strings.Contains(strings.ToLower(header), "gzip") && !strings.Contains(header, "*") {
			t.Errorf("%q is taken to accept gzip", header)
		}
		if upper := strings.ToUpper(header); len(upper) == len(header) && acceptsGzip([]string{upper}) != got {
			t.Errorf("%q and %q are read differently", header, upper)
		}
		if !got && acceptsGzip([]string{"gzip", header}) != true {
			t.Errorf("gzip in a first header is lost when %q follows", header)
		}
	})
}

// content is the unpacked asset behind a path.
func content(t *testing.T, path string) []byte {
	t.Helper()
	body, err := load(embedded)[path].unpacked()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
