package demo

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
)

// maxKept bounds the answers that are kept to be repeated; the oldest go first.
const maxKept = 100_000

// validKey says whether s is an Idempotency-Key: 1 to 255 printable ASCII characters.
func validKey(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 255
}

// fingerprint tells requests apart: what is asked, and by whom. The version in If-Match is no part of it: who repeats a write
// because its answer was lost reads the new version first.
func fingerprint(r *http.Request, body []byte) string {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.Header.Get("X-Actor")} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// once runs a write, or repeats the answer that its key got before. The answer is kept in the transaction of the
// write; a refusal is kept too, after what the write did was taken back. Failures are not kept, nor is a version that
// did not match, so that the key can be used again with the right one.
func (w *writing) once(ctx context.Context, key, request string, write func(context.Context, *writing) (answer, error)) (answer, error) {
	kept, found, err := w.kept(ctx, key, request)
	if err != nil || found {
		return kept, err
	}
	if _, err := w.tx.ExecContext(ctx, "SAVEPOINT once"); err != nil {
		return answer{}, err
	}
	result, err := write(ctx, w)
	if refusal, ok := errors.AsType[*problem](err); ok && refusal.status < http.StatusInternalServerError && refusal.status != http.StatusPreconditionFailed {
		if _, err := w.tx.ExecContext(ctx, "ROLLBACK TO once"); err != nil {
			return answer{}, err
		}
		result, err = answer{status: refusal.status, body: string(refusal.appendJSON(nil))}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return result, w.keep(ctx, key, request, result)
}

// kept looks for the answer of an earlier request with this key.
func (w *writing) kept(ctx context.Context, key, request string) (a answer, found bool, err error) {
	rows, err := w.query(ctx, "SELECT request, status, etag, location, body FROM idempotency WHERE key = ? AND at > ?",
		key, int64(w.now)-int64(retention))
	if err != nil {
		return a, false, err
	}
	defer rows.Close() // Err tells
	if !rows.Next() {
		return a, false, rows.Err()
	}
	var first string
	a.replayed = true
	if err := rows.Scan(&first, &a.status, &a.etag, &a.location, &a.body); err != nil {
		return a, false, err
	}
	if first != request {
		return a, false, &problem{
			status: http.StatusUnprocessableEntity, code: "IDEMPOTENCY_KEY_REUSED",
			detail: "this Idempotency-Key belongs to another request",
		}
	}
	return a, true, nil
}

// keep stores an answer and makes room for it.
func (w *writing) keep(ctx context.Context, key, request string, a answer) error {
	_, err := w.exec(ctx, "DELETE FROM idempotency WHERE at <= ? OR seq <= (SELECT max(seq) FROM idempotency) - ?",
		int64(w.now)-int64(retention), maxKept)
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO idempotency (key, request, at, subject, status, etag, location, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		key, request, int64(w.now), w.subject, a.status, a.etag, a.location, a.body)
	return err
}

// redactAll takes the content out of kept answers and events about the subjects that a query of one parameter gives,
// since they are being erased. The keys then repeat that there is no such thing; the events keep their place in the
// sequence.
func (w *writing) redactAll(ctx context.Context, subjects string, arg any) error {
	gone := notFound("it was erased")
	_, err := w.exec(ctx, "UPDATE idempotency SET status = ?2, etag = '', location = '', body = ?3 WHERE status < 300 AND subject IN ("+subjects+")",
		arg, gone.status, string(gone.appendJSON(nil)))
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "UPDATE outbox SET data = '"+redactedData+"' WHERE subject IN ("+subjects+")", arg)
	return err
}

// redact is redactAll for one subject.
func (w *writing) redact(ctx context.Context, subject string) error {
	return w.redactAll(ctx, "SELECT ?1", subject)
}

// prune removes kept answers, fences and outbox rows that are older than the retention.
func (s *store) prune(ctx context.Context, now stamp) error {
	before := int64(now) - int64(retention)
	return s.transact(ctx, func(tx *sql.Tx) error {
		_, first := tx.ExecContext(ctx, "DELETE FROM idempotency WHERE at <= ?", before)
		_, second := tx.ExecContext(ctx, "DELETE FROM outbox WHERE time <= ?", before)
		_, third := tx.ExecContext(ctx, "DELETE FROM fences WHERE at <= ?", before)
		return errors.Join(first, second, third)
	})
}
