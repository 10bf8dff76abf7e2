package wire

import (
	"fmt"
	"net/url"
	"strings"
)

// Origins are the foreign origins (RFC 6454) whose pages may use the graph from a browser. The zero value and nil are none. It does not
// change and is safe for concurrent use.
type Origins struct {
	any   bool
	exact map[string]bool
	below []subdomains
}

// subdomains are the origins with this scheme whose host ends like this, port included.
type subdomains struct{ scheme, suffix string }

// defaultPorts are left out of an origin.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// NewOrigins reads a list of origins: https://app.example, with a port where it is not the scheme's own; https://*.example for
// all hosts below one, at any depth, but not itself; * for every origin there is. The error names the entry that is none of these.
func NewOrigins(list []string) (*Origins, error) {
	o := &Origins{exact: map[string]bool{}}
	for _, entry := range list {
		if entry == "*" {
			o.any = true
			continue
		}
		origin, ok := parseOrigin(entry)
		if !ok {
			return nil, fmt.Errorf("origin %q: want *, or a scheme and a host such as https://app.example or https://*.example", entry)
		}
		scheme, host, _ := strings.Cut(origin, "://")
		if suffix, wild := strings.CutPrefix(host, "*"); wild {
			o.below = append(o.below, subdomains{scheme, suffix})
			continue
		}
		o.exact[origin] = true
	}
	return o, nil
}

// parseOrigin gives an entry of a list as browsers write origins: in lower case and without the default port.
func parseOrigin(entry string) (origin string, ok bool) {
	u, err := url.Parse(entry)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || strings.TrimPrefix(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(entry, "#") {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":"+defaultPorts[scheme]), ":")
	inside := strings.TrimPrefix(host, "*.")
	bracketed := strings.HasPrefix(inside, "[") && inside == host // an IPv6 address has nothing below it
	if inside == "" || strings.HasPrefix(inside, ".") || (!bracketed && strings.ContainsFunc(inside, func(c rune) bool { return !hostRune(c) && c != ':' })) {
		return "", false
	}
	return scheme + "://" + host, true
}

// allows tells whether an Origin field names one of these, as browsers write it.
func (o *Origins) allows(origin string) bool {
	if o == nil || origin == "" {
		return false
	}
	if o.any || o.exact[origin] {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	for _, below := range o.below {
		label, ok := strings.CutSuffix(host, below.suffix)
		if ok && scheme == below.scheme && label != "" && !strings.ContainsFunc(label, func(c rune) bool { return !hostRune(c) }) {
			return true
		}
	}
	return false
}

func hostRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

// sameOrigin tells whether an Origin names the host that a request was sent to. Of the scheme nothing is known behind a proxy.
func sameOrigin(origin, host string) bool {
	scheme, from, ok := strings.Cut(origin, "://")
	return ok && host != "" && from == strings.TrimSuffix(strings.ToLower(host), ":"+defaultPorts[scheme])
}
