package demo

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// route is one endpoint. Patterns are literal segments and {id}, which matches any one segment. Exactly one of read
// and write is set.
type route struct {
	method  string
	pattern string
	read    func(context.Context, params, *stream) error
	write   func(context.Context, *writing) (answer, error)
	body    bodyKind
	ifMatch matchKind
	fresh   bool // a read whose answer is never kept
	bulk    bool // a write to everything of a user, which may take long
	erases  bool // what a write takes away must not stay behind in the WAL
}

// bodyKind is what a write takes as its body.
type bodyKind int

const (
	noBody bodyKind = iota
	jsonBody
	patchBody // JSON, or JSON as a merge patch
)

// matchKind is what a write makes of If-Match.
type matchKind int

const (
	matchIgnored matchKind = iota
	matchOptional
	matchRequired
)

// router finds routes by going through them: a service has at most a dozen.
type router struct {
	routes []route
	split  [][]string
}

func newRouter(routes []route) *router {
	r := &router{routes: routes}
	for _, route := range routes {
		r.split = append(r.split, strings.Split(route.pattern, "/"))
	}
	return r
}

// find returns the route and the values of its {id} segments, or the problem to answer with.
func (r *router) find(method, path string) (*route, []string, error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	segments := strings.Split(path, "/")
	var allowed []string
	for i := range r.routes {
		values, ok := match(r.split[i], segments)
		if !ok {
			continue
		}
		if r.routes[i].method != method {
			allowed = append(allowed, r.routes[i].method)
			continue
		}
		for _, value := range values {
			if !validID(value) {
				return nil, nil, badRequest("an id in the path has 1 to %d characters out of A-Z a-z 0-9 - . _ ~", maxIDBytes)
			}
		}
		return &r.routes[i], values, nil
	}
	if allowed == nil {
		return nil, nil, notFound("there is nothing at this path")
	}
	return nil, nil, methodNotAllowed(allowed...)
}

func methodNotAllowed(allowed ...string) *problem {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(slices.Compact(allowed), ", ")
	return &problem{status: http.StatusMethodNotAllowed, code: "METHOD_NOT_ALLOWED", detail: "use " + allow, allow: allow}
}

func match(pattern, segments []string) (values []string, ok bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, p := range pattern {
		switch {
		case p == "{id}" && segments[i] != "":
			values = append(values, segments[i])
		case p != segments[i]:
			return nil, false
		}
	}
	return values, true
}
