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
	"runtime/debug"
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
	flag.StringVar(&b.transport, "transport", "", "websocket or SSE alone; both when left out")
	flag.IntVar(&b.members, "members", 10_000, "subscribers whose memory is measured, and who hear of events one after the other")
	flag.IntVar(&b.events, "events", 10, "how many such events")
	flag.IntVar(&b.fewer, "fewer", 1000, "subscribers who hear of events at a steady rate")
	flag.IntVar(&b.steady, "steady", 200, "how many events at a steady rate, 20 a second; twice as many beside a stalled client")
	flag.DurationVar(&b.settle, "settle", time.Minute, "how long subscribers are idle before memory is read: pings go through meanwhile")
	flag.Parse()
	debug.SetGCPercent(800) // the crowd's own collections would be counted as waiting
	if err := b.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "subscriptions:", err)
		os.Exit(1)
	}
}

// benchmark is one run.
type benchmark struct {
	program, transport             string
	members, events, fewer, steady int
	settle                         time.Duration
	dir                            string
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
	transports := []string{websockets, streams}
	if b.transport != "" {
		if !slices.Contains(transports, b.transport) {
			return fmt.Errorf("-transport is %s or %s", websockets, streams)
		}
		transports = []string{b.transport}
	}
	even := steadiness(5 * time.Second)
	fmt.Fprintln(out, heading)
	for _, part := range []func(context.Context, *process.Process, string) (row, error){b.burst, b.steadily, b.besideStalled} {
		for _, transport := range transports {
			row, err := b.with(ctx, transport, part)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, row)
		}
	}
	fmt.Fprintln(out, footnote)
	fmt.Fprintln(out, even)
	return nil
}

// with measures on a gateway and services of their own, so that no row inherits the memory or the events of another.
func (b *benchmark) with(ctx context.Context, transport string, part func(context.Context, *process.Process, string) (row, error)) (row, error) {
	dir, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return row{}, err
	}
	demo, err := b.start(ctx, "demo", "--addr", fmt.Sprintf("127.0.0.1:%d", demoPort), "--data-dir", filepath.Join(dir, "demo"),
		"--events-url", "http://"+gatewayAddr+"/events", "--events-secret", secret)
	if err != nil {
		return row{}, err
	}
	defer demo.Stop()
	args := []string{"serve", "--addr", gatewayAddr, "--data-dir", filepath.Join(dir, "gateway"), "--no-limit-enabled", "--events-max-connections", "100000"}
	for i, name := range []string{"user", "post", "comment", "follower"} {
		args = append(args, "--"+name+"-url", fmt.Sprintf("http://127.0.0.1:%d", demoPort+i), "--events-"+name+"-secrets", secret)
	}
	gateway, err := b.start(ctx, args...)
	if err != nil {
		return row{}, err
	}
	defer gateway.Stop()
	if err := awaitQuiet(ctx, gateway); err != nil {
		return row{}, errors.Join(err, gateway.Failure())
	}
	return part(ctx, gateway, transport)
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
