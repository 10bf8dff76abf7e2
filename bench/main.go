// Command bench measures the gateway against a server written by hand, on one machine in one run. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program. Its results go to stdout or the file asked for, what happens meanwhile to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if isChild(args) {
		return runChild(ctx, args, stdin, stdout)
	}
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.total+overtime, errors.New("the benchmark took far longer than it may"))
	defer cancel()
	return bench(ctx, o, stdout, stderr)
}

// overtime is how far a benchmark may exceed its time before it is given up: a round is not cut short.
const overtime = 5 * time.Minute

// options are the settings of a benchmark.
type options struct {
	args      []string // as given
	quick     bool
	total     time.Duration
	rounds    int
	window    time.Duration
	profiles  int
	cells     *regexp.Regexp
	servers   *regexp.Regexp
	out       string
	tributary string
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{args: args}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "a few cells with short measurements: -time 80s -window 400ms")
	flags.DurationVar(&o.total, "time", 11*time.Minute, "no round but the first begins that would not end within this time")
	flags.IntVar(&o.rounds, "rounds", 3, "how often everything is measured; the tables show medians")
	flags.DurationVar(&o.window, "window", 800*time.Millisecond, "length of one measurement")
	flags.IntVar(&o.profiles, "profiles", 500, "how many users' profiles are asked for, the most followed ones")
	flags.StringVar(&o.out, "out", "", "file to write the report to; standard output when left out")
	flags.StringVar(&o.tributary, "tributary", "", "the gateway's program; built from this module when left out")
	cells := flags.String("cells", "", "regular expression; only cells whose name has a match are measured, such as ^profile/cold/16$")
	servers := flags.String("servers", "", "regular expression; only servers whose name has a match are measured, and "+baseline+" beside them")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.quick && !given["time"] {
		o.total = 80 * time.Second
	}
	if o.quick && !given["window"] {
		o.window = 400 * time.Millisecond
	}
	var err error
	if o.cells, err = regexp.Compile(*cells); err != nil {
		return nil, fmt.Errorf("-cells: %w", err)
	}
	if o.servers, err = regexp.Compile(*servers); err != nil {
		return nil, fmt.Errorf("-servers: %w", err)
	}
	return o, o.check(flags.Args())
}

// check refuses what cannot be done, before anything has taken time.
func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.rounds < 1 || o.window <= 0 || o.total <= 0 || o.profiles < 1:
		return errors.New("-rounds, -window, -time and -profiles: want more than 0")
	}
	if o.tributary != "" {
		if _, err := os.Stat(o.tributary); err != nil {
			return fmt.Errorf("-tributary: %w", err)
		}
	}
	if o.out == "" {
		return nil
	}
	file, err := os.OpenFile(o.out, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return file.Close()
}
