// Command overload measures what the gateway still answers when more is asked of it than it can do: at twice the rate that its processor
// can bear, and at ten times the rate that its services can. Gateway, services and callers are separate processes on one machine.
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
	"syscall"
	"time"

	"tributary/bench/load"
	"tributary/bench/process"
)

// The commands by which this program runs itself as a process of its own.
const (
	commandFront = "front"
	commandCrowd = "crowd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == commandFront {
		return serveFront(ctx)
	}
	if len(args) > 0 && args[0] == commandCrowd {
		return gather(ctx, stdin, stdout)
	}
	b := benchmark{progress: stderr}
	flags := flag.NewFlagSet("overload", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&b.tributary, "tributary", "", "gateway to measure; built from this tree when left out")
	flags.StringVar(&b.flags, "flags", "", "further flags of the gateway, separated by spaces")
	flags.DurationVar(&b.length, "length", 10*time.Second, "of each overload; a third of it to find out what is best")
	flags.IntVar(&b.connections, "connections", 2000, "over which the overload comes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return b.run(ctx, stdout)
}

// benchmark is one run.
type benchmark struct {
	tributary, flags string
	length           time.Duration
	connections      int
	progress         io.Writer
	dir, executable  string
	server, others   []int // cores
	whole            uint32
}

// scenario is one kind of overload.
type scenario struct {
	name     string
	capacity int     // calls a second that the services can do together; 0: any number
	times    float64 // the best rate
	bound    float64 // the least share of the best that may be left
}

var scenarios = []scenario{
	{name: "processor", times: 2, bound: .85},
	{name: "services", capacity: 500, times: 10, bound: .80},
}

func (b *benchmark) run(ctx context.Context, out io.Writer) (err error) {
	if b.executable, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "tributary-overload-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if cores := process.Cores(); len(cores) > 1 {
		b.server, b.others = cores[:1], cores[1:]
	}
	if b.tributary == "" {
		b.tributary = filepath.Join(b.dir, "tributary")
		if _, err := process.Output(ctx, process.Command{Name: "go build", Path: "go", Args: []string{"build", "-o", b.tributary, "."}, Env: os.Environ()}, nil); err != nil {
			return err
		}
	}
	stop, err := b.startServices(ctx)
	defer stop()
	if err != nil {
		return err
	}
	fmt.Fprint(out, heading)
	for _, s := range scenarios {
		r, err := b.measure(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprint(out, r)
	}
	fmt.Fprint(out, footnote)
	return nil
}

// measure finds out what the gateway can answer at best, and then what it answers when far more is asked.
func (b *benchmark) measure(ctx context.Context, s scenario) (row, error) {
	if err := setCapacity(ctx, 0); err != nil {
		return row{}, err
	}
	r := row{scenario: s}
	err := b.withGateway(ctx, func(p *process.Process) error {
		if err := setCapacity(ctx, s.capacity); err != nil {
			return err
		}
		for _, connections := range []int{16, 64} {
			o, used, err := b.gather(ctx, p, crowd{Connections: connections, WarmUp: time.Second, Length: b.length / 3})
			if err != nil {
				return err
			}
			r.answering = used / time.Duration(max(1, o.AllElse))
			fmt.Fprintf(b.progress, "%s, %d connections: %+v\n", s.name, connections, o)
			r.best = max(r.best, o.rate())
		}
		r.rest, _ = process.PeakRSS(p.PID()) // 0 where the system does not tell
		return nil
	})
	if err != nil {
		return r, err
	}
	if r.best == 0 {
		return r, errors.New("nothing was answered whole even without overload")
	}
	err = b.withGateway(ctx, func(p *process.Process) error {
		if err := setCapacity(ctx, s.capacity); err != nil {
			return err
		}
		var used time.Duration
		r.outcome, used, err = b.gather(ctx, p, crowd{Connections: b.connections, Rate: s.times * r.best, WarmUp: 2 * time.Second, Length: b.length})
		fmt.Fprintf(b.progress, "%s, overload: %+v\n", s.name, r.outcome)
		r.refusing = max(0, used-time.Duration(r.AllElse)*r.answering) / time.Duration(max(1, r.AllShed))
		r.peak, _ = process.PeakRSS(p.PID())
		return err
	})
	return r, err
}

// query is what everybody asks: two upstream calls, one after the other.
const query = `{"query":"query Timeline($first: Int!) { posts(first: $first) { nodes { id title publishedAt author { id handle name } } pageInfo { hasNextPage endCursor } totalCount } }","variables":{"first":100}}`

// learn asks once, to know what a whole answer is.
func (b *benchmark) learn() error {
	conn, err := load.Dial(gatewayURL+"/graphql", []byte(query), time.Now().Add(grace))
	if err != nil {
		return err
	}
	defer conn.Close()
	status, sum, err := conn.Ask()
	if err == nil && status != "200" {
		err = fmt.Errorf("the first request was answered with %s", status)
	}
	b.whole = sum
	return err
}
