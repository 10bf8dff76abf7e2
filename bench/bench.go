package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"tributary/bench/load"
	"tributary/bench/process"
)

// services are the services below the gateway, in the order in which the demo takes ports.
var services = [...]string{"user", "post", "comment", "follower"}

// benchmark is one run of everything.
type benchmark struct {
	*options
	begin      time.Time
	progress   io.Writer
	dir        string // for everything that is written; removed at the end
	executable string // this program
	tributary  string // the gateway's
	layout     layout
	upstream   []*process.Process // what is below the servers
	control    string             // base URL of the front's control
	demo       map[string]string  // base URLs of the services themselves
	fronts     map[string]string  // and of the fronts before them
	expected   map[string][]load.Request
}

// bench runs a benchmark and writes its report.
func bench(ctx context.Context, o *options, stdout, stderr io.Writer) (err error) {
	b := &benchmark{options: o, begin: time.Now(), progress: stderr, layout: newLayout(process.Cores()), expected: map[string][]load.Request{}}
	if b.executable, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "tributary-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.build(ctx); err != nil {
		return err
	}
	facts := readFacts(ctx, o.args, b.layout)
	for _, warning := range facts.warnings {
		fmt.Fprintln(stderr, "warning:", warning)
	}
	defer b.stopUpstream()
	if err := b.startUpstream(ctx); err != nil {
		return err
	}
	workloads, err := b.compare(ctx)
	if err != nil {
		return err
	}
	cells := plan(workloads, o.quick, o.cells)
	if len(cells) == 0 {
		return errors.New("-cells: no cell has such a name")
	}
	results, err := b.measureAll(ctx, cells)
	if err != nil {
		return err
	}
	if err := b.publish(stdout, report(facts, cells, results)); err != nil {
		return err
	}
	if n := len(results.failures); n > 0 {
		return fmt.Errorf("%d measurements failed: see the end of the report", n)
	}
	return nil
}

// build builds the gateway, unless one was given.
func (b *benchmark) build(ctx context.Context) error {
	if b.tributary = b.options.tributary; b.tributary != "" {
		return nil
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	b.tributary = filepath.Join(b.dir, "tributary")
	fmt.Fprintln(b.progress, "building the gateway")
	command := exec.CommandContext(ctx, "go", "build", "-o", b.tributary, ".")
	command.Dir = strings.TrimSpace(string(root))
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the gateway: %w\n%s", err, out)
	}
	return nil
}

// publish writes the report where it was asked for.
func (b *benchmark) publish(stdout io.Writer, text string) error {
	if b.out == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	return os.WriteFile(b.out, []byte(text), 0o644)
}
