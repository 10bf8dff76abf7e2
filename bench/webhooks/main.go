// Command webhooks measures what deliveries cost: how many a second go through the whole program, from a signed batch of events to the
// receiver's answer, and what the program computes while nothing happens. Gateway and Redis are processes of their own; the receivers
// are part of this one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"tributary/bench/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b benchmark
	flag.StringVar(&b.program, "tributary", "", "gateway to measure; built from this tree when left out")
	flag.IntVar(&b.deliveries, "deliveries", 20_000, "deliveries of each row")
	flag.DurationVar(&b.idle, "idle", 20*time.Second, "how long the idle program is watched")
	flag.Parse()
	if err := b.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "webhooks:", err)
		os.Exit(1)
	}
}

// benchmark is one run.
type benchmark struct {
	program    string
	deliveries int
	idle       time.Duration
	dir        string
}

const (
	heading = "| store | endpoints | deliveries a second | CPU of each | p50 | p99 | idle | idle without durable work | difference |\n" +
		"|---|---|---|---|---|---|---|---|---|"
	footnote = "\nTimes are from the acknowledgement of an event to its delivery, while all of them wait; idle is in percent of a core. Bound: a difference of 2 %."
)

func (b *benchmark) run(ctx context.Context, out io.Writer) (err error) {
	if b.dir, err = os.MkdirTemp("", "tributary-webhooks-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.program == "" {
		b.program = filepath.Join(b.dir, "tributary")
		build := process.Command{Name: "go build", Path: "go", Args: []string{"build", "-o", b.program, "."}, Env: os.Environ()}
		if _, err := process.Output(ctx, build, nil); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%s, %s %s/%s, %d cores%s\n\n%s\n", time.Now().UTC().Format("2006-01-02 15:04 MST"), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), load(), heading)
	for _, store := range []string{"SQLite", "Redis"} {
		if _, err := exec.LookPath("redis-server"); store == "Redis" && err != nil {
			fmt.Fprintln(out, "\nThere is no redis-server here.")
			break
		}
		for _, endpoints := range []int{1, 20} {
			row, err := b.measure(ctx, store, endpoints)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, row)
		}
	}
	fmt.Fprintln(out, footnote)
	return nil
}

// load is how busy the machine was a minute before, where the system tells.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	var average float64
	_, _ = fmt.Sscan(string(raw), &average)
	return fmt.Sprintf(", load %.2f at the start", average)
}

// measure makes one row: the deliveries, then the quiet after another start, then that without durable work.
func (b *benchmark) measure(ctx context.Context, store string, endpoints int) (r row, err error) {
	s, err := b.open(ctx, store)
	if err != nil {
		return r, err
	}
	defer s.close()
	r.store, r.endpoints = store, endpoints
	gateway, err := s.start(ctx)
	if err != nil {
		return r, err
	}
	defer gateway.Stop()
	receivers := newReceivers(endpoints)
	defer receivers.close()
	if err := receivers.register(ctx, s.key); err != nil {
		return r, errors.Join(err, gateway.Failure())
	}
	if err := r.deliver(ctx, gateway, receivers, b.deliveries); err != nil {
		return r, err
	}
	gateway.Stop()
	if r.idle, err = s.quiet(ctx, b.idle); err != nil {
		return r, err
	}
	r.without, err = s.quiet(ctx, b.idle, "--no-work-enabled")
	return r, err
}

// quiet watches a gateway that has just been started, so that nothing of the load is left in it.
func (s *setup) quiet(ctx context.Context, during time.Duration, args ...string) (float64, error) {
	gateway, err := s.start(ctx, args...)
	if err != nil {
		return 0, err
	}
	defer gateway.Stop()
	return watch(ctx, gateway, during)
}
