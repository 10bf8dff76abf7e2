package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"tributary/bench/load"
	"tributary/bench/process"
)

// measureAll measures everything once a round: what changes slowly on a machine then meets all cells. The error is that of ctx.
func (b *benchmark) measureAll(ctx context.Context, cells []cell) (*results, error) {
	all := &results{measurements: map[string][]measurement{}, failures: map[string]error{}}
	previous := time.Now()
	for round := range b.rounds {
		for _, c := range cells {
			line := b.measureCell(ctx, c, round, all)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			fmt.Fprintf(b.progress, "round %d of %d  %v:%s\n", round+1, b.rounds, c, line)
		}
		took := time.Since(previous)
		previous = time.Now()
		if round+1 < b.rounds && time.Since(b.begin)+took > b.total {
			fmt.Fprintf(b.progress, "no time for another round of %v\n", took.Round(time.Second))
			break
		}
	}
	return all, nil
}

// measureCell measures the servers of a cell right behind one another, in each round beginning with another one. It returns what to
// tell of it.
func (b *benchmark) measureCell(ctx context.Context, c cell, round int, all *results) (line string) {
	compared := b.chosen()
	for i := range compared {
		s := compared[(i+round)%len(compared)]
		key := resultKey(c, s.name)
		if !s.measured(c) || all.failures[key] != nil || ctx.Err() != nil {
			continue
		}
		m, err := b.measure(ctx, c, s, round)
		if err != nil {
			all.failures[key] = err
			line += fmt.Sprintf("  %s failed", s.name)
			continue
		}
		all.measurements[key] = append(all.measurements[key], m)
		line += fmt.Sprintf("  %s %.0f/s", s.name, rate(m))
	}
	return line
}

// measure starts a server, loads it, and stops it: no measurement inherits another one's memory.
func (b *benchmark) measure(ctx context.Context, c cell, s server, round int) (m measurement, err error) {
	if err := b.setLatency(ctx, c.mode.latency); err != nil {
		return m, err
	}
	err = b.serving(ctx, func(addr string) process.Command { return s.command(b, c.mode, addr) }, func(r running) (err error) {
		if s.events && c.mode.live {
			beating, stop := context.WithCancel(ctx)
			stopped := make(chan error, 1)
			go func() { stopped <- beat(beating, r.base) }()
			defer func() {
				stop()
				err = errors.Join(err, <-stopped)
			}()
		}
		spec := load.Spec{
			URL: r.url, Requests: b.expected[expectation(s.name, c.workload.name)], Connections: c.connections,
			Seed: uint64(round), WarmUp: c.mode.warmUp, Window: b.window,
			Meters: load.Meters{
				ServerPID: r.process.PID(), OtherPIDs: []int{os.Getpid()},
				MetricsURL: r.base + "/metrics", UpstreamURL: b.control + "/calls",
			},
		}
		for _, p := range b.upstream {
			spec.Meters.UpstreamPIDs = append(spec.Meters.UpstreamPIDs, p.PID())
		}
		if m.Result, err = b.load(ctx, spec); err != nil {
			return err
		}
		m.peakRSS, _ = process.PeakRSS(r.process.PID()) // 0 where the system does not tell
		return nil
	})
	return m, err
}

// load has a process of its own make the load.
func (b *benchmark) load(ctx context.Context, spec load.Spec) (result load.Result, err error) {
	raw, err := json.Marshal(spec)
	if err != nil {
		return result, err
	}
	command := b.self(commandLoad, nil)
	command.CPUs = b.layout.others
	out, err := process.Output(ctx, command, bytes.NewReader(raw))
	if err != nil {
		return result, err
	}
	return result, json.Unmarshal(out, &result)
}

// running is a server that answers.
type running struct {
	process   *process.Process
	base, url string // its base URL, and that of its GraphQL endpoint
}

// serving runs a server for the time of use.
func (b *benchmark) serving(ctx context.Context, command func(addr string) process.Command, use func(running) error) error {
	addrs, err := freeAddrs(1)
	if err != nil {
		return err
	}
	c := command(addrs[0])
	c.CPUs = b.layout.server
	c.Env = append(c.Env, "GOMAXPROCS=1")
	p, err := process.Start(ctx, c)
	if err != nil {
		return err
	}
	defer p.Stop()
	r := running{process: p, base: "http://" + addrs[0], url: "http://" + addrs[0] + "/graphql"}
	if err := waitHealthy(ctx, p, r.base); err != nil {
		return err
	}
	if err := use(r); err != nil {
		select {
		case <-p.Done():
			return fmt.Errorf("%w\n%w", err, p.Failure())
		default:
			return fmt.Errorf("%w\n%s", err, p.Stderr())
		}
	}
	return nil
}
