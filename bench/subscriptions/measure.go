package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/bench/process"
)

const (
	perSecond = 20 // events of a steady rate

	heading = "| events | subscribers | payload | memory idle | after | CPU for 10,000 deliveries | p50 | p95 | p99 | last of all, median | longest | stolen | the stalled one |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|"
	footnote = "\nTimes are from the write in the post service to the last byte of the payload; the subscribers share the machine with the gateway.\n" +
		"Bounds: 10,000 subscribers 16 KB each idle (aim 12) and 20 KB after (aim 13), 0.15 s, p99 250 ms (aim 150); 1,000 subscribers at 20 a second p99 30 ms; longest beside a stalled one 100 ms."
)

// row is one of the table; what was not measured is empty.
type row struct {
	events, subscribers, payload, idle, after, cpu string
	latencies                                      []time.Duration
	last                                           time.Duration
	stolen, stalled                                string
}

func (r row) String() string {
	slices.Sort(r.latencies)
	n := len(r.latencies)
	last := ""
	if r.last > 0 {
		last = fmt.Sprintf("%.0f ms", ms(r.last))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %.0f ms | %.0f ms | %.0f ms | %s | %.0f ms | %s | %s |", r.events, r.subscribers, r.payload, r.idle, r.after, r.cpu,
		ms(r.latencies[n/2]), ms(r.latencies[n*95/100]), ms(r.latencies[n*99/100]), last, ms(r.latencies[n-1]), r.stolen, r.stalled)
}

// describe fills in what every row has.
func (r *row) describe(c *crowd, used usage) {
	r.subscribers = fmt.Sprintf("%d, %s", len(c.conns), c.transport)
	r.payload = fmt.Sprintf("%d B", c.bytes.Load())
	r.cpu = fmt.Sprintf("%.3f s", used.gateway.Seconds()/float64(len(r.latencies))*10_000)
	r.stolen = fmt.Sprintf("%.1f %%", 100*used.stolen)
}

// burst has many subscribers stay idle, and then hear of one event after the other.
func (b *benchmark) burst(ctx context.Context, gateway *process.Process, transport string) (r row, err error) {
	empty, err := resident(gateway.PID())
	if err != nil {
		return r, err
	}
	crowd, err := newCrowd(ctx, transport, b.members)
	if err != nil {
		return r, err
	}
	defer crowd.close()
	select {
	case <-time.After(b.settle):
	case <-ctx.Done():
		return r, ctx.Err()
	}
	idle, err := resident(gateway.PID())
	if err != nil {
		return r, err
	}
	var last []time.Duration
	used, err := cpuOf(gateway, func() error {
		for number := range b.events {
			start := time.Now()
			if err := publish(ctx, number); err != nil {
				return err
			}
			latencies, err := crowd.gather(ctx, number, []time.Time{start})
			if err != nil {
				return err
			}
			r.latencies, last = append(r.latencies, latencies...), append(last, slices.Max(latencies))
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	after, err := resident(gateway.PID())
	if err != nil {
		return r, err
	}
	r.describe(crowd, used)
	slices.Sort(last)
	r.events, r.last = fmt.Sprintf("%d, one by one", b.events), last[len(last)/2]
	r.idle, r.after = each(idle-empty, b.members), each(after-empty, b.members)
	return r, nil
}

// steadily has fewer subscribers hear of events at a steady rate, whatever becomes of them.
func (b *benchmark) steadily(ctx context.Context, gateway *process.Process, transport string) (row, error) {
	crowd, err := newCrowd(ctx, transport, b.fewer)
	if err != nil {
		return row{}, err
	}
	defer crowd.close()
	return crowd.scheduled(ctx, gateway, b.steady)
}

// besideStalled is steadily, with one more client that reads nothing.
func (b *benchmark) besideStalled(ctx context.Context, gateway *process.Process, transport string) (r row, err error) {
	crowd, err := newCrowd(ctx, transport, b.fewer)
	if err != nil {
		return r, err
	}
	defer crowd.close()
	stalled, err := newStalled(ctx)
	if err != nil {
		return r, err
	}
	defer stalled.conn.Close()
	watching, stop := context.WithCancel(ctx)
	told := make(chan string, 1)
	go func() { told <- stalled.watch(watching) }()
	r, err = crowd.scheduled(ctx, gateway, 2*b.steady)
	stop()
	r.stalled = <-told
	return r, err
}

// scheduled publishes n posts at the steady rate and measures how they come.
func (c *crowd) scheduled(ctx context.Context, gateway *process.Process, n int) (r row, err error) {
	time.Sleep(2 * time.Second) // what opening left behind is no part of it
	used, err := cpuOf(gateway, func() (err error) {
		plan := newSchedule(n, perSecond)
		published := make(chan error, 1)
		go func() { published <- plan.run(ctx, 0) }()
		r.latencies, err = c.gather(ctx, 0, plan.starts)
		return errors.Join(err, <-published)
	})
	if err != nil {
		return r, err
	}
	r.describe(c, used)
	r.events = fmt.Sprintf("%d, %d a second", n, perSecond)
	return r, nil
}

// usage is what is used while something is done.
type usage struct {
	gateway time.Duration // processor time of the gateway
	stolen  float64       // share of a core that the hypervisor gave to others
}

func cpuOf(gateway *process.Process, do func() error) (usage, error) {
	before, err := process.CPUTime(gateway.PID())
	if err != nil {
		return usage{}, err
	}
	machine, err := process.MachineUsage()
	if err != nil {
		return usage{}, err
	}
	start := time.Now()
	if err := do(); err != nil {
		return usage{}, errors.Join(err, gateway.Failure())
	}
	took := time.Since(start)
	after, err := process.CPUTime(gateway.PID())
	if err != nil {
		return usage{}, err
	}
	now, err := process.MachineUsage()
	return usage{after - before, (now.Steal - machine.Steal).Seconds() / took.Seconds()}, err
}

// resident is the memory of a process that stands in RAM, in bytes.
func resident(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kilobytes << 10, err
}

func each(bytes int64, n int) string {
	return fmt.Sprintf("%.1f KB each", float64(bytes)/float64(n)/1e3)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
