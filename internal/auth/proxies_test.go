package auth_test

import (
	"net/netip"
	"strings"
	"testing"

	"tributary/internal/auth"
)

func TestClientIP(t *testing.T) {
	trusted := []string{"10.0.0.0/8", " 192.0.2.1 ", "2001:db8::/32", "::ffff:172.16.0.0/108", "fe80::1%eth0"}
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "198.51.100.1:5", nil, "198.51.100.1"},
		{"a client that says it is another", "198.51.100.1:5", []string{"1.1.1.1"}, "198.51.100.1"},
		{"one proxy", "10.1.1.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a client that says it came through another", "10.1.1.1:5", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"one that names a proxy", "10.1.1.1:5", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.1.1.1:5", []string{"1.1.1.1, 198.51.100.1,192.0.2.1"}, "198.51.100.1"},
		{"several fields", "10.1.1.1:5", []string{"1.1.1.1", "198.51.100.1\t,\t10.2.2.2", "10.3.3.3"}, "198.51.100.1"},
		{"proxies alone", "10.1.1.1:5", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"no header", "10.1.1.1:5", nil, "10.1.1.1"},
		{"empty header", "10.1.1.1:5", []string{""}, "10.1.1.1"},
		{"empty entry", "10.1.1.1:5", []string{"198.51.100.1, ,10.2.2.2"}, "10.2.2.2"},
		{"garbage", "10.1.1.1:5", []string{"198.51.100.1, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"garbage before the client", "10.1.1.1:5", []string{"<script>, 198.51.100.1"}, "198.51.100.1"},
		{"host name", "10.1.1.1:5", []string{"example.com"}, "10.1.1.1"},
		{"leading zeros", "10.1.1.1:5", []string{"198.051.100.001"}, "10.1.1.1"},
		{"with port", "10.1.1.1:5", []string{"198.51.100.1:99"}, "198.51.100.1"},
		{"IPv6", "[2001:db8::1]:5", []string{"2001:470::1"}, "2001:470::1"},
		{"IPv6 in brackets", "[2001:db8::1]:5", []string{"[2001:470::1]"}, "2001:470::1"},
		{"IPv6 with port", "[2001:db8::1]:5", []string{"[2001:470::1]:99"}, "2001:470::1"},
		{"IPv4 in brackets", "10.1.1.1:5", []string{"[1.1.1.1]"}, "10.1.1.1"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a network of those", "172.16.3.3:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"next to it", "172.32.3.3:5", []string{"198.51.100.1"}, "172.32.3.3"},
		{"zones", "[fe80::1%eth7]:5", []string{"fe80::2%wlan0"}, "fe80::2"},
		{"peer without port", "10.1.1.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"no address", "@", []string{"198.51.100.1"}, "invalid IP"},
		{"no peer", "", []string{"198.51.100.1"}, "invalid IP"},
	} {
		p, err := auth.NewProxies(trusted)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.ClientIP(tt.peer, tt.forwarded); got.String() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
		nobody, _ := auth.NewProxies(nil)
		if got := nobody.ClientIP(tt.peer, tt.forwarded); got != nobody.ClientIP(tt.peer, nil) {
			t.Errorf("%s: without trusted proxies the header counts: %v", tt.name, got)
		}
	}
}

func TestTrustedProxiesAreChecked(t *testing.T) {
	for _, entry := range []string{"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.1:80", "::ffff:10.0.0.0/95", "fe80::1%eth0/64", "10.0.0.1,10.0.0.2"} {
		if p, err := auth.NewProxies([]string{"10.0.0.1", entry}); p != nil || err == nil || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%q: %v, %v", entry, p, err)
		}
	}
	if _, err := auth.NewProxies(make([]string, 1025)); err == nil {
		t.Error("any number is taken")
	}
}

func TestLongHeadersCostLittle(t *testing.T) {
	everybody, err := auth.NewProxies([]string{"0.0.0.0/0", "::/0"})
	if err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"addresses": strings.Repeat("1.1.1.1,", 8<<10) + "1.1.1.1", "commas": strings.Repeat(",", 64<<10), "one entry": strings.Repeat("1", 64<<10),
	} {
		if n := testing.AllocsPerRun(10, func() { everybody.ClientIP("1.1.1.1:1", []string{header}) }); n > 4 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	chain := strings.TrimSuffix("8.8.8.8,"+strings.Repeat("1.1.1.1,", 40), ",")
	if got := everybody.ClientIP("1.1.1.1:1", []string{chain}); got.String() != "1.1.1.1" {
		t.Errorf("the way does not end: %v", got)
	}
}

func FuzzClientIP(f *testing.F) {
	for _, s := range []string{"1.1.1.1", "1.1.1.1, 10.0.0.1", "[::1]:80", "::ffff:1.1.1.1%x", ",,", "[", "unknown:1"} {
		f.Add("10.0.0.1:80", s, s)
	}
	p, err := auth.NewProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	inside := netip.MustParsePrefix("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, peer, first, second string) {
		direct := p.ClientIP(peer, nil)
		got := p.ClientIP(peer, []string{first, second})
		if got.Is4In6() || got.Zone() != "" || got.IsValid() != direct.IsValid() {
			t.Errorf("%q %q %q: %v", peer, first, second, got)
		}
		if !inside.Contains(direct) && got != direct {
			t.Errorf("a stranger's header counts: %v instead of %v", got, direct)
		}
	})
}
