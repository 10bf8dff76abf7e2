// Command subscriptions measures what subscribers cost the gateway: memory of each, processor time of a delivery, and how long
// it takes from the write in a service to the last byte at the last subscriber. Gateway, services and subscribers are separate
// processes on one machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"tributary/bench/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b benchmark
	flag.StringVar(&b.program, "tributary", "", "gateway to measure; built from this tree when left out")
	flag.IntVar(&b.members, "members", 10_000, "subscribers")
	flag.IntVar(&b.events, "events", 10, "events, one after the other")
	flag.DurationVar(&b.settle, "settle", time.Minute, "how long subscribers are idle before memory is read: pings go through meanwhile")
	flag.Parse()
	if err := b.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "subscriptions:", err)
		os.Exit(1)
	}
}

// benchmark is one run.
type benchmark struct {
	program         string
	members, events int
	settle          time.Duration
	dir             string
}

const (
	gatewayAddr = "127.0.0.1:18080"
	demoPort    = 18081 // and the three behind it
	secret      = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgc28="
)

func (b *benchmark) run(ctx context.Context, out io.Writer) (err error) {
	if b.dir, err = os.MkdirTemp("", "tributary-subscriptions-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.program == "" {
		b.program = filepath.Join(b.dir, "tributary")
		if _, err := process.Output(ctx, process.Command{Name: "go build", Path: "go", Args: []string{"build", "-o", b.program, "."}, Env: os.Environ()}, nil); err != nil {
			return err
		}
	}
	demo, err := b.start(ctx, "demo", "--addr", fmt.Sprintf("127.0.0.1:%d", demoPort), "--data-dir", filepath.Join(b.dir, "demo"),
		"--events-url", "http://"+gatewayAddr+"/events", "--events-secret", secret)
	if err != nil {
		return err
	}
	defer demo.Stop()
	args := []string{"serve", "--addr", gatewayAddr, "--data-dir", filepath.Join(b.dir, "gateway"), "--no-limit-enabled", "--events-max-connections", "100000"}
	for i, name := range []string{"user", "post", "comment", "follower"} {
		args = append(args, "--"+name+"-url", fmt.Sprintf("http://127.0.0.1:%d", demoPort+i), "--events-"+name+"-secrets", secret)
	}
	gateway, err := b.start(ctx, args...)
	if err != nil {
		return err
	}
	defer gateway.Stop()
	if err := awaitQuiet(ctx, gateway); err != nil {
		return errors.Join(err, gateway.Failure())
	}
	return b.measure(ctx, gateway, out)
}

func (b *benchmark) start(ctx context.Context, args ...string) (*process.Process, error) {
	return process.Start(ctx, process.Command{Name: args[0], Path: b.program, Args: append(args, "--log-level", "warn"), Env: os.Environ()})
}

// awaitQuiet waits until the gateway is ready and the services have told it of all that they have.
func awaitQuiet(ctx context.Context, gateway *process.Process) error {
	last, quiet := time.Duration(-1), 0
	for quiet < 3 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-gateway.Done():
			return gateway.Failure()
		case <-time.After(time.Second):
		}
		used, err := process.CPUTime(gateway.PID())
		if err != nil {
			return err
		}
		if used-last < 50*time.Millisecond {
			quiet++
		} else {
			quiet = 0
		}
		last = used
	}
	return nil
}

func (b *benchmark) measure(ctx context.Context, gateway *process.Process, out io.Writer) error {
	empty, err := resident(gateway.PID())
	if err != nil {
		return err
	}
	crowd, err := newCrowd(ctx, b.members)
	if err != nil {
		return err
	}
	defer crowd.close()
	time.Sleep(b.settle)
	idle, err := resident(gateway.PID())
	if err != nil {
		return err
	}
	before, err := process.CPUTime(gateway.PID())
	if err != nil {
		return err
	}
	var all, last []time.Duration
	for range b.events {
		latencies, err := crowd.event(ctx)
		if err != nil {
			return err
		}
		all, last = append(all, latencies...), append(last, slices.Max(latencies))
	}
	after, err := process.CPUTime(gateway.PID())
	if err != nil {
		return err
	}
	busy, err := resident(gateway.PID())
	if err != nil {
		return err
	}
	deliveries := float64(b.members * b.events)
	slices.Sort(all)
	slices.Sort(last)
	fmt.Fprintf(out, "| subscribers | payload | memory idle | after %d events | CPU for 10,000 deliveries | p50 | p99 | last of all, median |\n", b.events)
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	fmt.Fprintf(out, "| %d | %d B | %.1f KB each | %.1f KB each | %.3f s | %.0f ms | %.0f ms | %.0f ms |\n", b.members, crowd.bytes,
		float64(idle-empty)/float64(b.members)/1e3, float64(busy-empty)/float64(b.members)/1e3, (after-before).Seconds()/deliveries*10_000,
		ms(all[len(all)/2]), ms(all[len(all)*99/100]), ms(last[len(last)/2]))
	fmt.Fprintln(out, "\nTimes are from the write in the post service to the last byte of the payload; the subscribers share the machine with the gateway.")
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
