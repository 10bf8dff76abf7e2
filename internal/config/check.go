package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Services are the names of the four services.
func Services() []string { return []string{"user", "post", "comment", "follower"} }

// Of gives what is set for one service.
func (u *Upstream) Of(service string) *Service {
	switch service {
	case "user":
		return &u.User
	case "post":
		return &u.Post
	case "comment":
		return &u.Comment
	case "follower":
		return &u.Follower
	}
	panic("config: no service " + service)
}

// DemoNames are the services that run as demo: all without a URL.
func (g *Gateway) DemoNames() []string {
	var names []string
	for _, service := range Services() {
		if g.Of(service).URL == "" {
			names = append(names, service)
		}
	}
	return names
}

// DemoMode says whether everything is a demo, on a loopback address.
func (s *Serve) DemoMode() bool {
	return len(s.DemoNames()) == len(Services()) && (loopback(s.Addr) || s.UnsafePublicDemo)
}

// check refuses what cannot work together. The error names the flags.
func (c *Config) check(command Command) error {
	switch command {
	case CommandServe:
		return errors.Join(c.Serve.Gateway.check(), c.Serve.check())
	case CommandExplain:
		return c.Explain.Gateway.check()
	case CommandDemo:
		if !loopback(c.Demo.Addr) && !c.Demo.UnsafePublicDemo {
			return fmt.Errorf("--addr: a demo listens on loopback only, unless --unsafe-public-demo says otherwise")
		}
		return checkAddr(c.Demo.Addr)
	case CommandDoctor:
		return c.Doctor.check()
	}
	return nil
}

func (s *Serve) check() error {
	var problems []error
	if err := checkAddr(s.Addr); err != nil {
		problems = append(problems, err)
	}
	if len(s.DemoNames()) > 0 && !loopback(s.Addr) && !s.UnsafePublicDemo {
		problems = append(problems, fmt.Errorf("--addr: a demo listens on loopback only: give all of --user-url, --post-url, --comment-url and --follower-url, or --unsafe-public-demo"))
	}
	if s.MaxBodyBytes < 1 {
		problems = append(problems, fmt.Errorf("--max-body-bytes: want 1 or more"))
	}
	if s.ShutdownTimeout < 0 {
		problems = append(problems, fmt.Errorf("--shutdown-timeout: want 0 or more"))
	}
	return errors.Join(problems...)
}

func (g *Gateway) check() error {
	var problems []error
	for _, name := range g.DemoServices {
		if !slices.Contains(Services(), name) {
			problems = append(problems, fmt.Errorf("--demo: %q is none of %s", name, strings.Join(Services(), ", ")))
		} else if g.Of(name).URL != "" {
			problems = append(problems, fmt.Errorf("--demo: %s has a URL too: drop --%s-url or leave %s out of --demo", name, name, name))
		}
	}
	missing := slices.DeleteFunc(g.DemoNames(), func(name string) bool { return slices.Contains(g.DemoServices, name) })
	if len(g.DemoNames()) < len(Services()) && len(missing) > 0 {
		problems = append(problems, fmt.Errorf("--%s-url: missing while others are given: give all four, or name the rest in --demo %s", missing[0], strings.Join(missing, ",")))
	}
	if g.OperationTimeout <= 0 {
		problems = append(problems, fmt.Errorf("--operation-timeout: want more than 0"))
	}
	if g.LoaderWait < 0 {
		problems = append(problems, fmt.Errorf("--loader-wait: want 0 or more"))
	}
	return errors.Join(problems...)
}

// URLs are the base URLs of the services to check, by name.
func (d *Doctor) URLs() map[string]string {
	urls := map[string]string{"user": d.UserURL, "post": d.PostURL, "comment": d.CommentURL, "follower": d.FollowerURL}
	maps.DeleteFunc(urls, func(_, url string) bool { return url == "" })
	return urls
}

func (d *Doctor) check() error {
	if len(d.URLs()) == 0 {
		return fmt.Errorf("--user-url, --post-url, --comment-url, --follower-url: give at least one service to check")
	}
	return nil
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		return fmt.Errorf("--addr: %q is not HOST:PORT", addr)
	}
	return nil
}

// loopback says whether an address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
