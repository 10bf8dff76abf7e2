package demo

import (
	"net"
	"net/netip"
	"strings"
)

// hosts are the names, besides those of the loopback, under which a service may be addressed. A page of another
// site that had its name rebound to this machine is refused by it.
type hosts map[string]struct{}

func newHosts(names []string) hosts {
	h := hosts{}
	for _, name := range names {
		h[strings.ToLower(strings.TrimSuffix(name, "."))] = struct{}{}
	}
	return h
}

// allow judges a Host header, with or without a port.
func (h hosts) allow(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(name, "]"), "["), ".")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	if ip, err := netip.ParseAddr(name); err == nil && ip.IsLoopback() {
		return true
	}
	_, allowed := h[strings.ToLower(name)]
	if !allowed {
		_, allowed = h[strings.ToLower(host)]
	}
	return allowed
}
