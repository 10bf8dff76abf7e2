package wire

import "net/http"

// What a page of an allowed origin may send and read beyond what every page may: see https://fetch.spec.whatwg.org/#http-cors-protocol.
// Credentials are never allowed: they do not come from cookies.
const (
	corsMethods = "GET, HEAD, POST"
	corsSends   = "Content-Type, Authorization, X-API-Key, Idempotency-Key, Api-Version, GraphQL-Cost-Debug, Last-Event-ID, X-Request-Id, traceparent, apollographql-client-name, apollographql-client-version, GraphQL-Client-Name, GraphQL-Client-Version"
	corsReads   = "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Api-Version, Deprecation, Sunset, Link, ETag, Location"
	corsMaxAge  = "7200" // seconds that a browser remembers this, as long as any does
)

// Guard holds what stands beside the graph to its rule of origins: next answers what no browser sent, or one on behalf of a page that may
// use the graph, and foreign the rest, which it has to refuse. What OPTIONS asks, a preflight or not, is answered here: methods are those
// of next, as Allow lists them. It adds Origin to Vary, and so should they add and not set. o may be nil, as in HTTP.
func (o *Origins) Guard(methods string, next, foreign http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin")
		switch refused := o.admit(header, r); {
		case refused != nil:
			foreign.ServeHTTP(w, r)
		case r.Method == http.MethodOptions:
			if header.Get("Access-Control-Allow-Methods") != "" {
				header.Set("Access-Control-Allow-Methods", methods)
			}
			header.Set("Allow", methods)
			w.WriteHeader(http.StatusNoContent)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// admit lets through what no browser sent, or one on behalf of a page that may use the graph, and tells the browser so. It refuses
// the rest although a foreign page could not read the answer: the operation would have run.
func (o *Origins) admit(header http.Header, r *http.Request) *refusal {
	origins := r.Header.Values("Origin")
	switch {
	case len(origins) > 1:
	case len(origins) == 1 && o.allows(origins[0]):
		o.allow(header, r, origins[0])
		return nil
	case o.trusts(r):
		return nil
	}
	return &refusal{http.StatusForbidden, CodeCSRFRefused, "pages of that origin may not use this server: see --allowed-origins"}
}

// trusts judges a request without an allowed origin. Only browsers send Sec-Fetch-Site, and no page can forge it. It knows
// better than Origin, which a proxy that changes Host makes look foreign.
func (o *Origins) trusts(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return true
	case "", "none": // no browser or an old one; or a person who typed the URL
		return origin == "" || sameOrigin(origin, r.Host)
	}
	return o != nil && o.any
}

// allow writes the fields that let a page have the answer, or in answer to a preflight send its request.
func (o *Origins) allow(header http.Header, r *http.Request, origin string) {
	if o.any {
		origin = "*"
	}
	header.Set("Access-Control-Allow-Origin", origin)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		header.Set("Access-Control-Allow-Methods", corsMethods)
		header.Set("Access-Control-Allow-Headers", corsSends)
		header.Set("Access-Control-Max-Age", corsMaxAge)
		return
	}
	header.Set("Access-Control-Expose-Headers", corsReads)
}
