package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tributary/bench/hand"
	"tributary/bench/process"
)

// baseline is the server that the ratios refer to.
const baseline = "hand"

// server is one of those that are compared.
type server struct {
	name    string
	command func(*benchmark, mode, string) process.Command // of the server in a mode, to listen on an address
	fixed   bool                                           // the mode makes no difference to it
	events  bool                                           // it can be told of events
}

// servers are those that are compared, in the table's order. Another executor of the gateway's is one more line.
func servers() []server {
	return []server{
		{name: "static", command: staticCommand, fixed: true},
		{name: baseline, command: handCommand(false)},
		{name: "hand+gc", command: handCommand(true)},
		{name: "ours", command: gatewayCommand(), events: true},
		{name: "stock", command: gatewayCommand("--executor", "gqlgen"), events: true},
	}
}

// chosen are the servers whose names match, besides the baseline, which ratios need.
func (o *options) chosen() []server {
	return slices.DeleteFunc(servers(), func(s server) bool { return s.name != baseline && !o.servers.MatchString(s.name) })
}

// measured says whether a server is measured in a cell: one that the mode means nothing to in the first mode only.
func (s *server) measured(c cell) bool { return !s.fixed || c.mode.name == modes()[0].name }

func staticCommand(b *benchmark, _ mode, addr string) process.Command {
	return b.self(commandStatic, staticConfig{Addr: addr, File: b.answersFile()})
}

// handCommand is the server written by hand, with the garbage collector as Go has it or as the gateway has it.
func handCommand(tuned bool) func(*benchmark, mode, string) process.Command {
	return func(b *benchmark, _ mode, addr string) process.Command {
		f := b.fronts
		services := hand.Config{User: f["user"], Post: f["post"], Comment: f["comment"], Follower: f["follower"]}
		return b.self(commandHand, handConfig{Addr: addr, Services: services, Tuned: tuned})
	}
}

// unbounded takes away the bounds that shed load, since it is measured, not shed; and the log, which the others do not write.
var unbounded = []string{
	"--log-level", "warn", "--operation-timeout", "60s", "--max-concurrent-requests", "0", "--overload-delay", "0",
	"--max-cost", "0", "--limit-ip-points", "1000000000000000", "--limit-ip-restore", "1000000000000", "--limit-ip-requests", "0",
	"--user-concurrency", "65536", "--post-concurrency", "65536", "--comment-concurrency", "65536", "--follower-concurrency", "65536",
	"--user-timeout", "60s", "--post-timeout", "60s", "--comment-timeout", "60s", "--follower-timeout", "60s",
	"--user-budget", "60s", "--post-budget", "60s", "--comment-budget", "60s", "--follower-budget", "60s",
}

// gatewayCommand is the gateway with further flags, above the front.
func gatewayCommand(flags ...string) func(*benchmark, mode, string) process.Command {
	return func(b *benchmark, m mode, addr string) process.Command {
		return b.gateway(addr, b.fronts, slices.Concat(unbounded, m.flags, flags))
	}
}

// gateway is the gateway above services at the given URLs.
func (b *benchmark) gateway(addr string, urls map[string]string, flags []string) process.Command {
	args := []string{"serve", "--addr", addr, "--data-dir", filepath.Join(b.dir, "gateway")}
	for _, service := range services {
		args = append(args, "--"+service+"-url", urls[service])
	}
	return process.Command{Name: "the gateway", Path: b.tributary, Args: append(args, flags...), Env: environment()}
}

// self is this program as a process of its own.
func (b *benchmark) self(command string, config any) process.Command {
	c := process.Command{Name: command, Path: b.executable, Args: []string{command}, Env: environment()}
	if config != nil {
		raw, err := json.Marshal(config)
		if err != nil { // strings only
			panic(err)
		}
		c.Args = append(c.Args, string(raw))
	}
	return c
}

// environment is that of every process: this one's without what changes how a Go program or the gateway runs.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		for _, prefix := range []string{"TRIBUTARY_", "GOGC=", "GOMEMLIMIT=", "GOMAXPROCS=", "GODEBUG=", "GOTRACEBACK="} {
			if strings.HasPrefix(variable, prefix) {
				return true
			}
		}
		return false
	})
}
