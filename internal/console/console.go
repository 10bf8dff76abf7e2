// Package console serves the pages that are built into the binary: the GraphQL playground at / and what it loads under
// /assets/. Their source is in web/; assets/ holds its build, gzipped, so that building the binary needs Go alone.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed assets/*.gz
var embedded embed.FS

// contentSecurityPolicy lets a page load its own scripts, styles and images and talk to its own origin, by websocket as
// well, since 'self' matches ws: and wss: on the page's host and port (CSP Level 3, "Does url match expression in
// origin"). Nothing inline applies: what the editors style they style through the CSSOM, which the policy leaves alone.
const contentSecurityPolicy = "default-src 'none'; " +
	"script-src 'self'; " +
	"style-src 'self'; " +
	"img-src 'self' data:; " +
	"connect-src 'self'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'"

// Handler serves GET and HEAD of / (the playground) and of /assets/…, answers 405 to other methods there and 404 to
// every other path. It sends what is embedded as it is to clients that accept gzip and unpacked to others, and every
// answer carries the pages' security headers. Assets have fixed names, so clients are told to ask each time and get a
// 304 while their copy is good.
//
// The page posts its operations to graphql beside itself, that is /graphql when this handler is mounted at the root.
// The handler is safe for concurrent use.
func Handler() http.Handler {
	assets := load(embedded)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		a, ok := assets[r.URL.Path]
		switch {
		case !ok:
			http.Error(w, "not found", http.StatusNotFound)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		default:
			a.serve(w, r)
		}
	})
}

// load reads every asset of fsys, keyed by the path it is served at. It panics on a read error, which an embedded file
// system does not have.
func load(fsys fs.FS) map[string]*asset {
	assets := map[string]*asset{}
	files, err := fs.Glob(fsys, "assets/*.gz")
	if err != nil {
		panic("console: list assets: " + err.Error())
	}
	for _, file := range files {
		packed, err := fs.ReadFile(fsys, file)
		if err != nil {
			panic("console: read asset: " + err.Error())
		}
		name := strings.TrimSuffix(file, ".gz")
		route := "/" + name
		if name == "assets/index.html" {
			route = "/"
		}
		assets[route] = newAsset(name, packed)
	}
	return assets
}
