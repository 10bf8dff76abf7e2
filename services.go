package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/mattn/go-isatty"

	"tributary/internal/config"
	"tributary/internal/demo"
	"tributary/internal/event"
)

// services are the services below a gateway: those that are given, and those that it runs itself as a demo.
type services struct {
	URLs   map[string]string
	Seeded time.Duration // how long it took to make up the demo's data; 0 when it was there
	demo   *demo.Demo    // nil when all are given
}

// openServices finds the services that have URLs, and opens the others as demo. A whole demo without data is seeded first.
// Their events go to the sink, if there is one.
func openServices(ctx context.Context, dataDir string, cfg *config.Gateway, faults bool, sink *demo.EventSink, log *slog.Logger) (*services, error) {
	s := &services{URLs: map[string]string{}}
	for _, name := range config.Services() {
		s.URLs[name] = cfg.Of(name).URL
	}
	names := cfg.DemoNames()
	if len(names) == 0 {
		return s, nil
	}
	if len(names) == len(config.Services()) {
		start := time.Now()
		seeded, err := demo.Seed(ctx, dataDir)
		if err != nil {
			return nil, err
		}
		if seeded {
			s.Seeded = time.Since(start)
		}
	}
	var err error
	if s.demo, err = demo.Open(ctx, demo.Options{Dir: dataDir, Faults: faults, Token: cfg.ServiceToken, Events: sink, Logger: log}, names...); err != nil {
		return nil, err
	}
	for _, name := range names {
		s.URLs[name] = s.demo.URL(name)
	}
	return s, nil
}

// Run serves what is a demo until ctx ends.
func (s *services) Run(ctx context.Context) error {
	if s.demo == nil {
		return nil
	}
	return s.demo.Run(ctx)
}

// Close gives up what Run did not get to close.
func (s *services) Close() error {
	if s.demo == nil {
		return nil
	}
	return s.demo.Close()
}

// withServices runs the demo among the services while f works with their URLs.
func withServices(ctx context.Context, dataDir string, cfg *config.Gateway, log *slog.Logger, f func(ctx context.Context, urls map[string]string) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s, err := openServices(ctx, dataDir, cfg, false, nil, log)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	err = f(ctx, s.URLs)
	stop()
	return errors.Join(err, <-done)
}

// announce tells a person where everything is, and what to try.
func announce(w io.Writer, addr net.Addr, s *services, demoMode bool) {
	base := "http://" + reachable(addr)
	fmt.Fprintf(w, "Tributary serves the graph at %s/graphql\n  playground  %s/\n  metrics     %s/metrics\n", base, base, base)
	if s.Seeded > 0 {
		fmt.Fprintf(w, "A social network of 1,000 users was made up in %d ms.\n", s.Seeded.Milliseconds())
	}
	if demoMode {
		fmt.Fprintf(w, "  services    user %s  post %s  comment %s  follower %s\n", s.URLs["user"], s.URLs["post"], s.URLs["comment"], s.URLs["follower"])
		fmt.Fprintf(w, "Try:\n  curl -s %s/graphql -H 'Content-Type: application/json' -d '{\"query\":\"{ posts(first: 3) { nodes { title author { name } } } }\"}'\n", base)
	}
}

// reachable is an address that a browser on this machine can open.
func reachable(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// serveDemo runs the reference services alone.
func serveDemo(ctx context.Context, cfg *config.Config, log *slog.Logger, stdout io.Writer) error {
	d := &cfg.Demo
	var names []string
	if d.Service != "all" {
		names = []string{d.Service}
	}
	if _, err := demo.Seed(ctx, cfg.DataDir); err != nil {
		return err
	}
	addrs, err := demoAddrs(d.Addr, names)
	if err != nil {
		return err
	}
	sink, err := demoSink(d, names)
	if err != nil {
		return err
	}
	opened, err := demo.Open(ctx, demo.Options{
		Dir: cfg.DataDir, Addrs: addrs, Token: d.Token, Faults: d.Faults, AllowedHosts: d.AllowedHosts, Events: sink, Logger: log,
	}, names...)
	if err != nil {
		return err
	}
	for _, name := range config.Services() {
		if url := opened.URL(name); url != "" {
			fmt.Fprintf(stdout, "%s service at %s\n", name, url)
			log.Info("listening", "service", name, "url", url)
		}
	}
	return opened.Run(ctx)
}

// demoSink is where the reference services deliver their events; nil for nowhere.
func demoSink(d *config.Demo, names []string) (*demo.EventSink, error) {
	if d.EventsURL == "" {
		return nil, nil
	}
	secret, err := event.ParseSecret(d.EventsSecret)
	if err != nil {
		return nil, fmt.Errorf("--events-secret: %w", err)
	}
	if len(names) == 0 {
		names = config.Services()
	}
	secrets := map[string][]byte{}
	for _, name := range names {
		secrets[name] = secret
	}
	return &demo.EventSink{URL: d.EventsURL, Secrets: secrets}, nil
}

// demoAddrs gives each service its address: that of the flag and the ports behind it, or any free ones.
func demoAddrs(addr string, names []string) (map[string]string, error) {
	host, text, err := net.SplitHostPort(addr)
	port, perr := strconv.Atoi(text)
	if err := errors.Join(err, perr); err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	addrs := map[string]string{}
	for _, name := range config.Services() {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		addrs[name] = net.JoinHostPort(host, strconv.Itoa(port))
		if port != 0 {
			port++
		}
	}
	return addrs, nil
}

// importData fills the demo services of a data dir, whether they run or not.
func importData(ctx context.Context, cfg *config.Config, stdout, stderr io.Writer) error {
	report, err := demo.Import(ctx, cfg.DataDir, cfg.Import.Dir, progressOn(stderr))
	if err != nil {
		return err
	}
	for _, file := range report.Files {
		fmt.Fprintf(stdout, "%-16s %7d lines: %d new, %d changed, %d unchanged\n", file.File, file.Lines, file.Added, file.Changed, file.Unchanged)
	}
	return nil
}

// progressOn shows progress where a person looks on; elsewhere nil.
func progressOn(w io.Writer) func(demo.Progress) {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	return func(p demo.Progress) {
		end := ""
		if p.Done {
			end = "\n"
		}
		fmt.Fprintf(f, "\r%-16s %3d %%  %d lines%s", p.File, 100*p.Bytes/max(p.TotalBytes, 1), p.Lines, end)
	}
}
