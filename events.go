package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"tributary/clients"
	"tributary/internal/config"
	"tributary/internal/event"
	"tributary/internal/operation"
	"tributary/internal/redisclient"
	"tributary/internal/telemetry"
)

const (
	liveWithin   = 3 * time.Second // a source that was not heard of for longer counts as not live
	lookLive     = time.Second
	secretLength = 32
)

// eventLog is a log with its upkeep.
type eventLog interface {
	event.Log
	event.Keeper
	event.SubjectLister
}

// events is the way of domain events through this replica.
type events struct {
	log      eventLog
	hub      *event.Hub
	retainer *event.Retainer
	ingest   *event.Ingest
	secrets  map[string][][]byte
	blocking redis.UniversalClient // nil without Redis
	clients  *clients.Clients
	slog     *slog.Logger
}

// openEvents opens the log of the data dir, or the one that replicas share. Services that run in this process and have no secret
// get one that nobody else knows. The caller closes it.
func openEvents(ctx context.Context, cfg *config.Config, shared redis.UniversalClient, metrics *telemetry.Metrics, log *slog.Logger) (_ *events, err error) {
	e := &events{slog: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.secrets, err = eventSecrets(&cfg.Serve); err != nil {
		return nil, err
	}
	if shared == nil {
		e.log, err = event.OpenSQLite(ctx, filepath.Join(cfg.DataDir, "events.db"), time.Now)
	} else if e.blocking, err = redisclient.Open(cfg.Serve.RedisURL); err == nil {
		e.log = event.NewRedis(shared, e.blocking)
	}
	if err != nil {
		return nil, err
	}
	e.hub = event.NewHub(e.log, event.HubOptions{
		MaxSubscriptions: 2 * cfg.Serve.Events.MaxSubscriptions, // a member that catches up has one beside its group's
		Logger:           log,
		Observer: event.HubObserver{
			Delivered: metrics.EventsFanned, Dropped: metrics.EventsDropped, Failed: metrics.EventLogFailed, Lost: e.forget,
		},
	})
	e.hub.Tap(e.apply)
	e.ingest = &event.Ingest{Log: e.log, Secrets: e.secrets, Logger: log, Observer: event.IngestObserver{Received: metrics.EventsReceived}}
	e.retainer = e.newRetainer(&cfg.Serve, metrics)
	return e, nil
}

// newRetainer has one replica at a time take out of the log what is kept no longer.
func (e *events) newRetainer(s *config.Serve, metrics *telemetry.Metrics) *event.Retainer {
	r := &event.Retainer{
		Log: e.log, Events: s.Events.Retention, History: s.HistoryRetention, Logger: e.slog,
		Observer: event.RetainObserver{Trimmed: metrics.EventsTrimmed, Compacted: metrics.EventsCompacted},
	}
	if shared, ok := e.log.(*event.Redis); ok {
		r.Turn = shared.Turn
	}
	return r
}

func eventSecrets(s *config.Serve) (map[string][][]byte, error) {
	secrets := map[string][][]byte{}
	given := s.Events.Secrets()
	for _, service := range config.Services() {
		for _, text := range given[service] {
			secret, err := event.ParseSecret(text)
			if err != nil {
				return nil, fmt.Errorf("--events-%s-secrets: %w", service, err)
			}
			secrets[service] = append(secrets[service], secret)
		}
	}
	for _, service := range s.DemoNames() {
		if len(secrets[service]) == 0 {
			secret := make([]byte, secretLength)
			_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
			secrets[service] = [][]byte{secret}
		}
	}
	return secrets, nil
}

// signing is the secret that each service in this process signs with.
func (e *events) signing(names []string) map[string][]byte {
	secrets := map[string][]byte{}
	for _, name := range names {
		secrets[name] = e.secrets[name][0]
	}
	return secrets
}

// apply drops what events have made out of date, before any subscriber hears of them.
func (e *events) apply(batch []event.Event) {
	changes := make([]clients.Change, 0, len(batch))
	for _, one := range batch {
		if change, ok := changeOf(one); ok {
			changes = append(changes, change)
		}
	}
	e.clients.Apply(changes)
}

// forget drops everything, since events may have been missed.
func (e *events) forget() {
	for _, service := range config.Services() {
		e.clients.Forget(service)
	}
}

// Run tails the log, watches whose events arrive, and takes out of the log what is kept no longer, until ctx ends.
func (e *events) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return e.hub.Run(running) })
	group.Go(func() error { return e.retainer.Run(running) })
	group.Go(func() error {
		e.watch(running)
		return nil
	})
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// watch tells the clients whose events arrive.
func (e *events) watch(ctx context.Context) {
	tick := time.NewTicker(lookLive)
	defer tick.Stop()
	for {
		heard, err := e.log.Live(ctx)
		lag, lagErr := e.hub.Lag(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, service := range config.Services() {
			at, ok := heard[service]
			e.clients.SetLive(service, err == nil && lagErr == nil && ok && lag == 0 && time.Since(at) < liveWithin)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Close gives up the log.
func (e *events) Close() error {
	var errs []error
	if e.log != nil {
		errs = append(errs, e.log.Close())
	}
	if e.blocking != nil {
		errs = append(errs, e.blocking.Close())
	}
	return errors.Join(errs...)
}

// source lets subscriptions have the hub's events, with so many waiting for each.
func (e *events) source(buffer int) operation.Source {
	return operation.Source{Opening: func(ctx context.Context) (context.Context, func(context.Context, bool, string) (operation.Feed, error)) {
		opening := &event.Opening{}
		return event.WithOpening(ctx, opening), func(ctx context.Context, resume bool, after string) (operation.Feed, error) {
			var cursor *event.Cursor
			if text := cmp.Or(opening.After, after); resume && text != "" {
				parsed, err := event.ParseCursor(text)
				if err != nil {
					return operation.Feed{}, operation.ErrCursor
				}
				cursor = &parsed
			}
			sub, err := e.hub.Subscribe(ctx, opening.Topics, cursor, buffer)
			if err != nil {
				return operation.Feed{}, feedError(err)
			}
			return newFeed(sub), nil
		}
	}}
}

func newFeed(sub *event.Subscription) operation.Feed {
	return operation.Feed{
		Next: func(ctx context.Context) (operation.Item, error) {
			e, err := nextOf(ctx, sub)
			if err != nil {
				return operation.Item{}, feedError(err)
			}
			cursor := event.Cursor{Log: sub.Bookmark().Log, Position: e.Position}.String()
			return operation.Item{Position: e.Position, Cursor: cursor, Enter: func(ctx context.Context) context.Context {
				return event.WithDelivery(ctx, event.Delivery{Event: e, Cursor: cursor})
			}}, nil
		},
		Position: func() (int64, string) {
			bookmark := sub.Bookmark()
			return bookmark.Position, bookmark.String()
		},
		Settled: func() (int64, string, bool) {
			bookmark, ok := sub.Settled()
			return bookmark.Position, bookmark.String(), ok
		},
		Close: sub.Close,
	}
}

// retryLog is how long a feed waits before it reads a log again that failed.
const retryLog = 200 * time.Millisecond

// nextOf waits for the next event, also while the log cannot be read.
func nextOf(ctx context.Context, sub *event.Subscription) (event.Event, error) {
	for {
		e, err := sub.Next(ctx)
		var slow *event.SlowError
		if err == nil || ctx.Err() != nil || errors.As(err, &slow) || errors.Is(err, event.ErrCursor) || errors.Is(err, event.ErrEnded) {
			return e, err
		}
		select {
		case <-time.After(retryLog):
		case <-ctx.Done():
			return event.Event{}, ctx.Err()
		}
	}
}

// feedError says in the pipeline's words how a feed ended.
func feedError(err error) error {
	var slow *event.SlowError
	switch {
	case errors.As(err, &slow):
		return &operation.SlowFeedError{Cursor: slow.Cursor.String()}
	case errors.Is(err, event.ErrCursor), errors.Is(err, event.ErrTrimmed):
		return fmt.Errorf("%w: %w", operation.ErrCursor, err)
	}
	return err
}
