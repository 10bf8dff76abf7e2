package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"tributary/internal/work/webhook"
)

// TestTargets: what is refused when it is saved, without a look at names.
func TestTargets(t *testing.T) {
	const invalid, denied = webhook.CodeInvalid, webhook.CodeTargetNotAllowed
	strict := newBench(t, func(s *setup) { s.targets = webhook.TargetOptions{Resolver: names(t, nil)} })
	lax := newBench(t, func(s *setup) {
		s.targets.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
		s.targets.Resolver = names(t, nil)
	})
	for _, test := range []struct{ url, strict, lax string }{
		{"https://example.com/hook?a=b", "", ""}, {"HTTPS://example.com.:8443", "", ""}, {"https://xn--bcher-kva.example", "", ""},
		{"https://93.184.216.34/", "", ""}, {"https://[2606:2800:220:1::1]:1/", "", ""}, {"http://example.com", denied, ""},
		{"", invalid, invalid}, {"example.com", invalid, invalid}, {"/hook", invalid, invalid}, {"//example.com", invalid, invalid},
		{"ftp://example.com", invalid, invalid}, {"https:example.com", invalid, invalid}, {"https://", invalid, invalid}, {"https://:443", invalid, invalid},
		{"javascript:alert(1)", invalid, invalid}, {"file:///etc/passwd", invalid, invalid}, {"https://ex ample.com", invalid, invalid},
		{"https://user@example.com", invalid, invalid}, {"https://user:pass@example.com", invalid, invalid}, {"https://@example.com", invalid, invalid},
		{"https://example.com#a", invalid, invalid}, {"https://example.com#", invalid, invalid}, {"https://example.com:0", invalid, invalid},
		{"https://example.com:65536", invalid, invalid}, {"https://example.com:", invalid, invalid}, {"https://example.com:-1", invalid, invalid},
		{"https://example.com\r\nX: y", invalid, invalid}, {"https://bücher.example", invalid, invalid}, {"https://１２７.0.0.1", invalid, invalid},
		{"https://127。0。0。1", invalid, invalid}, {"https://a..b", invalid, invalid}, {"https://example.com\\@127.0.0.1", invalid, invalid},
		{"https://example.com/" + strings.Repeat("a", 2048), invalid, invalid}, {"https://[fe80::1%25eth0]/", invalid, invalid}, {"https://[::1", invalid, invalid},
		{"https://127.0.0.1", denied, ""}, {"https://127.1.2.3:9", denied, ""}, {"https://[::1]/", denied, ""}, {"https://localhost", denied, ""},
		{"https://LOCALHOST.", denied, ""}, {"https://a.localhost", denied, ""}, {"https://127.0.0.1./", denied, ""}, {"https://%31%32%37.0.0.1", invalid, invalid},
		{"https://[::ffff:127.0.0.1]", denied, ""}, {"https://[::ffff:7f00:1]", denied, ""}, {"https://10.1.2.3", denied, ""}, {"https://[fd00:1::5]", denied, ""},
		{"https://10.2.0.1", denied, denied}, {"https://172.16.0.1", denied, denied}, {"https://192.168.1.1", denied, denied}, {"https://0.0.0.0", denied, denied},
		{"https://169.254.169.254/latest/meta-data", denied, denied}, {"https://100.64.0.1", denied, denied}, {"https://198.18.0.1", denied, denied},
		{"https://224.0.0.1", denied, denied}, {"https://255.255.255.255", denied, denied}, {"https://240.0.0.1", denied, denied}, {"https://[::]", denied, denied},
		{"https://[fe80::1]", denied, denied}, {"https://[fc00::1]", denied, denied}, {"https://[ff02::1]", denied, denied}, {"https://[::ffff:10.0.0.1]", denied, denied},
		{"https://[2002:7f00:1::]", denied, denied}, {"https://[64:ff9b::7f00:1]", denied, denied}, {"https://[::127.0.0.1]", denied, denied},
		{"https://[2001:0:7f00:1::]", denied, denied}, {"https://[fd00:ec2::254]", denied, denied}, {"https://2130706433", denied, denied},
		{"https://0x7f000001", denied, denied}, {"https://0x7f.1", denied, denied}, {"https://0177.0.0.1", denied, denied}, {"https://127.1", denied, denied},
		{"https://0X7F.0.0.0X1", denied, denied}, {"https://017700000001", denied, denied},
	} {
		for b, want := range map[*bench]string{strict: test.strict, lax: test.lax} {
			made, _, err := b.Create(t.Context(), admin, webhook.NewEndpoint{URL: test.url, EventTypes: []string{"*"}})
			refusal, _ := errors.AsType[*webhook.Error](err)
			switch {
			case want == "" && (err != nil || made.URL != test.url), want != "" && (refusal == nil || refusal.Code != want || refusal.Field != "url"):
				t.Errorf("%q: %v instead of %s", test.url, err, want)
			case refusal != nil && strings.Contains(refusal.Message, "127"):
				t.Error(refusal.Message)
			}
		}
	}
}

// TestNames: names are looked up when they are saved, and what counts is where they lead when they are dialled.
func TestNames(t *testing.T) {
	r := receive(t, nil)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(r.URL, "http://"))
	address := map[string]func() [4]byte{
		"127-0-0-1.nip.example.": func() [4]byte { return [4]byte{127, 0, 0, 1} },
		"metadata.example.":      func() [4]byte { return [4]byte{169, 254, 169, 254} },
	}
	var turned atomic.Bool
	address["turning.example."] = func() [4]byte {
		if turned.Load() {
			return [4]byte{127, 0, 0, 1}
		}
		return [4]byte{93, 184, 216, 34}
	}
	strict := func(s *setup) { s.targets = webhook.TargetOptions{AllowHTTP: true, Resolver: names(t, address)} }
	b := newBench(t, strict)
	for _, host := range []string{"127-0-0-1.nip.example", "metadata.example"} {
		_, _, err := b.Create(t.Context(), admin, webhook.NewEndpoint{URL: "http://" + host, EventTypes: []string{"*"}})
		if refusal, _ := errors.AsType[*webhook.Error](err); refusal == nil || refusal.Code != webhook.CodeTargetNotAllowed {
			t.Error(host, err)
		}
	}
	made := b.create(admin, "http://turning.example:"+port)
	turned.Store(true)
	d, err := b.Ping(t.Context(), admin, made.ID)
	if err != nil || d.Problem != webhook.ProblemTarget || d.Status != 0 || len(r.requests()) != 0 {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := b.Update(t.Context(), admin, made.ID, webhook.Update{URL: &made.URL}); err == nil {
		t.Error("the name leads elsewhere now")
	}
	// The same name, where loopback is allowed, is reached: it was the rule that kept it off.
	open := newBench(t, func(s *setup) { strict(s); s.targets.AllowLoopback = true })
	if d := open.ping("http://turning.example:" + port); d.Problem != "" || len(r.requests()) != 1 {
		t.Errorf("%+v", d)
	}
}

// TestRulesNarrow: what was saved under wider rules is not delivered to under narrower ones.
func TestRulesNarrow(t *testing.T) {
	r := receive(t, nil)
	b := newBench(t, nil)
	b.create(admin, r.URL)
	all, err := b.store.Consumers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []webhook.TargetOptions{{AllowHTTP: true}, {AllowLoopback: true}} {
		sender := webhook.NewSender(b.store, webhook.NewTargets(options), webhook.SenderOptions{})
		if got := sender.Send(t.Context(), all[0], ping, 1); got.Problem != webhook.ProblemTarget || len(r.requests()) != 0 {
			t.Errorf("%+v", got)
		}
		sender.Close()
	}
}

// names is a resolver that knows some names alone, over a real name server.
func names(t *testing.T, addresses map[string]func() [4]byte) *net.Resolver {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = server.Close(); <-done })
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<10)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(resolve(buffer[:n], addresses), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// resolve answers a query (RFC 1035, 4): with one address, or that there is none.
func resolve(query []byte, addresses map[string]func() [4]byte) []byte {
	var name strings.Builder
	at := 12
	for query[at] != 0 {
		name.Write(query[at+1 : at+1+int(query[at])])
		name.WriteByte('.')
		at += 1 + int(query[at])
	}
	question := query[12 : at+5]
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	address, known := addresses[name.String()]
	switch {
	case !known:
		answer[3] |= 3
	case query[at+2] == 1: // A
		answer[7] = 1
		ip := address()
		answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
	}
	return answer
}
