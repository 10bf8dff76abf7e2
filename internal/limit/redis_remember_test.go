package limit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

var (
	ann = WriterOf(Caller{UserID: "ann"})
	bob = WriterOf(Caller{KeyID: "bob"})
)

// eachShared runs a test over one server and over a cluster.
func eachShared(t *testing.T, test func(*testing.T, *Redis)) {
	t.Run("redis", func(t *testing.T) { test(t, NewRedis(redistest.Start(t, "--appendonly", "no").Client())) })
	t.Run("cluster", func(t *testing.T) { test(t, NewRedis(redistest.Client(t, redistest.StartCluster(t)))) })
}

// writes are what a writer is told, beside a debit and a look at two buckets, and without any bucket.
func (r *Redis) writes(t *testing.T, of Writer) []string {
	t.Helper()
	two := []Entry{entry("w", Points, Rate{1 << 40, never}, 3), entry("w", Requests, Rate{1 << 40, never}, 1)}
	debited, err1 := r.Debit(t.Context(), two, of)
	looked, err2 := r.Look(t.Context(), two, of)
	alone, err3 := r.Debit(t.Context(), nil, of)
	if err := errors.Join(err1, err2, err3); err != nil || !debited.Allowed || !alone.Allowed || debited.Missing[1] == 0 || looked.Missing[0] < debited.Missing[0]-1_000_000_000 {
		t.Fatal(err, debited, looked, alone)
	}
	if !slices.Equal(debited.Writes, looked.Writes) || !slices.Equal(debited.Writes, alone.Writes) {
		t.Fatalf("debit %q, look %q, without buckets %q", debited.Writes, looked.Writes, alone.Writes)
	}
	return debited.Writes
}

func (r *Redis) mustRemember(t *testing.T, writer Writer, payloads ...string) {
	t.Helper()
	for _, payload := range payloads {
		if err := r.Remember(t.Context(), writer, payload); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRemember(t *testing.T) {
	eachShared(t, func(t *testing.T, r *Redis) {
		if got := r.writes(t, ann); got != nil {
			t.Errorf("nothing was written: %q", got)
		}
		r.mustRemember(t, ann, "one", "two\x00\xff")
		r.mustRemember(t, bob, "three")
		r.mustRemember(t, Writer{}, "nobody's")
		if got := r.writes(t, ann); !slices.Equal(got, []string{"one", "two\x00\xff"}) {
			t.Errorf("ann is told %q", got)
		}
		if got := r.writes(t, bob); !slices.Equal(got, []string{"three"}) {
			t.Errorf("bob is told %q", got)
		}
		for _, other := range []Caller{{}, {UserID: "bob"}, {KeyID: "ann"}, {IP: everyone.IP}} {
			if got := r.writes(t, WriterOf(other)); got != nil {
				t.Errorf("%+v is told %q", other, got)
			}
		}
		r.mustRemember(t, ann, "one") // again, which counts as new
		if got := r.writes(t, ann); !slices.Equal(got, []string{"two\x00\xff", "one"}) {
			t.Errorf("ann is told %q", got)
		}
	})
}

// TestRememberIsBounded writes more than is kept, by one writer and in one payload.
func TestRememberIsBounded(t *testing.T) {
	eachShared(t, func(t *testing.T, r *Redis) {
		var all []string
		for i := range maxWrites + 20 {
			all = append(all, fmt.Sprint("w", i))
		}
		r.mustRemember(t, ann, all...)
		if got := r.writes(t, ann); !slices.Equal(got, all[20:]) {
			t.Errorf("of %d it tells %d: %q", len(all), len(got), got)
		}
		if err := r.Remember(t.Context(), bob, strings.Repeat("x", maxWriteBytes+1)); !errors.Is(err, ErrWriteTooLong) {
			t.Error(err)
		}
		r.mustRemember(t, bob, strings.Repeat("x", maxWriteBytes))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Remember(ended, bob, "late"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := r.writes(t, bob); len(got) != 1 || len(got[0]) != maxWriteBytes {
			t.Errorf("%.20q", got)
		}
	})
}

// TestWritesAreForgotten looks, with a window of its own, when the server's clock says that a payload is old.
func TestWritesAreForgotten(t *testing.T) {
	eachShared(t, func(t *testing.T, r *Redis) {
		r.window = 300 * time.Millisecond
		look := func() Outcome {
			t.Helper()
			o, err := r.Look(t.Context(), nil, ann)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		r.mustRemember(t, ann, "early")
		early := int64(r.client.ZScore(t.Context(), ann.redis(), "early").Val())
		for look().At-early < 200_000 {
			time.Sleep(5 * time.Millisecond) // the server's own clock decides
		}
		r.mustRemember(t, ann, "late")
		for there := true; there; {
			o := look()
			there = slices.Contains(o.Writes, "early")
			if there != (o.At-early <= 300_000) {
				t.Fatalf("after %d µs it tells %q", o.At-early, o.Writes)
			}
		}
		r.mustRemember(t, ann, "last") // drops what is too old to be told
		if r.client.ZScore(t.Context(), ann.redis(), "early").Err() == nil {
			t.Error("what is too old is kept")
		}
		if ttl := r.client.PTTL(t.Context(), ann.redis()).Val(); ttl <= 0 || ttl > r.window {
			t.Errorf("kept for %v", ttl)
		}
		if age := NewRedis(r.client).window; age != time.Minute {
			t.Errorf("a write is told of for %v", age)
		}
	})
}

// TestRememberWithForeignValues meets a key that something else has written: limits hold all the same.
func TestRememberWithForeignValues(t *testing.T) {
	r := NewRedis(redistest.Start(t, "--appendonly", "no").Client())
	r.client.Set(t.Context(), ann.redis(), "x", 0)
	if got := r.writes(t, ann); got != nil {
		t.Errorf("%q", got)
	}
	if err := r.Remember(t.Context(), ann, "one"); err == nil {
		t.Error("no error")
	}
	for range 2 { // scripts that the server has forgotten
		r.client.ScriptFlush(t.Context())
		r.mustRemember(t, bob, "one")
	}
	for _, key := range r.client.Keys(t.Context(), "*:w:*").Val() {
		if !regexp.MustCompile(`^\{lim\}:w:(user|key):[0-9a-f]{32}$`).MatchString(key) {
			t.Errorf("key %q", key)
		}
	}
}

// TestAdmitTellsOfWrites asks as callers with buckets and without.
func TestAdmitTellsOfWrites(t *testing.T) {
	r := NewRedis(redistest.Start(t, "--appendonly", "no").Client())
	r.mustRemember(t, ann, "one")
	some, none := Config{IP: all().IP, Budget: time.Minute}, Config{Budget: time.Minute}
	some.Observer.Admitted = func(kind string) {
		if kind != "ip" {
			t.Errorf("admitted by %s", kind)
		}
	}
	for name, l := range map[string]*Limiter{"some": New(some, r), "none": New(none, r)} {
		for _, c := range []struct {
			who  Caller
			want string
		}{
			{Caller{UserID: "ann"}, "[one]"},
			{Caller{UserID: "ann", KeyID: "k", IP: everyone.IP}, "[one]"},
			{Caller{UserID: "bob", KeyID: "ann", IP: everyone.IP}, "[]"},
			{Caller{IP: everyone.IP}, "[]"},
			{Caller{}, "[]"},
		} {
			d := l.Admit(t.Context(), c.who, 1)
			if fmt.Sprint(d.Writes) != c.want || !d.Allowed || d.Local {
				t.Errorf("%s: %+v is told %+v", name, c.who, d)
			}
			if limited := name == "some" && c.who.IP.IsValid(); limited != (d.Header() != nil) || limited != (d.Tightest() != nil) {
				t.Errorf("%s: %+v has %+v", name, c.who, d)
			}
			l.Refund(d, 1)
			if looked := l.Look(t.Context(), c.who); fmt.Sprint(looked.Writes) != c.want {
				t.Errorf("%s: %+v looks and is told %+v", name, c.who, looked)
			}
		}
	}
	shared := newFake(down)
	l := New(none, shared)
	if d := l.Admit(t.Context(), Caller{UserID: "ann"}, 1); !d.Allowed || !d.Local || d.Writes != nil {
		t.Errorf("%+v", d)
	}
	if l.Admit(t.Context(), Caller{IP: everyone.IP}, 1); shared.asked.Load() != 1 {
		t.Errorf("asked %d times for one known caller", shared.asked.Load())
	}
}

func BenchmarkDebit(b *testing.B) {
	r := NewRedis(redistest.Start(b, "--appendonly", "no").Client())
	two := []Entry{entry("w", Points, Rate{1 << 40, never}, 3), entry("w", Requests, Rate{1 << 40, never}, 1)}
	for _, writes := range []int{-1, 0, 20, maxWrites} {
		name, writer := fmt.Sprint("writes=", writes), WriterOf(Caller{UserID: fmt.Sprint(writes)})
		if writes < 0 {
			name, writer = "nobody", Writer{}
		}
		for i := range writes {
			payload := fmt.Sprintf(`{"k":"post","i":"0197a2b4c6d8e0f1%d","v":3,"t":"post.updated","a":["0197a2b4c6d8e0f2"]}`, i)
			if err := r.Remember(b.Context(), writer, payload); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if o, err := r.Debit(b.Context(), two, writer); err != nil || len(o.Writes) != max(0, writes) {
					b.Fatal(err, len(o.Writes))
				}
			}
		})
	}
}
