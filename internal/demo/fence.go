package demo

import (
	"context"
	"errors"
	"net/http"
)

// fenceTable remembers which keys are fenced, and since when. The bound is that of kept answers.
const fenceTable = `
CREATE TABLE IF NOT EXISTS fences (
	seq INTEGER PRIMARY KEY,
	key TEXT NOT NULL UNIQUE,
	at  INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS fences_by_time ON fences (at);
`

// keys are the idempotency headers of a write, each empty where there is none.
type keys struct{ own, fence string }

// readKeys reads Idempotency-Key and Idempotency-Fence.
func readKeys(h http.Header) (k keys, err error) {
	if k.own, err = readKey(h, "Idempotency-Key"); err != nil {
		return keys{}, err
	}
	if k.fence, err = readKey(h, "Idempotency-Fence"); err != nil {
		return keys{}, err
	}
	if k.own != "" && k.own == k.fence {
		return keys{}, badRequest("Idempotency-Fence must name another write than this one")
	}
	return k, nil
}

// readKey reads a header that holds a key, empty where it is missing.
func readKey(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || !validKey(values[0]) {
		return "", badRequest("%s has 1 to 255 printable ASCII characters", name)
	}
	return values[0], nil
}

// fenced runs a write under its keys. The fence stands whether the write is done or refused: in the transaction of an
// undo that finds nothing to undo it is all that is left, and what it keeps out may still be on its way. The error of a
// refused write that fenced comes back as refusal, and the transaction is to be committed.
func (w *writing) fenced(ctx context.Context, k keys, request string, write func(context.Context, *writing) (answer, error)) (result answer, refusal *problem, err error) {
	if k.fence == "" {
		result, err = w.keyed(ctx, k.own, request, write)
		return result, nil, err
	}
	if err := w.putFence(ctx, k.fence); err != nil {
		return answer{}, nil, err
	}
	if _, err := w.tx.ExecContext(ctx, "SAVEPOINT fenced"); err != nil {
		return answer{}, nil, err
	}
	result, err = w.keyed(ctx, k.own, request, write)
	if refusal, ok := errors.AsType[*problem](err); ok && refusal.status < http.StatusInternalServerError {
		_, err := w.tx.ExecContext(ctx, "ROLLBACK TO fenced")
		return answer{}, refusal, err
	}
	return result, nil, err
}

// keyed runs a write, at most once where it has a key, and not at all where that is fenced.
func (w *writing) keyed(ctx context.Context, key, request string, write func(context.Context, *writing) (answer, error)) (answer, error) {
	if key == "" {
		return write(ctx, w)
	}
	held, err := column[int64](ctx, w, "SELECT 1 FROM fences WHERE key = ? AND at > ?", key, int64(w.now)-int64(retention))
	if err != nil {
		return answer{}, err
	}
	if len(held) > 0 {
		return answer{}, conflict("the write of this Idempotency-Key was undone")
	}
	return w.once(ctx, key, request, write)
}

// putFence fences a key from now on, and makes room for it.
func (w *writing) putFence(ctx context.Context, key string) error {
	_, err := w.exec(ctx, "DELETE FROM fences WHERE key = ? OR at <= ? OR seq <= (SELECT max(seq) FROM fences) - ?",
		key, int64(w.now)-int64(retention), maxKept)
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, "INSERT INTO fences (key, at) VALUES (?, ?)", key, int64(w.now))
	return err
}
