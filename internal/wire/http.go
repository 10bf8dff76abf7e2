// Package wire frames operations for the protocols that clients speak. It decides nothing about what an operation may do.
package wire

import (
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// The codes of requests that never become an operation.
const (
	CodeBadRequest           = "BAD_REQUEST"
	CodeBodyTooLarge         = "BODY_TOO_LARGE"
	CodeMethodNotAllowed     = "METHOD_NOT_ALLOWED"
	CodeNotAcceptable        = "NOT_ACCEPTABLE"
	CodeUnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
	CodeUnauthenticated      = "UNAUTHENTICATED"
	CodeMisdirected          = "MISDIRECTED_REQUEST"
	CodeInternal             = "INTERNAL"
)

// HTTP answers queries and mutations over HTTP as https://graphql.github.io/graphql-over-http describes it. All of its fields
// are needed. It is safe for concurrent use.
type HTTP struct {
	Pipeline     *operation.Pipeline
	View         *operation.View
	Verify       func(token string) (auth.Viewer, error) // tells whose token it is; an error refuses the request
	MaxBodyBytes int64
}

// ServeHTTP answers one request: a POST of JSON, or a GET with a query.
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		writeRefusal(w, mediaJSON, http.StatusNotAcceptable, CodeNotAcceptable, "only "+mediaGraphQL+" and "+mediaJSON+" can be answered")
		return
	}
	request, refused := h.read(w, r)
	if refused != nil {
		writeRefusal(w, media, refused.status, refused.code, refused.message)
		return
	}
	viewer, err := h.viewer(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeRefusal(w, media, http.StatusUnauthorized, CodeUnauthenticated, "the token is not valid here: get a new one")
		return
	}
	prepared, errs := h.Pipeline.Prepare(h.View, request)
	if errs != nil {
		write(w, media, refusedStatus(media), response{Errors: errs})
		return
	}
	if r.Method != http.MethodPost && prepared.Kind() != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		writeRefusal(w, media, http.StatusMethodNotAllowed, CodeMethodNotAllowed, "send this operation by POST")
		return
	}
	result := h.Pipeline.Run(r.Context(), prepared, operation.Call{
		Viewer: viewer, RequestID: RequestID(r.Context()), IdempotencyKey: r.Header.Get("Idempotency-Key"),
	})
	write(w, media, http.StatusOK, response{Errors: result.Errors, Data: result.Data, Extensions: result.Extensions})
}

// refusedStatus is that of a well-formed request whose operation cannot run. In plain JSON it is 200: other programs on the way
// answer in JSON too, and only 200 says that this is GraphQL's own answer.
func refusedStatus(media string) int {
	if media == mediaJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// viewer tells who calls: nobody when there is no Authorization.
func (h *HTTP) viewer(r *http.Request) (auth.Viewer, error) {
	fields := r.Header.Values("Authorization")
	if len(fields) == 0 || (len(fields) == 1 && fields[0] == "") {
		return auth.Viewer{}, nil
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	if len(fields) > 1 || !strings.EqualFold(scheme, "bearer") {
		return auth.Viewer{}, auth.ErrInvalidToken
	}
	return h.Verify(strings.TrimSpace(token))
}
