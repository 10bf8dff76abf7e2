package clients

import (
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

// TestRequestsOnTheWire compares requests byte for byte.
func TestRequestsOnTheWire(t *testing.T) {
	const common = "User-Agent: tributary\r\nHost: users.test:81\r\n"
	const accept = "Accept: application/json, application/problem+json\r\nAuthorization: Bearer t0ken\r\nX-Actor: u1\r\nX-Request-Id: r-1\r\n"
	const json = "Content-Type: application/json\r\n"
	const trace00 = "Traceparent: 00-01000000000000000000000000000000-0200000000000000-01\r\nTracestate: a=b\r\n"
	state, err := trace.ParseTraceState("a=b")
	if err != nil {
		t.Fatal(err)
	}
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state})
	ctx := trace.ContextWithSpanContext(WithCaller(t.Context(), Caller{Actor: "u1", RequestID: "r-1"}), span)
	c := clientsOf(t, "http://users.test:81/v1/", each(func(s *ServiceConfig) { s.Token = "t0ken" }))
	for want, r := range map[string]*request{
		"GET /v1/users?ids=a,b HTTP/1.1\r\n" + common + accept: {method: "GET", target: "/users?ids=a,b"},
		"POST /v1/users HTTP/1.1\r\n" + common + json + "Content-Length: 2\r\n" + accept + "Idempotency-Key: k\r\n" + "{}": {
			method: "POST", target: "/users", key: "k", body: []byte("{}")},
		"POST /v1/users/u1/erase HTTP/1.1\r\n" + common + "Content-Length: 0\r\n" + accept + "Idempotency-Key: k\r\nIdempotency-Fence: f\r\n": {
			method: "POST", target: "/users/u1/erase", key: "k", fence: "f"},
		"PATCH /v1/users/u1 HTTP/1.1\r\n" + common + json + "Content-Length: 2\r\n" + accept + "If-Match: \"7\"\r\nIdempotency-Key: k\r\n{}": {
			method: "PATCH", target: "/users/u1", key: "k", version: 7, body: []byte("{}")},
		"DELETE /v1/users/u1 HTTP/1.1\r\n" + common + accept + "Idempotency-Key: k\r\n": {method: "DELETE", target: "/users/u1", key: "k"},
	} {
		w := newWire()
		for range 2 { // what is used again keeps nothing
			if err := w.write(ctx, c.Users.svc, r); err != nil {
				t.Fatal(err)
			}
		}
		want, body := strings.TrimSuffix(want, "{}"), string(r.body)
		got := string(w.out)
		for _, line := range strings.SplitAfter(trace00, "\r\n") { // in either order
			got = strings.Replace(got, line, "", 1)
		}
		if got != want+"\r\n"+body {
			t.Errorf("got\n%q\nwant\n%q", got, want+"\r\n"+body)
		}
		if len(w.out) != len(got)+len(trace00) {
			t.Errorf("no trace in %q", w.out)
		}
	}
}

// TestNoRequestIsMadeOf targets that would end its first line.
func TestNoRequestIsMadeOf(t *testing.T) {
	s := newRawServer(t, func(c *rawConn) { t.Error("a connection") })
	c := clientsOf(t, s.url)
	for _, target := range []string{"/a b", "/a\r\nX: y", "/a\n", "/a\x00", "/\x7f", "/ü"} {
		if _, x, err := ask1(t.Context(), c, &request{method: "GET", target: target}); kind(err) != KindInternal || x.sent {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestOrigins(t *testing.T) {
	for base, want := range map[string]origin{
		"http://users":                  {host: "users", address: "users:80", name: "users"},
		"https://users":                 {host: "users", address: "users:443", name: "users", secure: true},
		"http://users:/":                {host: "users", address: "users:80", name: "users"},
		"http://users:8080/a/b%2Fc/":    {host: "users:8080", address: "users:8080", name: "users", prefix: "/a/b%2Fc"},
		"http://[::1]":                  {host: "[::1]", address: "[::1]:80", name: "::1"},
		"https://[::1]:8443/v1":         {host: "[::1]:8443", address: "[::1]:8443", name: "::1", prefix: "/v1", secure: true},
		"http://[fe80::1%25eth0]:81/v1": {host: "[fe80::1]:81", address: "[fe80::1%eth0]:81", name: "fe80::1", prefix: "/v1"},
	} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := originOf(u); err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", base, got, err, want)
		}
	}
	for _, base := range []string{"http://bücher.test", "http://:80"} {
		if u, err := url.Parse(base); err == nil {
			if got, err := originOf(u); err == nil {
				t.Errorf("%s: %+v", base, got)
			}
		}
	}
}
