package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// writing is one write request inside its transaction.
type writing struct {
	tx      *sql.Tx
	pool    *pool
	ids     []string // from the path
	body    object
	ifMatch int64   // 0 for none
	actor   *string // nil for none
	now     stamp
	subject string // what the answer is about, for redaction
	erases  bool   // what it takes away must not be told
}

// answer is what a write gives back; it can be repeated.
type answer struct {
	status         int
	etag, location string
	body           string // a JSON document, or nothing
	replayed       bool
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	if a.etag != "" {
		h.Set("ETag", a.etag)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return
	}
	h["Content-Type"] = jsonType
	if a.status >= http.StatusBadRequest {
		h.Set("Content-Type", "application/problem+json")
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	w.Write([]byte(a.body)) // the client has gone
}

// entityAnswer answers with an entity and its version.
func entityAnswer(status int, doc string, version int64) answer {
	return answer{status: status, etag: `"` + strconv.FormatInt(version, 10) + `"`, body: doc}
}

// created is entityAnswer for a new entity at a path.
func created(doc string, version int64, path string) answer {
	a := entityAnswer(http.StatusCreated, doc, version)
	a.location = path
	return a
}

func affected(n int64) answer {
	return answer{status: http.StatusOK, body: fmt.Sprintf(`{"affected":%d}`, n)}
}

// serveWrite reads what surrounds a write, runs it and answers.
func (a *api) serveWrite(ctx context.Context, rw http.ResponseWriter, r *http.Request, route *route, ids []string) error {
	w := &writing{pool: a.store.write, ids: ids, now: stampOf(a.now()), erases: route.erases}
	if err := w.readHeaders(r.Header, route.ifMatch); err != nil {
		return err
	}
	keys, err := readKeys(r.Header)
	if err != nil {
		return err
	}
	raw, err := readBody(rw, r, route.body)
	if err != nil {
		return err
	}
	if route.body != noBody {
		if w.body, err = decodeObject(raw); err != nil {
			return err
		}
	}
	result, err := a.commitWrite(ctx, w, route, keys, fingerprint(r, raw))
	if err != nil {
		return err
	}
	if route.erases {
		a.store.foldWAL(ctx, a.log)
	}
	result.write(rw)
	return nil
}

// commitWrite runs a write in one transaction with its events and, if it came with keys, its kept answer and its fence.
func (a *api) commitWrite(ctx context.Context, w *writing, route *route, keys keys, request string) (answer, error) {
	tx, done, err := a.store.begin(ctx)
	if err != nil {
		return answer{}, err
	}
	defer done()
	w.tx = tx
	result, refusal, err := w.fenced(ctx, keys, request, route.write)
	if err != nil {
		return answer{}, err
	}
	if err := tx.Commit(); err != nil {
		return answer{}, fmt.Errorf("commit: %w", err)
	}
	if refusal != nil {
		return answer{}, refusal
	}
	select {
	case a.store.committed <- struct{}{}:
	default:
	}
	return result, nil
}

// readHeaders reads X-Actor and If-Match.
func (w *writing) readHeaders(h http.Header, kind matchKind) (err error) {
	if w.actor, err = readActor(h); err != nil {
		return err
	}
	if tag := h.Get("If-Match"); tag != "" && kind != matchIgnored {
		digits := strings.TrimSuffix(strings.TrimPrefix(tag, `"`), `"`)
		w.ifMatch, err = strconv.ParseInt(digits, 10, 64)
		if err != nil || w.ifMatch < 1 || tag != `"`+digits+`"` || digits[0] == '+' {
			return badRequest("If-Match must be one version in quotes")
		}
	}
	if kind == matchRequired && w.ifMatch == 0 {
		detail := "If-Match must name the version to change"
		return &problem{status: http.StatusPreconditionRequired, code: "PRECONDITION_REQUIRED", detail: detail}
	}
	return nil
}

// readActor reads whom the gateway acts for, nil for nobody.
func readActor(h http.Header) (*string, error) {
	actor := h.Get("X-Actor")
	if actor == "" {
		return nil, nil
	}
	if !validID(actor) {
		return nil, badRequest("X-Actor is not an id")
	}
	return &actor, nil
}

// match compares If-Match, where it was given, with the version that stands.
func (w *writing) match(version int64) error {
	if w.ifMatch == 0 || w.ifMatch == version {
		return nil
	}
	detail := fmt.Sprintf("the current version is %d", version)
	return &problem{status: http.StatusPreconditionFailed, code: "VERSION_MISMATCH", detail: detail, version: version}
}

func (w *writing) checker() *checker { return &checker{object: w.body} }

// exec runs a statement and returns how many rows it changed.
func (w *writing) exec(ctx context.Context, text string, args ...any) (int64, error) {
	stmt, err := w.pool.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := w.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a query inside the transaction. The rows have to be closed before the next statement.
func (w *writing) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := w.pool.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return w.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}

// column reads the first column of all rows.
func column[T any](ctx context.Context, w *writing, text string, args ...any) (values []T, err error) {
	rows, err := w.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Err tells
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// load reads one entity from the document that a query finds; found is false where there is none.
func load[T any](ctx context.Context, w *writing, text string, args ...any) (entity T, found bool, err error) {
	docs, err := column[string](ctx, w, text, args...)
	if err != nil || len(docs) == 0 {
		return entity, false, err
	}
	if err := json.Unmarshal([]byte(docs[0]), &entity); err != nil {
		return entity, false, fmt.Errorf("stored document: %w", err)
	}
	return entity, true, nil
}

// loadAll is load for several rows; the caller bounds them.
func loadAll[T any](ctx context.Context, w *writing, text string, args ...any) ([]T, error) {
	docs, err := column[string](ctx, w, text, args...)
	if err != nil {
		return nil, err
	}
	entities := make([]T, len(docs))
	var errs []error
	for i, doc := range docs {
		errs = append(errs, json.Unmarshal([]byte(doc), &entities[i]))
	}
	return entities, errors.Join(errs...)
}
