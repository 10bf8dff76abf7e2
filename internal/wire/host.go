package wire

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Hosts refuses requests whose Host header names neither a loopback host nor one of those allowed. Without it a page of
// anybody's could have its name resolve to this server and read the answers. Ports count neither in the header nor in allowed.
func Hosts(allowed []string, next http.Handler) http.Handler {
	names := map[string]bool{}
	for _, host := range allowed {
		if name, ok := hostName(host); ok {
			names[name] = true
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := hostName(r.Host)
		if !ok || (!loopback(name) && !names[name]) {
			writeRefusal(w, http.StatusMisdirectedRequest, CodeMisdirected, "this server does not answer under that host name: see --allowed-hosts")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(name string) bool {
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// hostName gives what a Host header names, in lower case and without port, brackets and the dot of the DNS root; ok is false
// when it is malformed.
func hostName(host string) (name string, ok bool) {
	if ip, err := netip.ParseAddr(host); err == nil { // so may --allowed-hosts give an IPv6 address
		return ip.String(), true
	}
	inside, bracketed := strings.CutPrefix(host, "[")
	if !bracketed {
		name, port, _ := strings.Cut(host, ":")
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		return name, name != "" && isPort(port)
	}
	inside, port, closed := strings.Cut(inside, "]")
	ip, err := netip.ParseAddr(inside)
	return ip.String(), closed && err == nil && ip.Is6() && (port == "" || port[0] == ':' && isPort(port[1:]))
}

// isPort takes the empty port too, as RFC 3986 does.
func isPort(s string) bool {
	if s == "" {
		return true
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
