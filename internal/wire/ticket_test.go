package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"tributary/internal/wire"
)

func TestTicketsOverHTTP(t *testing.T) {
	s := newStreamSite(t, wire.ConnectionsConfig{})
	ask := func(method string, fields ...string) reply {
		c := s.dial(t)
		c.write(method + " /graphql/stream-ticket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n")
		return c.read()
	}
	ask("POST").wants(t, http.StatusUnauthorized, wire.CodeUnauthenticated)
	ask("POST", "Authorization: bad token").wants(t, http.StatusUnauthorized, wire.CodeUnauthenticated)
	ask("POST", "Authorization: ann", "Origin: https://evil.example").wants(t, http.StatusForbidden, wire.CodeCSRFRefused)
	ask("GET", "Authorization: ann").wants(t, http.StatusMethodNotAllowed, wire.CodeMethodNotAllowed)
	got := ask("POST", "Authorization: ann")
	ticket, ok := strings.CutPrefix(got.text, `{"expiresIn":30,"ticket":"`)
	ticket, _, _ = strings.Cut(ticket, `"`)
	if got.status != http.StatusOK || !ok || len(ticket) < 26 || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %s", got.status, got.text)
	}
	use := func(accept string) reply {
		c := s.dial(t)
		c.write("GET /graphql?query=query+A%7Becho%7D&ticket=" + ticket + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: bob\r\n" + accept + "\r\n\r\n")
		return c.read()
	}
	if got := use("Accept: application/json"); got.status != http.StatusOK || !strings.Contains(got.text, `"viewer":"bob"`) {
		t.Errorf("without a stream it does not count: %d %s", got.status, got.text)
	}
	if got := use(acceptEvents); got.status != http.StatusOK || !strings.Contains(got.text, `"viewer":"ann"`) {
		t.Errorf("got %d %s", got.status, got.text)
	}
	use(acceptEvents).wants(t, http.StatusUnauthorized, wire.CodeUnauthenticated)
	if strings.Contains(s.log.String(), ticket) {
		t.Error("the log has the ticket")
	}
}
