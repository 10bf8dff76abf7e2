package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"tributary/clients"
	"tributary/internal/config"
	"tributary/internal/event"
	"tributary/internal/redisclient"
	"tributary/internal/telemetry"
	"tributary/internal/work"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/job"
	"tributary/internal/work/mail"
	"tributary/internal/work/saga"
	"tributary/internal/work/webhook"
	"tributary/resolvers"
)

// durable is the work that must not be forgotten: what stands in stores, and what carries it out.
type durable struct {
	cfg        *config.Config
	log        *slog.Logger
	metrics    *telemetry.Metrics
	events     *events
	records    work.Store
	consumers  dispatch.Store
	engine     *work.Engine
	accounts   *saga.Accounts
	dispatcher *dispatch.Dispatcher
	sender     *webhook.Sender
	webhooks   *webhook.Endpoints
	exports    *job.Exports // nil where there is no directory that all replicas share
	links      *job.Links   // nil without exports
	tidy       *job.Tidy    // nil without exports
	greet      func(context.Context, event.Event) error
	mails      *mail.Files           // nil where mail goes to a server
	redis      redis.UniversalClient // of its own, since the engine blocks connections; nil for a single replica
	close      []func() error
}

// openDurable opens the stores and puts everything together; nil when this replica takes no part. publicURL is where callers reach it.
// The caller closes it.
func openDurable(ctx context.Context, cfg *config.Config, publicURL string, events *events, services *clients.Clients, supports func(version int) error, metrics *telemetry.Metrics, log *slog.Logger) (_ *durable, err error) {
	s := &cfg.Serve
	if !s.Work.Enabled {
		return nil, nil
	}
	d := &durable{cfg: cfg, log: log, metrics: metrics, events: events}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if err := d.openStores(ctx); err != nil {
		return nil, err
	}
	if err := d.openExports(publicURL); err != nil {
		return nil, err
	}
	if err := d.openMail(); err != nil {
		return nil, err
	}
	if err := d.openDispatcher(services, supports); err != nil {
		return nil, err
	}
	return d, d.openEngine(services)
}

// openStores opens the files of the data dir, or what replicas share.
func (d *durable) openStores(ctx context.Context) (err error) {
	if address := d.cfg.Serve.RedisURL; address != "" {
		if d.redis, err = redisclient.Open(address); err != nil {
			return fmt.Errorf("--redis-url: %w", err)
		}
		d.close = append(d.close, d.redis.Close)
		d.records, d.consumers = work.NewRedis(d.redis), dispatch.NewRedis(d.redis)
		return checkDurability(ctx, d.redis, d.cfg.Serve.Work.RedisVolatile, d.log)
	}
	records, err := work.OpenSQLite(ctx, filepath.Join(d.cfg.DataDir, "work.db"))
	if err != nil {
		return err
	}
	d.records, d.close = records, append(d.close, records.Close)
	consumers, err := dispatch.OpenSQLite(ctx, filepath.Join(d.cfg.DataDir, "webhooks.db"))
	if err != nil {
		return err
	}
	d.consumers, d.close = consumers, append(d.close, consumers.Close)
	return nil
}

func (d *durable) openEngine(services *clients.Clients) (err error) {
	set := &d.cfg.Serve.Work
	options := work.Options{
		Store: d.records,
		Definitions: append(
			saga.Definitions(saga.Options{Clients: services, Store: d.records, History: d.events.log, Erase: d.erase}),
			job.Definitions(job.Options{Clients: services, Exports: d.exports, Completed: d.announceExport})...),
		Logger: d.log, Scale: set.TimeScale, Retention: set.Retention, Announce: d.announce,
		Observer: func(a work.Attempt) { d.metrics.WorkStep(a.Name, a.Step, a.Undo, a.Err == nil, a.Took) },
	}
	if d.redis != nil {
		options.Redis = d.redis
	} else {
		options.File = filepath.Join(d.cfg.DataDir, "workflows.db")
	}
	if d.engine, err = work.New(options); err != nil {
		return err
	}
	d.accounts = &saga.Accounts{Engine: d.engine, Clients: services, Grace: scaled(set.Grace, set.TimeScale)}
	return nil
}

func (d *durable) openDispatcher(services *clients.Clients, supports func(version int) error) error {
	set, demo := &d.cfg.Serve.Work, d.cfg.Serve.DemoMode()
	targets := webhook.TargetOptions{AllowHTTP: set.Webhook.AllowHTTP || demo, AllowLoopback: demo}
	for _, network := range set.Webhook.AllowNetworks {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return fmt.Errorf("--webhook-allow-networks: %w", err)
		}
		targets.AllowNetworks = append(targets.AllowNetworks, prefix)
	}
	rules, rights := webhook.NewTargets(targets), &showing{log: d.events.log}
	d.sender = webhook.NewSender(d.consumers, rules, webhook.SenderOptions{
		Timeout: set.Webhook.Timeout, Version: config.Version, Show: rights.show,
	})
	d.dispatcher = dispatch.New(d.consumers, d.events.log, d.send, dispatch.Options{
		Scale: set.TimeScale, MaxConsumers: 2*set.Webhook.MaxTotal + len(reactions), // each may have a replay
		Logger: d.log, Lease: max(scaled(heldFor, set.TimeScale), leastHeld),
		Durable: isReaction, OnDisabled: d.announceDisabled,
		Observer: dispatch.Observer{
			Attempted: func(c dispatch.Consumer, made dispatch.Delivery) {
				d.metrics.Delivery(consumerKind(c), string(made.Outcome), made.Took)
			},
			Disabled:  func(dispatch.Consumer) { d.metrics.ConsumerDisabled() },
			Refreshed: func(o dispatch.Overview) { d.metrics.Consumers(o.Consumers, o.Failing, o.Disabled, o.Lag) },
		},
	})
	d.events.hub.Tap(func(batch []event.Event) { d.dispatcher.Notify(batch[len(batch)-1].Position) })
	d.webhooks = webhook.New(d.consumers, d.events.log, d.dispatcher, rules, webhook.Options{
		MaxPerOwner: set.Webhook.MaxPerOwner, MaxTotal: set.Webhook.MaxTotal, Scale: set.TimeScale, Admit: rights.admit(services), Supports: supports,
	})
	return nil
}

// serve lets resolvers begin work and show it.
func (d *durable) serve(resolver *resolvers.Resolver) {
	if d == nil {
		return
	}
	resolver.Work, resolver.Accounts, resolver.Exports, resolver.Webhooks = d.engine, d.accounts, d.links, d.webhooks
}

// erase takes away what the gateway keeps of a person beside the log.
func (d *durable) erase(ctx context.Context, userID string) error {
	errs := []error{d.webhooks.DeleteOwned(ctx, userID), job.Erase(ctx, d.engine, d.exports, userID)}
	if d.mails != nil {
		errs = append(errs, d.mails.Erase(userID))
	}
	return errors.Join(errs...)
}

// A webhook or reaction is held by one replica for heldFor, renewed meanwhile: so long it rests when that replica dies. However small
// the scale, it is leastHeld.
const (
	heldFor   = 10 * time.Second
	leastHeld = 2 * time.Second
)

// scaled is a waiting time as it is here.
func scaled(d time.Duration, scale float64) time.Duration { return time.Duration(float64(d) * scale) }

// Run carries work out until ctx ends. Failures of stores are waited out.
func (d *durable) Run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return d.engine.Run(running) })
	group.Go(func() error { return d.dispatcher.Run(running) })
	group.Go(func() error { return d.keepReactions(running) })
	if d.tidy != nil {
		group.Go(func() error { return d.tidy.Run(running) })
	}
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// Close gives up the stores, after Run.
func (d *durable) Close() error {
	if d.sender != nil {
		d.sender.Close()
	}
	var errs []error
	for _, closeIt := range d.close {
		errs = append(errs, closeIt())
	}
	return errors.Join(errs...)
}
