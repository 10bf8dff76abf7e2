package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	drainTime       = 5 * time.Second
	maintenanceTime = time.Minute
)

// service is one running service: the door in front, the fault switch behind it, and the API with its store.
type service struct {
	name        string
	api         *api
	door        *door
	faults      *Faults
	switchable  bool // over HTTP
	connections *connections
	deliverer   *deliverer // nil without a sink
	closing     func() error
}

func newService(name string, a *api, d *door, switchable bool) *service {
	s := &service{
		name: name, api: a, door: d, faults: newFaults(d), switchable: switchable,
		connections: newConnections(),
	}
	s.closing = sync.OnceValue(func() error {
		s.faults.close()
		return errors.Join(d.close(), a.store.close())
	})
	return s
}

// close ends what openService opened; later calls return what the first did.
func (s *service) close() error { return s.closing() }

// run serves until ctx ends, again after each time that the door was shut.
func (s *service) run(ctx context.Context) error {
	upkeep, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.maintain(upkeep) })
	if s.deliverer != nil {
		running.Go(func() { s.deliverer.run(upkeep) })
	}
	err := s.serve(ctx)
	stop()
	running.Wait()
	s.connections.wait()
	if err != nil {
		return fmt.Errorf("%s service: %w", s.name, err)
	}
	return nil
}

func (s *service) serve(ctx context.Context) error {
	for {
		server := s.newServer()
		listener, open := s.door.wait(ctx, server)
		if !open {
			return nil
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		select {
		case <-ctx.Done():
			s.drain(server, listener, served)
			return nil
		case err := <-served:
			if s.door.serves(server) && !errors.Is(err, http.ErrServerClosed) {
				server.Close() // its error would say less
				return err
			}
		}
	}
}

func (s *service) newServer() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    256 << 10, // 500 ids of 64 bytes, escaped
		ConnState:         s.connections.track,
		ErrorLog:          slog.NewLogLogger(s.api.log.Handler(), slog.LevelDebug),
	}
}

// drain lets running requests finish, for a while, and then breaks them.
func (s *service) drain(server *http.Server, listener net.Listener, served <-chan error) {
	s.faults.release()
	listener.Close() // it may be shut already
	<-served         // from here on no connection is added
	s.connections.closeUnused()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.api.log.Warn("requests were cut off at the end")
		server.Close() // nothing is left to do about it
	}
}

// maintain removes what is older than its retention, once at the start and then every minute.
func (s *service) maintain(ctx context.Context) {
	tick := time.NewTicker(maintenanceTime)
	defer tick.Stop()
	for {
		if err := s.api.store.prune(ctx, stampOf(s.api.now())); err != nil && ctx.Err() == nil {
			s.api.log.ErrorContext(ctx, "maintenance failed", "error", err)
		}
		s.api.store.foldWAL(ctx, s.api.log)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ServeHTTP answers one request, through the fault switch if a fault is set.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.api.admit(r); err != nil {
		s.api.problem(r.Context(), r, err).write(w)
		return
	}
	if s.switchable && r.URL.Path == "/faults" {
		s.serveFaults(w, r)
		return
	}
	if f := s.faults.current.Load(); f != nil {
		f.serve(w, r, s.api)
		return
	}
	s.api.ServeHTTP(w, r)
}
