package limit

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var everyone = Caller{UserID: "ann@example.org", KeyID: "k1", IP: netip.MustParseAddr("2001:db8::1")}

// all limits everything; nothing restores within a test.
func all() Config {
	return Config{
		User: Limits{Points: Rate{1000, 50}, RequestsPerHour: 1000},
		Key:  Limits{Points: Rate{2000, 100}, RequestsPerHour: 10_000},
		IP:   Limits{Points: Rate{500, 10}, RequestsPerHour: 5000},
	}
}

type testClock struct{ now time.Time }

func (c *testClock) Now() time.Time { return c.now }

func newClock() *testClock { return &testClock{time.UnixMicro(1.8e15)} }

// states prints the buckets of a decision.
func states(d *Decision) string {
	var text []string
	for _, b := range d.Buckets {
		text = append(text, fmt.Sprintf("%s %d/%d", b.Name, b.Available, b.Size))
	}
	return strings.Join(text, " ")
}

func TestAdmit(t *testing.T) {
	clock := newClock()
	cfg := all()
	cfg.Now = clock.Now
	l := New(cfg, nil)
	for i, c := range []struct {
		who                    Caller
		cost                   int64
		allowed, tooDear       bool
		retry                  time.Duration
		state, tightest, total string
	}{
		{who: everyone, cost: 100, allowed: true, tightest: "ip",
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 999/1000 key-requests 9999/10000 ip-requests 4999/5000"},
		{who: everyone, cost: 0, allowed: true, tightest: "ip",
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 998/1000 key-requests 9998/10000 ip-requests 4998/5000"},
		{who: everyone, cost: math.MinInt64, allowed: true, tightest: "ip",
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 997/1000 key-requests 9997/10000 ip-requests 4997/5000"},
		{who: everyone, cost: 450, retry: 5 * time.Second, tightest: "ip", // 50 lack at 10 a second
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 997/1000 key-requests 9997/10000 ip-requests 4997/5000"},
		{who: everyone, cost: 501, tooDear: true, tightest: "ip",
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 997/1000 key-requests 9997/10000 ip-requests 4997/5000"},
		{who: everyone, cost: math.MaxInt64, tooDear: true, tightest: "ip",
			state: "user 900/1000 key 1900/2000 ip 400/500 user-requests 997/1000 key-requests 9997/10000 ip-requests 4997/5000"},
		{who: Caller{IP: netip.MustParseAddr("2001:db8::ffff:2")}, cost: 400, allowed: true, tightest: "ip", state: "ip 0/500 ip-requests 4996/5000"},
		{who: Caller{IP: netip.MustParseAddr("2001:db8::1%eth0")}, cost: 0, allowed: true, tightest: "ip", state: "ip 0/500 ip-requests 4995/5000"},
		{who: Caller{IP: netip.MustParseAddr("2001:db8:0:1::1")}, cost: 1, allowed: true, tightest: "ip", state: "ip 499/500 ip-requests 4999/5000"},
		{who: Caller{IP: netip.MustParseAddr("192.0.2.1")}, cost: 1, allowed: true, tightest: "ip", state: "ip 499/500 ip-requests 4999/5000"},
		{who: Caller{IP: netip.MustParseAddr("::ffff:192.0.2.1")}, cost: 1, allowed: true, tightest: "ip", state: "ip 498/500 ip-requests 4998/5000"},
		{who: Caller{IP: netip.MustParseAddr("192.0.2.2")}, cost: 1, allowed: true, tightest: "ip", state: "ip 499/500 ip-requests 4999/5000"},
		{who: Caller{UserID: everyone.UserID}, cost: 900, allowed: true, tightest: "user", state: "user 0/1000 user-requests 996/1000"},
		{who: Caller{UserID: everyone.UserID}, cost: 1, retry: 20 * time.Millisecond, tightest: "user", state: "user 0/1000 user-requests 996/1000"},
		{who: Caller{KeyID: everyone.UserID}, cost: 2000, allowed: true, tightest: "key", state: "key 0/2000 key-requests 9999/10000"},
		{who: Caller{}, cost: math.MaxInt64, allowed: true},
	} {
		d := l.Admit(t.Context(), c.who, c.cost)
		tightest := ""
		if b := d.Tightest(); b != nil {
			tightest = b.Name
		}
		if d.Allowed != c.allowed || d.TooDear != c.tooDear || d.RetryAfter != c.retry || tightest != c.tightest || states(d) != c.state || d.Local {
			t.Errorf("%d: %+v, tightest %q", i, d, tightest)
		}
	}
	before := states(l.Look(t.Context(), everyone))
	clock.now = clock.now.Add(2 * time.Second)
	if got, want := states(l.Look(t.Context(), everyone)), "user 100/1000 key 2000/2000 ip 20/500 user-requests 996/1000 key-requests 10000/10000 ip-requests 4997/5000"; got != want {
		t.Errorf("%s, two seconds before %s; want %s", got, before, want)
	}
}

func TestRefund(t *testing.T) {
	cfg := all()
	cfg.Now = newClock().Now
	l := New(cfg, nil)
	full := states(l.Look(t.Context(), everyone))
	d := l.Admit(t.Context(), everyone, 300)
	for _, points := range []int64{0, -5, math.MinInt64} {
		l.Refund(d, points)
	}
	l.Refund(nil, 5)
	l.Refund(l.Look(t.Context(), everyone), 300)
	l.Refund(l.Admit(t.Context(), everyone, 5000), 300)             // too dear
	l.Refund(l.Admit(t.Context(), everyone, 400), 300)              // refused
	l.Refund(l.Admit(t.Context(), Caller{}, 5000), 300)             // free
	l.Refund(New(Config{}, nil).Admit(t.Context(), everyone, 1), 1) // nothing is limited
	if got, want := states(l.Look(t.Context(), everyone)), "user 700/1000 key 1700/2000 ip 200/500 user-requests 999/1000 key-requests 9999/10000 ip-requests 4999/5000"; got != want {
		t.Errorf("%s, want %s, of %s", got, want, full)
	}
	l.Refund(d, 120)
	if got, want := states(l.Look(t.Context(), everyone)), "user 820/1000 key 1820/2000 ip 320/500 user-requests 999/1000 key-requests 9999/10000 ip-requests 4999/5000"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	l.Refund(l.Admit(t.Context(), everyone, 10), math.MaxInt64) // no more than was debited
	if got, want := states(l.Look(t.Context(), everyone)), "user 820/1000 key 1820/2000 ip 320/500 user-requests 998/1000 key-requests 9998/10000 ip-requests 4998/5000"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRequestQuota(t *testing.T) {
	clock := newClock()
	l := New(Config{User: Limits{RequestsPerHour: 2}, Now: clock.Now}, nil)
	who := Caller{UserID: "u", IP: netip.MustParseAddr("192.0.2.1")}
	for _, want := range []bool{true, true, false} {
		if d := l.Admit(t.Context(), who, 1e9); d.Allowed != want || d.TooDear {
			t.Errorf("%+v", d)
		}
	}
	d := l.Admit(t.Context(), who, 0)
	if b := d.Tightest(); d.RetryAfter != 30*time.Minute || b == nil || b.Name != "user-requests" || b.RetryAfter != d.RetryAfter || b.Full != time.Hour {
		t.Errorf("%+v", d)
	}
	clock.now = clock.now.Add(d.RetryAfter - time.Microsecond)
	if l.Admit(t.Context(), who, 0).Allowed {
		t.Error("admitted a microsecond too early")
	}
	clock.now = clock.now.Add(time.Microsecond)
	if !l.Admit(t.Context(), who, 0).Allowed {
		t.Error("refused after it has waited")
	}
}

func TestObserverOfMemory(t *testing.T) {
	var told []string
	cfg := all()
	cfg.Now = newClock().Now
	cfg.Observer = Observer{
		Admitted:  func(kind string) { told = append(told, "+"+kind) },
		Throttled: func(bucket string) { told = append(told, "-"+bucket) },
		Local:     func(reason string) { told = append(told, reason) },
	}
	l := New(cfg, nil)
	ip := Caller{IP: everyone.IP}
	l.Admit(t.Context(), everyone, 500)
	l.Admit(t.Context(), ip, 0)
	l.Admit(t.Context(), everyone, 1)
	l.Admit(t.Context(), everyone, 500)
	l.Admit(t.Context(), everyone, 501)
	l.Look(t.Context(), everyone)
	if got := fmt.Sprint(told); got != "[+user +ip -ip -ip]" {
		t.Error(got)
	}
}

func TestNothingLimitedCostsNothing(t *testing.T) {
	none, some := New(Config{}, nil), New(Config{User: all().User}, nil)
	if n := testing.AllocsPerRun(100, func() {
		if d := none.Admit(t.Context(), everyone, 1e6); !d.Allowed || d.Header() != nil || d.Tightest() != nil {
			t.Error(d)
		}
		some.Refund(some.Admit(t.Context(), Caller{IP: everyone.IP}, 1e6), 5)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDigests(t *testing.T) {
	shared, other, private := newDigester(true), newDigester(true), newDigester(false)
	seen := map[[16]byte]string{}
	for _, d := range []digester{shared, private} {
		for _, id := range []string{"", "a", "b", "ab", strings.Repeat("a", 100), "\x00"} {
			if digest := d.digest(id); digest != d.digest(id) {
				t.Errorf("%q has two digests", id)
			} else if same, ok := seen[digest]; ok {
				t.Errorf("%q has the digest of %q", id, same)
			} else {
				seen[digest] = id
			}
		}
	}
	if shared.digest("a") != other.digest("a") {
		t.Error("two replicas do not agree")
	}
}

func BenchmarkAdmit(b *testing.B) {
	for _, c := range []struct {
		name string
		who  Caller
	}{{"ip", Caller{IP: everyone.IP}}, {"user and ip", Caller{UserID: "u1", IP: everyone.IP}}, {"all", everyone}} {
		b.Run(c.name, func(b *testing.B) {
			cfg := all()
			for _, r := range []*Limits{&cfg.User, &cfg.Key, &cfg.IP} {
				r.Points, r.RequestsPerHour = Rate{1 << 40, 50}, 1<<40
			}
			l := New(cfg, nil)
			b.ReportAllocs()
			for b.Loop() {
				if !l.Admit(b.Context(), c.who, 3).Allowed {
					b.Fatal("refused")
				}
			}
		})
	}
}
