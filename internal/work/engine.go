package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cschleiden/go-workflows/client"
	"github.com/redis/go-redis/v9"
)

// Options are what an engine needs. Store, Definitions, Logger and one of File and Redis are required.
type Options struct {
	Store       Store
	Definitions []Definition
	// File is where a single process keeps what drives the work. It can be lost: all that counts is in the records. No other
	// process may use it at the same time, or steps run twice.
	File string
	// Redis is where replicas share it. Up to two connections of the client are blocked for a second at a time. The caller closes
	// it after Run.
	Redis  redis.UniversalClient
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now
	Scale  float64          // multiplies all waiting times that the engine chooses; 0: 1
	// Announce, if not nil, tells others of a change: at least once for each that changes State or Steps, in order for one record,
	// with the record as it stands. When it fails, the work rests until it succeeds.
	Announce func(ctx context.Context, r Record) error
	// Observer, if not nil, is told of each attempt that has ended. It must not block.
	Observer  func(Attempt)
	Retention time.Duration // how long ended work is kept; 0: 30 days
	Keep      int           // how much ended work of one owner and kind is kept, the last to end; looked at each hour; 0: 1,000
	Lock      time.Duration // after what silence another process takes a step over; 0: 10 s
	Parallel  int           // steps that run at once in this process; 0: 16
}

// Attempt is one try of a step.
type Attempt struct {
	Name, Step string
	Undo       bool
	Took       time.Duration
	Err        error // nil: it succeeded
}

// Engine carries work out. Its methods are safe for concurrent use, also before, while and after it runs.
type Engine struct {
	options     Options
	store       Store
	logger      *slog.Logger
	now         func() time.Time
	definitions map[string]Definition
	client      atomic.Pointer[client.Client] // nil while it does not run
	// attemptsPerHistory is the constant, but in tests.
	attemptsPerHistory int
	diagnostics        atomic.Pointer[http.Handler]
}

// New makes an engine. It starts nothing; an error says what is wrong with the options.
func New(options Options) (*Engine, error) {
	if options.Store == nil || options.Logger == nil || (options.File == "") == (options.Redis == nil) {
		return nil, errors.New("work: it needs a store, a logger, and either a file or Redis")
	}
	if options.Scale < 0 || options.Retention < 0 || options.Keep < 0 || options.Lock < 0 || options.Parallel < 0 {
		return nil, errors.New("work: a scale, time or number is below 0")
	}
	setDefault(&options.Scale, 1)
	setDefault(&options.Retention, 30*24*time.Hour)
	setDefault(&options.Keep, 1000)
	setDefault(&options.Lock, 10*time.Second)
	setDefault(&options.Parallel, 16)
	if options.Now == nil {
		options.Now = time.Now
	}
	e := &Engine{options: options, store: options.Store, logger: options.Logger, now: options.Now,
		definitions: map[string]Definition{}, attemptsPerHistory: attemptsPerHistory}
	for _, d := range options.Definitions {
		if err := d.check(); err != nil {
			return nil, err
		}
		if _, twice := e.definitions[d.Name]; twice {
			return nil, fmt.Errorf("work %s: it is defined twice", d.Name)
		}
		e.definitions[d.Name] = d
	}
	return e, nil
}

func setDefault[T comparable](value *T, to T) {
	if *value == *new(T) {
		*value = to
	}
}

// scaled is a waiting time of production as it is here.
func (e *Engine) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * e.options.Scale)
}

// Diagnostics is the page of the library that drives the work: its instances, which have the ids of records, and their histories. It
// is for administrators; it answers 503 while the engine does not run, and must be mounted with its prefix stripped.
func (e *Engine) Diagnostics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := e.diagnostics.Load()
		if handler == nil {
			http.Error(w, "the engine does not run", http.StatusServiceUnavailable)
			return
		}
		(*handler).ServeHTTP(w, r)
	})
}
