package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tributary/bench/process"
)

// startUpstream starts the services on freshly made data, and the front before them. stopUpstream is owed also after an error.
func (b *benchmark) startUpstream(ctx context.Context) error {
	addrs, err := freeAddrs(2*len(services) + 1)
	if err != nil {
		return err
	}
	demoAddrs, frontAddrs, control := addrs[:len(services)], addrs[len(services):2*len(services)], addrs[2*len(services)]
	b.demo, b.fronts, b.control = map[string]string{}, map[string]string{}, "http://"+control
	config := frontConfig{Control: control}
	for i, service := range services {
		b.demo[service], b.fronts[service] = "http://"+demoAddrs[i], "http://"+frontAddrs[i]
		config.Services = append(config.Services, frontService{Addr: frontAddrs[i], Upstream: b.demo[service]})
	}
	demo := process.Command{
		Name: "the services", Path: b.tributary, Env: environment(),
		Args: []string{"demo", "all", "--addr", demoAddrs[0], "--data-dir", filepath.Join(b.dir, "data"), "--log-level", "warn"},
	}
	if err := b.startBelow(ctx, demo, slices.Collect(maps.Values(b.demo))); err != nil {
		return err
	}
	return b.startBelow(ctx, b.self(commandFront, config), []string{b.control})
}

// startBelow starts a part of what is below the servers and waits until it answers on all its URLs.
func (b *benchmark) startBelow(ctx context.Context, command process.Command, urls []string) error {
	command.CPUs = b.layout.others
	p, err := process.Start(ctx, command)
	if err != nil {
		return err
	}
	b.upstream = append(b.upstream, p)
	for _, url := range urls {
		if err := waitHealthy(ctx, p, url); err != nil {
			return err
		}
	}
	return nil
}

func (b *benchmark) stopUpstream() {
	for _, p := range slices.Backward(b.upstream) {
		p.Stop()
	}
}

// setLatency has the front wait before every answer.
func (b *benchmark) setLatency(ctx context.Context, latency time.Duration) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, b.control+"/latency?wait="+latency.String(), nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the front's latency: status %d", response.StatusCode)
	}
	return nil
}

// freeAddrs finds so many consecutive ports on which nothing listens. They lie below those that systems give to outgoing connections,
// thousands of which come and go during a measurement.
func freeAddrs(n int) ([]string, error) {
	const lowest, highest, attempts = 10_000, 32_000, 100
	for range attempts {
		port := lowest + rand.IntN(highest-lowest)
		addrs := make([]string, n)
		for i := range addrs {
			addrs[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i))
		}
		if !slices.ContainsFunc(addrs, taken) {
			return addrs, nil
		}
	}
	return nil, errors.New("no free ports were found on 127.0.0.1")
}

func taken(addr string) bool {
	listener, err := net.Listen("tcp", addr)
	return err != nil || listener.Close() != nil
}

const (
	startTimeout  = 30 * time.Second
	probeInterval = 3 * time.Millisecond
)

// waitHealthy waits until a process answers on /healthz of a URL.
func waitHealthy(ctx context.Context, p *process.Process, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("nothing came to answer on %s", url))
	defer cancel()
	probe := time.NewTicker(probeInterval)
	defer probe.Stop()
	for {
		if healthy(ctx, url) {
			return nil
		}
		select {
		case <-probe.C:
		case <-p.Done():
			return p.Failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func healthy(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return false
	}
	request.Close = true // the server shall have no connections but those of the measurement
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
