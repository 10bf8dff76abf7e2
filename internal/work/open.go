package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	workflowredis "github.com/cschleiden/go-workflows/backend/redis"
	workflowsqlite "github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/diag"
)

// redisDrive is in front of all keys of the library. Its hash tag makes them work on a cluster.
const redisDrive = "{work}:wf:"

// opened is a backend and how it is closed.
type opened struct {
	diag.Backend
	close func() error
	clean func(ctx context.Context, before time.Time) error // removes instances that finished before a time
}

func (e *Engine) open(ctx context.Context) (*opened, error) {
	if e.options.Redis != nil {
		return e.openRedis()
	}
	return e.openFile(ctx)
}

func (e *Engine) backendOptions() []backend.BackendOption {
	return []backend.BackendOption{
		backend.WithLogger(slog.New(warnings{e.logger.Handler()})), backend.WithWorkflowLockTimeout(e.options.Lock), backend.WithActivityLockTimeout(e.options.Lock),
		backend.WithStickyTimeout(0), // work goes on where there is room; its state is short to replay
	}
}

// openRedis leaves expiry to Redis. Timers there fire when the blocking read ends, so up to a second late. Instances that go on under
// another execution are not removed at once: with them the library would forget which execution is the active one.
func (e *Engine) openRedis() (*opened, error) {
	scripts.Lock()
	defer scripts.Unlock()
	expiry := max(e.options.Retention.Round(time.Second), time.Second) // Redis takes no others
	b, err := workflowredis.NewRedisBackend(e.options.Redis,
		workflowredis.WithKeyPrefix(redisDrive), workflowredis.WithBlockTimeout(min(time.Second, e.options.Lock/10)),
		workflowredis.WithAutoExpiration(expiry), workflowredis.WithAutoExpirationContinueAsNew(min(expiry, time.Hour)),
		workflowredis.WithBackendOptions(e.backendOptions()...))
	if err != nil {
		return nil, fmt.Errorf("work: open the queue: %w", err)
	}
	nothing := func(context.Context, time.Time) error { return nil }
	return &opened{&acknowledging{b, e.options.Redis}, func() error { return nil }, nothing}, nil
}

// openFile opens the file, or makes it anew if a crash has left it half made. What is locked in it was so by a process that is gone.
// synchronous(normal): a power cut may take back the last changes, which the records make good.
func (e *Engine) openFile(ctx context.Context) (_ *opened, err error) {
	defer func() {
		if p := recover(); p != nil { // the library panics when it cannot make its tables
			err = fmt.Errorf("work: open %s: %v", e.options.File, p)
		}
	}()
	if err := e.dropHalfMade(ctx); err != nil {
		return nil, fmt.Errorf("work: open %s: %w", e.options.File, err)
	}
	db, err := openSQLiteFile(e.options.File, 1, "journal_mode(wal)", "synchronous(normal)")
	if err != nil {
		return nil, fmt.Errorf("work: open %s: %w", e.options.File, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	b := workflowsqlite.NewSqliteBackendWithDB(db, workflowsqlite.WithApplyMigrations(true),
		workflowsqlite.WithBackendOptions(append(e.backendOptions(), backend.WithRemoveContinuedAsNewInstances())...))
	_, err = db.ExecContext(ctx, "UPDATE instances SET locked_until = NULL, sticky_until = NULL; UPDATE activities SET locked_until = NULL")
	if err != nil {
		return nil, fmt.Errorf("work: open %s: %w", e.options.File, err)
	}
	clean := func(ctx context.Context, before time.Time) error {
		return b.RemoveWorkflowInstances(ctx, backend.RemoveFinishedBefore(before))
	}
	return &opened{b, db.Close, clean}, nil
}

// warnings are what the library logs that operators need to see.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// dropHalfMade removes a file whose making was cut short: the library refuses it, and all it drives is in the records.
func (e *Engine) dropHalfMade(ctx context.Context) error {
	db, err := openSQLiteFile(e.options.File, 1)
	if err != nil {
		return err
	}
	var dirty bool
	_ = db.QueryRowContext(ctx, "SELECT dirty FROM schema_migrations").Scan(&dirty) // there is no such table in a new file
	if err := db.Close(); err != nil || !dirty {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(e.options.File + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
