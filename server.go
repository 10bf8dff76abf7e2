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

	"tributary/internal/config"
	"tributary/internal/telemetry"
	"tributary/internal/tuning"
)

// runProcess runs the program until its command is done or somebody asks it to end, and gives the exit status.
func runProcess() (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, config.ErrHelp) {
		fmt.Fprintln(os.Stderr, "tributary:", err)
		return 1
	}
	return 0
}

// run is the program without its process: it ends when its command is done or, with nil, when ctx is.
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
		return printSchema(&cfg.Schema, stdout)
	case config.CommandExplain:
		return explainQuery(ctx, &cfg, log, stdin, stdout)
	case config.CommandDoctor:
		return checkServices(ctx, &cfg, stdout)
	case config.CommandEvents:
		return tendEvents(ctx, &cfg, log, stdout)
	case config.CommandToken:
		return issueToken(&cfg, stdout)
	}
	return fmt.Errorf("unknown command %s", command)
}

// serve runs one replica of the gateway and, as far as no URLs are given, the demo services below it.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, stdout io.Writer) (err error) {
	set := &cfg.Serve.Runtime
	collector := tuning.Choose(tuning.Settings{Percent: set.GCPercent, Headroom: set.GCHeadroom, Limit: set.MemoryLimit}, os.LookupEnv, tuning.Memory)
	defer collector.Apply()()
	r, err := openReplica(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	announce(stdout, r.listener.Addr(), r.services, cfg.Serve.DemoMode())
	log.Info("listening", "addr", r.listener.Addr().String(), "demo", cfg.Serve.DemoMode(), "gc", collector)
	return r.Run(ctx)
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
