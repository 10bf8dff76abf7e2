package auth

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const (
	maxProxies = 1024 // trusted addresses and networks
	maxHops    = 32   // of a request through proxies: more are made up
	maxHop     = 64   // bytes of one entry: the longest address with a port and a short zone
)

// Proxies are those whose word is taken for where a request came from. It is safe for concurrent use.
type Proxies struct {
	networks []netip.Prefix
}

// NewProxies takes addresses and networks in CIDR notation, at most 1,024; an empty list trusts nobody. The error names the
// entry that is neither.
func NewProxies(list []string) (*Proxies, error) {
	if len(list) > maxProxies {
		return nil, fmt.Errorf("trusted proxies: %d are more than %d", len(list), maxProxies)
	}
	p := &Proxies{}
	for _, entry := range list {
		network, ok := parseNetwork(strings.TrimSpace(entry))
		if !ok {
			return nil, fmt.Errorf("trusted proxies: %q is neither an address nor a network like 10.0.0.0/8", entry)
		}
		p.networks = append(p.networks, network)
	}
	return p, nil
}

func parseNetwork(entry string) (netip.Prefix, bool) {
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		addr = plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), err == nil
	}
	network, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, false
	}
	if network.Addr().Is4In6() {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96) // not valid when it is more than IPv4's
	}
	return network.Masked(), network.IsValid()
}

// ClientIP tells where a request came from. It begins with the peer's address and goes through the values of X-Forwarded-For,
// each of which may be a list, from the last entry to the first, as long as the one who wrote an entry is a trusted proxy. An
// entry that is no address ends the way: the result is then the proxy that wrote it. IPv4 in IPv6 becomes IPv4, zones are left
// out. The result is the zero Addr when the peer has no address.
func (p *Proxies) ClientIP(remoteAddr string, forwardedFor []string) netip.Addr {
	client, ok := parsePeer(remoteAddr)
	if !ok {
		return netip.Addr{}
	}
	hops := 0
	for _, value := range slices.Backward(forwardedFor) {
		for more := true; more; hops++ {
			if hops == maxHops || !p.trusts(client) {
				return client
			}
			var entry string
			entry, value, more = cutLast(value)
			hop, ok := parseHop(entry)
			if !ok {
				return client
			}
			client = hop
		}
	}
	return client
}

func (p *Proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// cutLast takes the last entry off a list.
func cutLast(list string) (last, rest string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return list, "", false
	}
	return list[i+1:], list[:i], true
}

// parsePeer is parseHop for what nearly always has a port.
func parsePeer(remoteAddr string) (netip.Addr, bool) {
	if peer, err := netip.ParseAddrPort(remoteAddr); err == nil {
		return plain(peer.Addr()), true
	}
	return parseHop(remoteAddr)
}

// parseHop reads an address with or without a port, in brackets or not.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if len(s) > maxHop {
		return netip.Addr{}, false
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return plain(addr), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			addr, err := netip.ParseAddr(inner)
			return plain(addr), err == nil && addr.Is6()
		}
	}
	hop, err := netip.ParseAddrPort(s)
	return plain(hop.Addr()), err == nil
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
