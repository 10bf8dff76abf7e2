package webhook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	maxURL     = 2048
	lookupTime = 2 * time.Second // for the look at a name when it is saved
)

// TargetOptions widen what endpoints may be. The zero value takes https alone, and public addresses alone.
type TargetOptions struct {
	AllowHTTP     bool
	AllowLoopback bool           // 127.0.0.0/8 and ::1
	AllowNetworks []netip.Prefix // special networks that count as public
	Resolver      *net.Resolver  // nil: the system's
}

// Targets are the rules for where deliveries may go. What counts is the address that is dialled: names may change theirs at any time.
// It is safe for concurrent use.
type Targets struct {
	options  TargetOptions
	guardian *ssrf.Guardian
}

// NewTargets makes Targets.
func NewTargets(options TargetOptions) *Targets {
	allowed := options.AllowNetworks
	if options.AllowLoopback {
		allowed = append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, allowed...)
	}
	var v4, v6 []netip.Prefix
	for _, prefix := range allowed {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	return &Targets{options, ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
}

var errTarget = errors.New("the address is not allowed")

// control is a net.Dialer's Control.
func (t *Targets) control(network, address string, raw syscall.RawConn) error {
	if t.guardian.Safe(network, address, raw) != nil {
		return errTarget
	}
	return nil
}

// allows says whether an address may be dialled.
func (t *Targets) allows(address netip.Addr) bool {
	return t.guardian.SafeAddr(address.Unmap()) == nil
}

// check tells whether deliveries may go to a URL, as far as it can be told from its text.
func (t *Targets) check(text string) (*url.URL, *Error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !t.options.AllowHTTP {
		return nil, refuse("url", CodeTargetNotAllowed, "The URL has to be https.")
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	address, parseErr := netip.ParseAddr(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	switch {
	case parseErr == nil && !t.allows(address), local && !t.options.AllowLoopback, parseErr != nil && numeric(host):
		return nil, notAllowed()
	}
	return u, nil
}

// checkName looks up what a URL names, as well as that can be done now: a name that cannot be found passes.
func (t *Targets) checkName(ctx context.Context, u *url.URL) *Error {
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil // check has seen it
	}
	resolver := t.options.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addresses, _ := resolver.LookupNetIP(ctx, "ip", u.Hostname())
	for _, address := range addresses {
		if !t.allows(address) {
			return notAllowed()
		}
	}
	return nil
}

func notAllowed() *Error {
	return refuse("url", CodeTargetNotAllowed, "Deliveries may not go to this host: it is not a public address.")
}
