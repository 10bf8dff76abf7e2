package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
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

// problems are what is wrong with a configuration, each with the flag in front.
type problems []error

func (p *problems) add(flag, format string, args ...any) {
	*p = append(*p, fmt.Errorf("--"+flag+": "+format, args...))
}

// want notes what a flag has to be unless it is so.
func (p *problems) want(ok bool, flag, what string) {
	if !ok {
		p.add(flag, "want %s", what)
	}
}

// check refuses what cannot work, alone or together. The error names the flags.
func (c *Config) check(command Command) error {
	var p problems
	p.want(c.DataDir != "", "data-dir", "a directory")
	switch command {
	case CommandServe:
		c.Serve.check(&p)
	case CommandExplain:
		c.Explain.check(&p)
	case CommandDemo:
		c.Demo.check(&p)
	case CommandDoctor:
		c.Doctor.check(&p)
	case CommandEvents:
		c.EventLog.Gateway.check(&p)
		p.want(c.EventLog.Pause >= 0, "pause", "0 or more")
	case CommandToken:
		p.want(c.Token.TTL > 0, "ttl", "more than 0")
	}
	return errors.Join(p...)
}

func (e *Explain) check(p *problems) {
	e.Gateway.check(p)
	p.want(!e.Static || e.As == "" && e.Scope == "" && !e.Answer, "static", "no --as, --scope or --answer beside it: nothing runs")
}

func (s *Serve) check(p *problems) {
	s.Gateway.check(p)
	checkHosts(p, s.AllowedHosts)
	if checkAddr(p, s.Addr) && len(s.DemoNames()) > 0 && !loopback(s.Addr) && !s.UnsafePublicDemo {
		p.add("addr", "a demo listens on loopback only: give all of --user-url, --post-url, --comment-url and --follower-url, or --unsafe-public-demo")
	}
	s.Runtime.check(p)
	s.HTTP.check(p)
	s.Identity.check(p)
	s.checkLimits(p)
	s.Events.check(p)
	s.checkRetention(p)
	s.Work.check(p)
	p.want(s.ShutdownTimeout >= 0, "shutdown-timeout", "0 or more")
}

func (d *Demo) check(p *problems) {
	checkHosts(p, d.AllowedHosts)
	if !checkAddr(p, d.Addr) {
		return
	}
	if !loopback(d.Addr) && !d.UnsafePublicDemo {
		p.add("addr", "a demo listens on loopback only, unless --unsafe-public-demo says otherwise")
	}
	checkURL(p, "events-url", d.EventsURL)
	p.want((d.EventsURL == "") == (d.EventsSecret == ""), "events-secret", "one beside --events-url, and none without")
	p.want(d.EventsSecret == "" || isSecret(d.EventsSecret), "events-secret", "whsec_ and base64 of 24 to 64 bytes")
	_, port, _ := net.SplitHostPort(d.Addr)
	if n, _ := strconv.Atoi(port); d.Service == "all" {
		p.want(n <= 1<<16-len(Services()), "addr", "a port with room for four")
	}
}

func (e *Events) check(p *problems) {
	for service, secrets := range e.Secrets() {
		for _, secret := range secrets {
			p.want(isSecret(secret), "events-"+service+"-secrets", "whsec_ and base64 of 24 to 64 bytes")
		}
	}
	p.want(e.MaxSubscriptions >= 1, "events-max-subscriptions", "1 or more")
	p.want(e.MaxConnections >= 1, "events-max-connections", "1 or more")
	p.want(e.Buffer >= 1, "events-buffer", "1 or more")
}

// isSecret says whether a text is a secret as Standard Webhooks writes it.
func isSecret(text string) bool {
	rest, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(rest)
	return ok && err == nil && len(key) >= 24 && len(key) <= 64
}

func (g *Gateway) check(p *problems) {
	for _, name := range g.DemoServices {
		if !slices.Contains(Services(), name) {
			p.add("demo", "%q is none of %s", name, strings.Join(Services(), ", "))
		} else if g.Of(name).URL != "" {
			p.add("demo", "%s has a URL too: drop --%s-url or leave %s out of --demo", name, name, name)
		}
	}
	missing := slices.DeleteFunc(g.DemoNames(), func(name string) bool { return slices.Contains(g.DemoServices, name) })
	if len(g.DemoNames()) < len(Services()) && len(missing) > 0 {
		p.add(missing[0]+"-url", "missing while others are given: give all four, or name the rest in --demo %s", strings.Join(g.DemoNames(), ","))
	}
	for _, name := range Services() {
		g.Of(name).check(p, name+"-")
	}
	g.Cache.check(p)
	p.want(g.OperationTimeout > 0, "operation-timeout", "more than 0")
	p.want(g.DocumentCacheSize >= 1, "document-cache-bytes", "1 or more")
	p.want(g.LoaderWait >= 0, "loader-wait", "0 or more")
	g.Max.check(p)
	if _, err := g.Weights(); err != nil {
		p.add("cost-weights", "%v", err)
	}
	p.want(g.Versions.Default >= 0, "default-version", "0 or more")
	if _, err := g.Ends(); err != nil {
		p.add("version-sunset", "%v", err)
	}
}

func (s *Service) check(p *problems, prefix string) {
	checkURL(p, prefix+"url", s.URL)
	p.want(s.Timeout > 0, prefix+"timeout", "more than 0")
	p.want(s.Budget > 0, prefix+"budget", "more than 0")
	p.want(s.Retries >= 0, prefix+"retries", "0 or more")
	p.want(s.BreakerFailureRate > 0 && s.BreakerFailureRate <= 1, prefix+"breaker-failure-rate", "more than 0, up to 1")
	p.want(s.BreakerMinCalls >= 1, prefix+"breaker-min-calls", "1 or more")
	p.want(s.BreakerWindow > 0, prefix+"breaker-window", "more than 0")
	p.want(s.BreakerDelay > 0, prefix+"breaker-delay", "more than 0")
	p.want(s.Concurrency >= 1, prefix+"concurrency", "1 or more")
	p.want(s.HedgeFloor >= 0, prefix+"hedge-floor", "0 or more")
}

func (c *Cache) check(p *problems) {
	if !c.Enabled {
		return
	}
	p.want(c.Bytes >= 1, "cache-bytes", "1 or more")
	p.want(c.Fresh >= 0, "cache-fresh", "0 or more")
	p.want(c.Live >= 0, "cache-live", "0 or more")
	p.want(c.Keep >= c.Fresh, "cache-keep", "no less than --cache-fresh")
}

// URLs are the base URLs of the services to check, by name.
func (d *Doctor) URLs() map[string]string {
	urls := map[string]string{"user": d.UserURL, "post": d.PostURL, "comment": d.CommentURL, "follower": d.FollowerURL}
	maps.DeleteFunc(urls, func(_, url string) bool { return url == "" })
	return urls
}

func (d *Doctor) check(p *problems) {
	if len(d.URLs()) == 0 {
		p.add("user-url, --post-url, --comment-url, --follower-url", "give at least one service to check")
	}
	for _, name := range Services() {
		checkURL(p, name+"-url", d.URLs()[name])
	}
	p.want(d.Timeout > 0, "timeout", "more than 0")
}

// checkURL says what is wrong with a base URL without quoting it: there may be a password in it. Empty is not given.
func checkURL(p *problems, flag, text string) {
	if text == "" {
		return
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "":
		p.add(flag, "want http(s)://HOST[:PORT][/PATH]")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		p.add(flag, "must not have a user, a query or a fragment")
	}
}

func checkAddr(p *problems, addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if _, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil {
		p.add("addr", "%q is not HOST:PORT", addr)
		return false
	}
	return true
}

// checkHosts refuses what no Host header can be, such as a URL, which would only ever be met with 421.
func checkHosts(p *problems, hosts []string) {
	for _, host := range hosts {
		if host == "" || strings.ContainsAny(host, "/@*? \t") {
			p.add("allowed-hosts", "%q is not a host name", host)
		}
	}
}

// loopback says whether an address can be reached from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
