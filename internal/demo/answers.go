package demo

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"sync"
)

// answersBytes bounds the answers that a service keeps.
const answersBytes = 8 << 20

// answers keeps answers of reads for as long as the file stays as it is. SQLite tells by a number, which is another
// one after every commit of another connection, in this process or in another: so nothing is ever invalidated by hand.
type answers struct {
	conn    *sql.Conn  // writes nothing, so that every commit is another connection's
	asking  sync.Mutex // one question at a time: a statement of one connection has one cursor
	version *sql.Stmt

	mu    sync.Mutex
	known int64 // the version that kept belongs to
	kept  map[string][]byte
	bytes int
}

func openAnswers(ctx context.Context, p *pool) (*answers, error) {
	conn, err := p.Conn(ctx)
	if err != nil {
		return nil, err
	}
	stmt, err := conn.PrepareContext(ctx, "PRAGMA data_version")
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &answers{conn: conn, version: stmt, kept: map[string][]byte{}}, nil
}

func (a *answers) close() error { return errors.Join(a.version.Close(), a.conn.Close()) }

// now returns the version of the file. What is read later is at least as new.
func (a *answers) now(ctx context.Context) (version int64, err error) {
	a.asking.Lock()
	defer a.asking.Unlock()
	// Not the request's context: it would cost a goroutine, for a question of microseconds.
	err = a.version.QueryRowContext(context.WithoutCancel(ctx)).Scan(&version)
	return version, err
}

// get returns the answer to a request that is kept for a version, nil if there is none. It must not be changed.
func (a *answers) get(version int64, request string) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known != version {
		return nil
	}
	return a.kept[request]
}

// put keeps the answer to a request that was read after version was known. It takes body over.
func (a *answers) put(version int64, request string, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version < a.known { // of the past
		return
	}
	if version > a.known || a.bytes+len(body) > answersBytes {
		maps.DeleteFunc(a.kept, func(string, []byte) bool { return true })
		a.known, a.bytes = version, 0
	}
	if _, double := a.kept[request]; !double {
		a.kept[request] = body
		a.bytes += len(body) + len(request)
	}
}
