package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"tributary/bench/front"
	"tributary/bench/hand"
	"tributary/bench/load"
	"tributary/internal/tuning"
)

// The commands by which this program runs itself as a process of its own. Each but load takes its configuration as one argument of
// JSON and serves until ctx ends.
const (
	commandLoad   = "load"
	commandFront  = "front"
	commandHand   = "hand"
	commandStatic = "static"
)

func isChild(args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch args[0] {
	case commandLoad, commandFront, commandHand, commandStatic:
		return true
	}
	return false
}

// runChild runs one of the commands above.
func runChild(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if args[0] == commandLoad {
		return runLoad(ctx, stdin, stdout)
	}
	if len(args) != 2 {
		return fmt.Errorf("%s: want one argument", args[0])
	}
	config := []byte(args[1])
	switch args[0] {
	case commandFront:
		return runFront(ctx, config)
	case commandHand:
		return runHand(ctx, config)
	default:
		return runStatic(ctx, config)
	}
}

// runLoad makes one measurement: a load.Spec comes in, a load.Result goes out, both as JSON.
func runLoad(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var spec load.Spec
	if err := json.NewDecoder(stdin).Decode(&spec); err != nil {
		return err
	}
	result, err := load.Run(ctx, spec)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(result)
}

type frontConfig struct {
	Control  string
	Services []frontService
}

type frontService struct{ Addr, Upstream string }

// frontMemory bounds the answers that the front remembers, in bytes.
const frontMemory = 512 << 20

func runFront(ctx context.Context, raw []byte) error {
	var config frontConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return err
	}
	f := front.New(frontMemory)
	defer f.Close()
	handlers := map[string]http.Handler{config.Control: withProbes(f.Control())}
	for _, s := range config.Services {
		handlers[s.Addr] = f.Service(s.Upstream)
	}
	return listen(ctx, handlers)
}

type handConfig struct {
	Addr     string
	Services hand.Config
	Tuned    bool // the garbage collector is set as the gateway sets it
}

func runHand(ctx context.Context, raw []byte) error {
	var config handConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return err
	}
	if config.Tuned {
		defer tuning.Choose(tuning.Settings{Headroom: tuning.DefaultHeadroom}, os.LookupEnv, tuning.Memory).Apply()()
	}
	server := hand.New(config.Services)
	defer server.Close()
	return listen(ctx, map[string]http.Handler{config.Addr: withProbes(server)})
}

// withProbes puts what a measurement asks of a server in front of a handler: whether it is there, and what it has allocated,
// under the names that Prometheus' Go collector uses.
func withProbes(handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		fmt.Fprintf(w, "go_memstats_mallocs_total %d\ngo_memstats_alloc_bytes_total %d\n", memory.Mallocs, memory.TotalAlloc)
	})
	return mux
}

// listen serves each address by its handler until ctx ends.
func listen(ctx context.Context, handlers map[string]http.Handler) error {
	failed := make(chan error, len(handlers))
	var servers []*http.Server
	var running sync.WaitGroup
	for addr, handler := range handlers {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			failed <- err
			break
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		servers = append(servers, server)
		running.Go(func() { failed <- server.Serve(listener) })
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
