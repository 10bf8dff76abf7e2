package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tributary/internal/auth"
	"tributary/internal/wire"
)

func TestTickets(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	tickets := wire.NewTickets(func() time.Time { return now })
	ann, key := auth.Viewer{UserID: "ann", Scopes: []string{"x"}}, auth.Viewer{KeyID: "k", Expires: now.Add(10 * time.Second)}
	issue := func(v auth.Viewer) string {
		t.Helper()
		ticket, ok := tickets.Issue(v)
		if !ok {
			t.Fatal("no ticket")
		}
		return ticket
	}
	first := issue(ann)
	if v, ok := tickets.Redeem(first); !ok || v.UserID != "ann" || !v.HasScopes("x") {
		t.Errorf("got %v, %v", v, ok)
	}
	for name, ticket := range map[string]string{"used": first, "unknown": "x", "empty": ""} {
		if v, ok := tickets.Redeem(ticket); ok || !v.Anonymous() {
			t.Errorf("%s: %v", name, v)
		}
	}
	soon, late, ofKey := issue(ann), issue(ann), issue(key)
	now = now.Add(30*time.Second - 1)
	if _, ok := tickets.Redeem(soon); !ok {
		t.Error("it was not good for 30 s")
	}
	if _, ok := tickets.Redeem(ofKey); ok {
		t.Error("it outlived its key")
	}
	now = now.Add(1)
	if _, ok := tickets.Redeem(late); ok {
		t.Error("it was good for more than 30 s")
	}
	for range 20 {
		issue(ann)
	}
	if _, ok := tickets.Issue(ann); ok {
		t.Error("one caller has as many as it likes")
	}
	for i := range 10_000 - 20 {
		issue(auth.Viewer{UserID: fmt.Sprint(i)})
	}
	if _, ok := tickets.Issue(key); ok {
		t.Error("there are as many as anybody likes")
	}
	now = now.Add(30 * time.Second)
	issue(ann)
}

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
