package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tributary/bench/front"
	"tributary/bench/process"
)

// Where everything listens: the gateway, the services behind one another, their fronts behind those, and the fronts' control.
const (
	host        = "127.0.0.1"
	gatewayPort = 18180
	demoPort    = gatewayPort + 1
	frontPort   = demoPort + 4
	controlPort = frontPort + 4
)

var services = [...]string{"user", "post", "comment", "follower"}

func addr(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

var gatewayURL, controlURL = "http://" + addr(gatewayPort), "http://" + addr(controlPort)

// asMeasured takes away what would answer without work, or refuse callers who are one and the same here. All that makes the gateway
// shed load stays as it comes.
var asMeasured = []string{
	"--log-level", "warn", "--no-cache-enabled", "--no-coalesce", "--max-cost", "0",
	"--limit-ip-points", "1000000000000000", "--limit-ip-restore", "1000000000000", "--limit-ip-requests", "0",
}

// startServices starts the services, and before them the fronts that answer from memory. stop ends them; it is owed also after an error.
func (b *benchmark) startServices(ctx context.Context) (stop func(), err error) {
	var started []*process.Process
	stop = func() {
		for _, p := range started {
			p.Stop()
		}
	}
	for _, part := range []struct {
		command process.Command
		url     string
	}{
		{process.Command{Name: "the services", Path: b.tributary, Args: []string{"demo", "all", "--addr", addr(demoPort), "--data-dir", filepath.Join(b.dir, "demo"), "--log-level", "warn"}}, "http://" + addr(demoPort+3) + "/healthz"},
		{process.Command{Name: "the fronts", Path: b.executable, Args: []string{commandFront}}, controlURL + "/calls"},
	} {
		part.command.Env, part.command.CPUs = environment(), b.others
		p, err := process.Start(ctx, part.command)
		if err != nil {
			return stop, err
		}
		started = append(started, p)
		if err := await(ctx, p, part.url); err != nil {
			return stop, err
		}
	}
	return stop, nil
}

// withGateway runs a gateway for the time of use, which has answered once.
func (b *benchmark) withGateway(ctx context.Context, use func(*process.Process) error) error {
	args := []string{"serve", "--addr", addr(gatewayPort), "--data-dir", filepath.Join(b.dir, "gateway")}
	for i, service := range services {
		args = append(args, "--"+service+"-url", "http://"+addr(frontPort+i))
	}
	args = append(append(args, asMeasured...), strings.Fields(b.flags)...)
	p, err := process.Start(ctx, process.Command{Name: "the gateway", Path: b.tributary, Args: args, Env: append(environment(), "GOMAXPROCS=1"), CPUs: b.server})
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := await(ctx, p, gatewayURL+"/healthz"); err != nil {
		return err
	}
	if err := b.learn(); err != nil {
		return err
	}
	if err := use(p); err != nil {
		return fmt.Errorf("%w\n%s", err, p.Stderr())
	}
	return nil
}

// gather has a process of its own make the load, and tells what processor time the gateway used meanwhile, 0 where the system does not.
func (b *benchmark) gather(ctx context.Context, gateway *process.Process, c crowd) (o outcome, used time.Duration, err error) {
	c.URL, c.Body, c.Checksum = gatewayURL+"/graphql", []byte(query), b.whole
	raw, err := json.Marshal(c)
	if err != nil {
		return o, 0, err
	}
	before, _ := process.CPUTime(gateway.PID())
	out, err := process.Output(ctx, process.Command{Name: "the crowd", Path: b.executable, Args: []string{commandCrowd}, Env: environment(), CPUs: b.others}, bytes.NewReader(raw))
	if err != nil {
		return o, 0, err
	}
	after, _ := process.CPUTime(gateway.PID())
	return o, after - before, json.Unmarshal(out, &o)
}

// environment is that of every process: without what changes how a Go program or the gateway runs.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TRIBUTARY_") && !strings.HasPrefix(variable, "GO") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// await waits until a process answers on a URL.
func await(ctx context.Context, p *process.Process, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("nothing came to answer on "+url))
	defer cancel()
	for {
		if send(ctx, http.MethodGet, url) == nil {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-p.Done():
			return p.Failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// setCapacity has the services do so many calls a second together, 0 for any number.
func setCapacity(ctx context.Context, calls int) error {
	return send(ctx, http.MethodPut, controlURL+"/capacity?calls="+strconv.Itoa(calls))
}

func send(ctx context.Context, method, url string) error {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	request.Close = true // the gateway shall have no connections but those of the measurement
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return nil
}

// frontMemory bounds the answers that the fronts remember, in bytes.
const frontMemory = 64 << 20

// serveFront serves the fronts of all services and their control until ctx ends.
func serveFront(ctx context.Context) error {
	f := front.New(frontMemory)
	defer f.Close()
	servers := []*http.Server{{Addr: addr(controlPort), Handler: f.Control()}}
	for i := range services {
		servers = append(servers, &http.Server{Addr: addr(frontPort + i), Handler: f.Service("http://" + addr(demoPort+i))})
	}
	failed := make(chan error, len(servers))
	var running sync.WaitGroup
	for _, server := range servers {
		server.ReadHeaderTimeout = time.Minute
		running.Go(func() { failed <- server.ListenAndServe() })
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	running.Wait()
	return err
}
