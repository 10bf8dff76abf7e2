package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// parseURL reads an absolute URL of http or https that says nothing but where to deliver.
func parseURL(text string) (*url.URL, *Error) {
	if len(text) > maxURL {
		return nil, refuse("url", CodeInvalid, "The URL is longer than 2,048 characters.")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Opaque != "", u.Scheme != "http" && u.Scheme != "https", !plainHost(u.Hostname()):
		return nil, refuse("url", CodeInvalid, "The URL has to be absolute: https:// and a host, a name of another script in punycode.")
	case u.User != nil:
		return nil, refuse("url", CodeInvalid, "The URL must not name a user.")
	case strings.Contains(text, "#"):
		return nil, refuse("url", CodeInvalid, "The URL must not have a fragment.")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, refuse("url", CodeInvalid, "The port has to be 1 to 65535.")
		}
	}
	return u, nil
}

// plainHost says whether a host is a name in ASCII or an address without a zone. Other forms are read differently by different readers.
func plainHost(host string) bool {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Zone() == ""
	}
	other := func(r rune) bool {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		return !letter && !('0' <= r && r <= '9') && r != '-' && r != '.' && r != '_'
	}
	name := strings.TrimSuffix(host, ".")
	return name != "" && len(name) <= 253 && !strings.ContainsFunc(name, other) && !strings.HasPrefix(name, ".") && !strings.Contains(name, "..")
}

// numeric says whether resolvers may take a host for an IPv4 address, such as 2130706433, 0x7f.1 or 0177.0.0.1: its last label is
// a number (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func numeric(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	if hex && strings.Trim(digits, "0123456789abcdef") == "" {
		return true
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
