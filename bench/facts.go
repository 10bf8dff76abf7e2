package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"tributary/bench/process"
)

// facts are what a reader has to know of the machine and the moment.
type facts struct {
	lines    []string
	warnings []string
}

const (
	idleWatch = time.Second
	busyShare = .05 // of one core: what others may use before it is worth a warning
)

// readFacts looks at the machine, and watches for a second whether somebody else is at work on it.
func readFacts(ctx context.Context, args []string, l layout) facts {
	commit := "unknown"
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	f := facts{lines: []string{
		"Date: " + time.Now().UTC().Format("2006-01-02 15:04 MST"),
		"Command: `" + strings.Join(append([]string{"go run ./bench"}, args...), " ") + "`",
		"Version: " + commit + ", " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		fmt.Sprintf("Machine: %d cores, %s", runtime.NumCPU(), processor()),
		"Cores: " + l.String(),
	}}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ := strings.Cut(string(raw), " ")
		f.lines = append(f.lines, "Load average at the start: "+load)
		if value, err := strconv.ParseFloat(load, 64); err == nil && value > float64(runtime.NumCPU())/2 {
			f.warnings = append(f.warnings, "the machine was busy before the start: load average "+load)
		}
	}
	before, err := process.MachineUsage()
	if err != nil {
		return f
	}
	select {
	case <-time.After(idleWatch):
	case <-ctx.Done():
		return f
	}
	if after, err := process.MachineUsage(); err == nil {
		if share := float64(after.Busy-before.Busy) / float64(idleWatch); share > busyShare {
			f.warnings = append(f.warnings, fmt.Sprintf("other processes used %.0f %% of a core before the start", 100*share))
		}
	}
	return f
}

// processor is the model of the processor as Linux tells it.
func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
