package rest

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"tributary/internal/auth"
	"tributary/internal/operation"
	"tributary/internal/wire"
)

// PathAPI is below what Reads answers.
const PathAPI = "/api/"

// MethodsReads are the methods of Reads, as Allow lists them.
const MethodsReads = "GET, HEAD"

// Reads answers reads for programs without GraphQL. Each is an operation of the graph with a document of its own, and runs under the
// limits, the rights and the costs of every other one:
//
//	GET /api/profile/{id}  a user with stats, posts and followers; ?postsLimit, ?postsAfter, ?followersLimit, ?followersAfter
//	GET /api/users         ?limit, from 1 to 100, ?after, the next of the page before, ?order, newest or oldest; or ?handle alone
//	GET /api/users/{id}
//
// Each is also there below /api/v1, /api/v2 and so on: a version is chosen as for the graph, see operation.Views.Choose. What a service
// that is down would have given is null, and the answer says so, see marks. Refusals are problem documents (RFC 9457) with a code.
//
// Pipeline, Views, Identify and Logger are required. It is safe for concurrent use.
type Reads struct {
	Pipeline *operation.Pipeline
	Views    *operation.Views
	// Identify tells who asks and from where; an error that wraps auth.ErrUnavailable says that this cannot be told now.
	Identify func(*http.Request) (auth.Viewer, netip.Addr, error)
	Logger   *slog.Logger
}

// read is one request under way with its answer.
type read struct {
	*Reads
	w    http.ResponseWriter
	r    *http.Request
	kind *kind
	id   string // of what is read; empty for a list
	path string // the version that the path names, with its v; empty for none
}

// ServeHTTP answers one request. It must be mounted with the path whole.
func (h *Reads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Api-Version, Authorization, X-Api-Key")
	asked := read{Reads: h, w: w, r: r}
	if !asked.route() {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is nothing here.")
		return
	}
	if err := asked.serve(); err != nil {
		asked.refuse(err)
	}
}

// route finds what a path names; false for nothing.
func (a *read) route() bool {
	rest, below := strings.CutPrefix(a.r.URL.Path, PathAPI)
	if first, behind, ok := strings.Cut(rest, "/"); ok && len(first) > 1 && first[0] == 'v' {
		a.path, rest = first, behind
	}
	collection, id, one := strings.Cut(rest, "/")
	if one && (id == "" || strings.Contains(id, "/")) {
		return false
	}
	a.id, a.kind = id, kindOf(collection, one)
	return below && a.kind != nil
}

func (a *read) serve() error {
	header := a.w.Header()
	switch {
	case a.r.Method != http.MethodGet && a.r.Method != http.MethodHead:
		header.Set("Allow", MethodsReads)
		return &requestError{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "This can only be read."}
	case !wire.TakesJSON(a.r.Header["Accept"]):
		return &requestError{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "Only " + mediaJSON + " can be answered."}
	case a.r.Body != nil && a.r.Body != http.NoBody: // while it is unread, nobody would see the caller leave
		return badRequest("A GET has no body.")
	}
	viewer, ip, err := a.Identify(a.r)
	if err != nil {
		return a.unidentified(err)
	}
	asked := wire.VersionAsked(a.r)
	asked.Path = a.path
	if viewer.Version != 0 {
		asked.Pin = strconv.Itoa(viewer.Version)
	}
	view, wrong := a.Views.Choose(asked)
	if wrong != nil {
		setFields(header, wrong.Header)
		return &requestError{wrong.Status, wrong.Code, sentence(wrong.Message)}
	}
	header["Api-Version"] = view.Label
	setFields(header, view.Header())
	question, err := a.kind.question(a.id, a.r.URL)
	if err != nil {
		return err
	}
	client, clientVersion := wire.Client(a.r.Header)
	return a.answer(view, question, operation.Call{Viewer: viewer, IP: ip, Client: client, ClientVersion: clientVersion, RequestID: wire.RequestID(a.r.Context())})
}

// unidentified is the refusal of credentials that are not good, or cannot be looked at now.
func (a *read) unidentified(err error) error {
	if errors.Is(err, auth.ErrUnavailable) {
		a.w.Header().Set("Retry-After", "1")
		return &requestError{http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "Who calls cannot be checked now: come back in a moment."}
	}
	a.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	return &requestError{http.StatusUnauthorized, "UNAUTHENTICATED", "The token or key is not valid here: get a new one."}
}

// refuse answers with a problem document.
func (a *read) refuse(err error) {
	if wrong, ok := errors.AsType[*parameterError](err); ok {
		refuse(a.w, http.StatusBadRequest, "BAD_REQUEST", wrong.detail, fault{wrong.parameter, "INVALID", wrong.detail})
		return
	}
	if refused, ok := errors.AsType[*requestError](err); ok {
		refuse(a.w, refused.status, refused.code, refused.detail)
		return
	}
	if a.r.Context().Err() == nil {
		a.Logger.ErrorContext(a.r.Context(), "a read cannot be answered", "request_id", wire.RequestID(a.r.Context()), "error", err)
	}
	refuse(a.w, http.StatusInternalServerError, "INTERNAL", "Something went wrong on our side.")
}

// setFields sets fields, of which several may have the same name.
func setFields(header http.Header, fields []operation.Field) {
	fresh := http.Header{}
	for _, field := range fields {
		fresh.Add(field.Name, field.Value)
	}
	for name, values := range fresh {
		header[name] = values
	}
}

// sentence makes a message of the graph one of a problem document.
func sentence(message string) string {
	return strings.ToUpper(message[:min(1, len(message))]) + message[min(1, len(message)):] + "."
}
