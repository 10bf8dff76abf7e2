package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"tributary/bench/process"
)

// Meters are what is read in front of and behind a measurement. What this system or the server does not offer stays 0.
type Meters struct {
	ServerPID    int
	UpstreamPIDs []int  // processes below the server
	OtherPIDs    []int  // further processes of the benchmark besides this one, so that they do not count as foreign
	MetricsURL   string // of the server, in Prometheus' text format
	UpstreamURL  string // answers the number of upstream calls so far as plain text
}

// Readings are what a measurement cost.
type Readings struct {
	CPU           time.Duration // of the server
	UpstreamCPU   time.Duration // of what is below it
	GeneratorCPU  time.Duration // of this process
	ForeignCPU    time.Duration // of everything on this machine that is no part of the benchmark
	Steal         time.Duration // taken away by the hypervisor
	Mallocs       float64       // objects that the server allocated
	AllocBytes    float64
	UpstreamCalls float64
}

// since is what was added to earlier.
func (r Readings) since(earlier Readings) Readings {
	return Readings{
		CPU:           r.CPU - earlier.CPU,
		UpstreamCPU:   r.UpstreamCPU - earlier.UpstreamCPU,
		GeneratorCPU:  r.GeneratorCPU - earlier.GeneratorCPU,
		ForeignCPU:    max(0, r.ForeignCPU-earlier.ForeignCPU),
		Steal:         r.Steal - earlier.Steal,
		Mallocs:       r.Mallocs - earlier.Mallocs,
		AllocBytes:    r.AllocBytes - earlier.AllocBytes,
		UpstreamCalls: r.UpstreamCalls - earlier.UpstreamCalls,
	}
}

// open reads in front of a measurement. It reads the server's metrics twice: what the second reading finds more is what a reading
// itself allocates, and is taken off in advance.
func (m *Meters) open(ctx context.Context) (Readings, error) {
	first, err := m.remote(ctx)
	if err != nil {
		return Readings{}, err
	}
	r, err := m.remote(ctx)
	if err != nil {
		return Readings{}, err
	}
	r.Mallocs += r.Mallocs - first.Mallocs
	r.AllocBytes += r.AllocBytes - first.AllocBytes
	return r, m.local(&r)
}

// close reads behind a measurement, in the opposite order, so that no reading costs the server anything in between.
func (m *Meters) close(ctx context.Context) (Readings, error) {
	var local Readings
	if err := m.local(&local); err != nil {
		return Readings{}, err
	}
	r, err := m.remote(ctx)
	r.CPU, r.UpstreamCPU, r.GeneratorCPU, r.ForeignCPU, r.Steal = local.CPU, local.UpstreamCPU, local.GeneratorCPU, local.ForeignCPU, local.Steal
	return r, err
}

// local reads what the kernel knows.
func (m *Meters) local(r *Readings) error {
	machine, err := process.MachineUsage()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	sum := func(pids ...int) (total time.Duration) {
		for _, pid := range pids {
			used, failed := process.CPUTime(pid)
			err = errors.Join(err, failed)
			total += used
		}
		return total
	}
	r.CPU, r.UpstreamCPU, r.GeneratorCPU = sum(m.ServerPID), sum(m.UpstreamPIDs...), sum(os.Getpid())
	r.ForeignCPU = machine.Busy - r.CPU - r.UpstreamCPU - r.GeneratorCPU - sum(m.OtherPIDs...)
	r.Steal = machine.Steal
	return err
}

// remote reads what the processes tell.
func (m *Meters) remote(ctx context.Context) (Readings, error) {
	var r Readings
	text, err := get(ctx, m.MetricsURL)
	if err != nil {
		return r, err
	}
	r.Mallocs, r.AllocBytes = sample(text, "go_memstats_mallocs_total"), sample(text, "go_memstats_alloc_bytes_total")
	if m.UpstreamURL == "" {
		return r, nil
	}
	if text, err = get(ctx, m.UpstreamURL); err != nil {
		return r, err
	}
	if r.UpstreamCalls, err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
		return r, fmt.Errorf("%s: %w", m.UpstreamURL, err)
	}
	return r, nil
}

// maxMetrics bounds the metrics that are read.
const maxMetrics = 4 << 20

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	request.Close = true // the server shall have no connections but those of the measurement
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxMetrics))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return string(raw), err
}

// sample finds the value of a metric without labels in Prometheus' text format; 0 when it is not there.
func sample(text, name string) float64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64) // what is no number is not there
			return value
		}
	}
	return 0
}
