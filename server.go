// Command tributary serves one GraphQL graph over many services. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/internal/config"
	"tributary/internal/console"
	"tributary/internal/telemetry"
	"tributary/internal/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, config.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "tributary:", err)
		os.Exit(1)
	}
}

// run is the program: it ends when its command is done or, with nil, when ctx is.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	cfg, command, err := config.Parse(args, stdout)
	if err != nil {
		return err
	}
	log, err := telemetry.NewLogger(stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	switch command {
	case config.CommandServe:
		return serve(ctx, &cfg, log, stdout)
	case config.CommandDemo:
		return serveDemo(ctx, &cfg, log, stdout)
	case config.CommandImport:
		return importData(ctx, &cfg, stdout, stderr)
	case config.CommandSchema:
		return printSchema(stdout)
	case config.CommandExplain:
		return explainQuery(ctx, &cfg, log, stdin, stdout)
	case config.CommandDoctor:
		return checkServices(ctx, &cfg, stdout)
	case config.CommandToken:
		return issueToken(&cfg, stdout)
	}
	return fmt.Errorf("unknown command %s", command)
}

// serve runs the gateway and, as far as no URLs are given, the demo services below it.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, stdout io.Writer) error {
	s := &cfg.Serve
	services, err := openServices(ctx, cfg.DataDir, &s.Gateway, s.DemoMode(), log)
	if err != nil {
		return err
	}
	defer services.Close()
	metrics := telemetry.New()
	access, err := openAccess(cfg, metrics, log)
	if err != nil {
		return err
	}
	defer access.Close()
	gateway, err := newGateway(&s.Gateway, services.URLs, access, metrics, s.DemoMode(), log)
	if err != nil {
		return err
	}
	defer gateway.clients.Close()
	graphql, err := newTransport(s, gateway, access)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	draining := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("/graphql", graphql)
	mux.Handle("GET /metrics", metrics.Handler())
	mux.Handle("GET /healthz", wire.Healthy())
	mux.Handle("GET /readyz", wire.Ready(draining))
	mux.Handle("/", console.Handler())
	server := &http.Server{
		Handler:           wire.Secure(wire.Identify(wire.Log(log, wire.Recover(log, wire.Hosts(s.AllowedHosts, mux))))),
		ReadHeaderTimeout: s.HeaderTimeout,
		ReadTimeout:       s.HeaderTimeout + s.BodyTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	announce(stdout, listener.Addr(), services, s.DemoMode())
	log.Info("listening", "addr", listener.Addr().String(), "demo", s.DemoMode())

	below, stopBelow := context.WithCancel(context.WithoutCancel(ctx)) // what operations need ends after them
	defer stopBelow()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return services.Run(below) })
	group.Go(func() error { return access.Run(below) })
	group.Go(func() error {
		defer stopBelow()
		return serveHTTP(ctx, server, listener, draining, s.ShutdownTimeout, log)
	})
	return group.Wait()
}

// serveHTTP serves until ctx ends, then lets running requests finish until the timeout has passed.
func serveHTTP(ctx context.Context, server *http.Server, listener net.Listener, draining chan<- struct{}, timeout time.Duration, log *slog.Logger) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	close(draining)
	log.Info("stopping", "timeout", timeout.String())
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		log.Warn("requests were cut off", "error", err.Error())
		err = server.Close()
	}
	<-failed // http.ErrServerClosed
	return err
}
