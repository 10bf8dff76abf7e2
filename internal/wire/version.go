package wire

import (
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// IsVersionPath says whether a path is that of the graph in a version, such as /v2/graphql, be there such a version or not.
func IsVersionPath(path string) bool { return pathVersion(path) != "" }

// pathVersion is the version that a path names, with its v; empty for one that names none.
func pathVersion(path string) string {
	version, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if rest == "graphql" && len(version) > 1 && version[0] == 'v' {
		return version
	}
	return ""
}

// VersionAsked is where a request names a version of the schema, beside its path: lists, where it does so more than once.
func VersionAsked(r *http.Request) operation.Asked {
	asked := operation.Asked{Header: strings.Join(r.Header["Api-Version"], ",")}
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accept), "version") { // most do not, and reading it takes time
			asked.Accept = join(asked.Accept, acceptedVersion(accept))
		}
	}
	if strings.Contains(r.URL.RawQuery, "version") {
		params, _ := url.ParseQuery(r.URL.RawQuery) // what is malformed is refused where the query is read
		asked.Query = strings.Join(params["version"], ",")
	}
	return asked
}

// versionAsked adds the path of the graph, and what the caller's key is pinned to, 0 for nothing.
func versionAsked(r *http.Request, pin int) operation.Asked {
	asked := VersionAsked(r)
	asked.Path = pathVersion(r.URL.Path)
	if pin != 0 {
		asked.Pin = strconv.Itoa(pin)
	}
	return asked
}

// acceptedVersion are the parameters version of the media types in a list that answers can have and the client takes.
func acceptedVersion(accept string) (version string) {
	for part := range splitList(accept) {
		name, params, err := mime.ParseMediaType(part)
		if q, valid := weight(params); err != nil || !valid || q == 0 {
			continue
		}
		switch name {
		case mediaGraphQL, mediaJSON, mediaEvents, mediaMultipart, "application/*", "*/*":
			version = join(version, params["version"])
		}
	}
	return version
}

func join(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return a + "," + b
}

// choose finds the version of the schema that a request is answered in.
func (x *exchange) choose(viewer auth.Viewer) *refusal {
	view, wrong := x.Views.Choose(versionAsked(x.r, viewer.Version))
	if wrong != nil {
		setFields(x.w.Header(), wrong.Header)
		return &refusal{wrong.Status, wrong.Code, wrong.Message}
	}
	x.view = view
	x.w.Header()["Api-Version"] = view.Label
	setFields(x.w.Header(), view.Header())
	return nil
}
