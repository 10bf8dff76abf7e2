package demo

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// requestTimeout bounds the work of one request in the database.
	requestTimeout = 10 * time.Second
	// bulkTimeout is the same for a write to everything of a user. It stays below what the server has for an answer.
	bulkTimeout = 50 * time.Second
)

// api answers the requests of one service.
type api struct {
	store   *store
	router  *router
	streams streams
	hosts   hosts
	token   [sha256.Size]byte // of the bearer token; anyone may ask where secured is false
	secured bool
	log     *slog.Logger
	now     func() time.Time
}

// ServeHTTP answers everything but faults.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.survive(w, r)
	if err := a.answer(r.Context(), w, r); err != nil {
		a.problem(r.Context(), r, err).write(w)
	}
}

// admit refuses requests that this service must not answer at all.
func (a *api) admit(r *http.Request) error {
	if !a.hosts.allow(r.Host) {
		return &problem{status: http.StatusMisdirectedRequest, code: "MISDIRECTED_REQUEST", detail: "this host name is not served here"}
	}
	if r.URL.Path == "/healthz" || !a.secured {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], a.token[:]) == 0 {
		return &problem{status: http.StatusUnauthorized, code: "UNAUTHENTICATED", detail: "a bearer token is required"}
	}
	return nil
}

// answer finds and runs the endpoint; what it returns is still to be written, what it has written is not an error.
func (a *api) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	route, ids, err := a.router.find(r.Method, r.URL.Path)
	if err != nil {
		return err
	}
	timeout := requestTimeout
	if route.bulk {
		timeout = bulkTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if route.write != nil {
		return a.serveWrite(ctx, w, r, route, ids)
	}
	return a.serveRead(ctx, w, r, route)
}

// serveRead answers from what is kept, or reads.
func (a *api) serveRead(ctx context.Context, w http.ResponseWriter, r *http.Request, route *route) error {
	if _, err := readActor(r.Header); err != nil {
		return err
	}
	out := a.streams.get(w)
	defer a.streams.put(out)
	request := r.URL.Path + "?" + r.URL.RawQuery
	version, err := a.store.answers.now(ctx)
	if err != nil {
		return err
	}
	if kept := a.store.answers.get(version, request); kept != nil {
		out.b = append(out.b, kept...)
		out.finish()
		return nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query is malformed")
	}
	if err := route.read(ctx, params{values: values}, out); err != nil {
		if out.sent {
			a.log.ErrorContext(ctx, "an answer broke off", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler)
		}
		return err
	}
	if !out.sent && !route.fresh {
		a.store.answers.put(version, request, slices.Clone(out.b))
	}
	out.finish()
	return nil
}

// problem turns an error into what the client may know of it, and logs the rest.
func (a *api) problem(ctx context.Context, r *http.Request, err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r.Context().Err() != nil { // the client has gone
		return unavailable()
	}
	a.log.ErrorContext(ctx, "a request failed", "method", r.Method, "path", r.URL.Path,
		"request", limitString(r.Header.Get("X-Request-Id"), 255), "error", err)
	if errors.Is(err, context.DeadlineExceeded) || isBusy(err) {
		return unavailable()
	}
	return internal()
}

// isBusy says whether another process held the file for too long.
func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// survive answers for a handler that panicked.
func (a *api) survive(w http.ResponseWriter, r *http.Request) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		a.log.ErrorContext(r.Context(), "a handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		internal().write(w)
	}
}

// healthRoute answers whether reads can be answered, by reading.
func healthRoute(s *store) route {
	return route{method: http.MethodGet, pattern: "/healthz", fresh: true, read: func(ctx context.Context, _ params, out *stream) error {
		rows, err := s.read.query(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+s.definition.table+" LIMIT 1)")
		if err != nil {
			return errors.Join(unavailable(), err)
		}
		if _, err := scanOne[int64](rows); err != nil {
			return errors.Join(unavailable(), err)
		}
		out.b = append(out.b, `{"status":"ok"}`...)
		return nil
	}}
}
