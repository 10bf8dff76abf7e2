// Package demo holds the reference services behind the graph: user, post, comment and follower, each a real HTTP
// service with a SQLite file of its own, that keep the contract in docs/contract by themselves. They serve the demo,
// the tests and the benchmarks; whoever writes a service of their own can read here what is expected of it.
package demo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Options say where and how the services run. Only Dir is needed.
type Options struct {
	// Dir holds the SQLite files, <service>.db. It is made if it is missing.
	Dir string
	// Addrs names the address that a service listens on; the default is 127.0.0.1:0.
	Addrs map[string]string
	// Token is the bearer token that every request has to carry, /healthz aside. Empty: anyone may ask.
	Token string
	// Faults adds GET, PUT and DELETE /faults to every service.
	Faults bool
	// AllowedHosts are Host names that are served besides those of the loopback; others get 421.
	AllowedHosts []string
	// Events is where the services deliver their events; nil keeps them in the outboxes.
	Events *EventSink
	// Logger takes what an operator should know; nil discards it.
	Logger *slog.Logger
	// Now is the clock that stamps writes; nil is time.Now.
	Now func() time.Time
}

// Demo is a set of services that share a data directory. Its methods may be called from many goroutines.
type Demo struct{ services []*service }

// Open opens the files and listeners of the named services, of all four without a name, and starts nothing: until
// Run, connections wait. An unfinished Seed of the directory is finished first. Whoever does not call Run has to
// call Close.
func Open(ctx context.Context, o Options, names ...string) (_ *Demo, err error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := finishSeed(ctx, o.Dir); err != nil {
		return nil, err
	}
	d := &Demo{}
	for _, definition := range chosen {
		s, err := openService(ctx, o, definition)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		d.services = append(d.services, s)
	}
	return d, nil
}

// openService puts one service together.
func openService(ctx context.Context, o Options, d *definition) (*service, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	store, err := openStore(ctx, o.Dir, d)
	if err != nil {
		return nil, err
	}
	a := &api{
		store: store, hosts: newHosts(o.AllowedHosts), log: log.With("service", d.name), now: now,
		router: newRouter(append(d.routes(store), healthRoute(store), outboxRoute(store))),
		token:  sha256.Sum256([]byte(o.Token)), secured: o.Token != "",
	}
	address := o.Addrs[d.name]
	if address == "" {
		address = "127.0.0.1:0"
	}
	door, err := openDoor(ctx, address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s service: %w", d.name, err), store.close())
	}
	s := newService(d.name, a, door, o.Faults)
	if o.Events != nil {
		if s.deliverer, err = newDeliverer(o.Events, a, s.faults); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// Run serves until ctx ends, lets running requests finish, and closes files and listeners. It may be called once.
// It returns nil after ctx ended, else the error that stopped a service and with it the others.
func (d *Demo) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(d.services))
	var running sync.WaitGroup
	for i, s := range d.services {
		running.Go(func() {
			defer cancel()
			errs[i] = s.run(ctx)
		})
	}
	running.Wait()
	return errors.Join(errors.Join(errs...), d.Close())
}

// Close closes files and listeners. Run does it by itself; a second call does nothing.
func (d *Demo) Close() error {
	var errs []error
	for _, s := range d.services {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// URL returns the address of a service, such as http://127.0.0.1:4001, and "" for one that is not part of d.
func (d *Demo) URL(service string) string {
	if s := d.find(service); s != nil {
		return s.door.url
	}
	return ""
}

// Faults returns the fault switch of a service, whether or not it can be turned over HTTP, and nil for one that is
// not part of d.
func (d *Demo) Faults(service string) *Faults {
	if s := d.find(service); s != nil {
		return s.faults
	}
	return nil
}

// Empty says whether no file ever held anything.
func (d *Demo) Empty(ctx context.Context) (bool, error) {
	for _, s := range d.services {
		empty, err := s.api.store.empty(ctx)
		if err != nil || !empty {
			return false, err
		}
	}
	return true, nil
}

func (d *Demo) find(name string) *service {
	for _, s := range d.services {
		if s.name == name {
			return s
		}
	}
	return nil
}
