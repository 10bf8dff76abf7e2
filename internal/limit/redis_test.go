package limit

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// TestTwoReplicasNeverAdmitMore has 10,000 operations at once over two limiters that share a Redis.
func TestTwoReplicasNeverAdmitMore(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	var local, admitted, points atomic.Int64
	cfg := Config{
		User:     Limits{Points: Rate{12_345, never}},
		Budget:   time.Minute,
		Observer: Observer{Local: func(string) { local.Add(1) }},
	}
	var group sync.WaitGroup
	for range 2 {
		replica := New(cfg, NewRedis(server.Client()))
		for g := range 10 {
			group.Go(func() {
				for i := range 500 {
					cost := int64(1 + (g+i)%3)
					if replica.Admit(t.Context(), Caller{UserID: "u"}, cost).Allowed {
						admitted.Add(1)
						points.Add(cost)
					}
				}
			})
		}
	}
	group.Wait()
	if points.Load() != 12_345 || local.Load() != 0 {
		t.Errorf("%d points in %d operations, %d of them local", points.Load(), admitted.Load(), local.Load())
	}
}

// TestRedisKeys reads what is kept: no identity in plain text, one hash tag, and nothing for longer than until it is full.
func TestRedisKeys(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "no")
	client := server.Client()
	cfg := all()
	cfg.Budget = time.Minute
	l := New(cfg, NewRedis(client))
	if d := l.Admit(t.Context(), everyone, 500); !d.Allowed || d.Local {
		t.Fatalf("%+v", d)
	}
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 6 {
		t.Errorf("%q", keys)
	}
	most := map[string]time.Duration{"p:user": 10 * time.Second, "p:key": 5 * time.Second, "p:ip": 50 * time.Second,
		"r:user": 3600 * time.Millisecond, "r:key": 360 * time.Millisecond, "r:ip": 720 * time.Millisecond}
	for _, key := range keys {
		if !regexp.MustCompile(`^\{lim\}:[pr]:(user|key|ip):[0-9a-f]{32}$`).MatchString(key) {
			t.Errorf("key %q", key)
		}
		bucket := strings.TrimPrefix(key[:strings.LastIndex(key, ":")], "{lim}:")
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > most[bucket]+2*time.Second {
			t.Errorf("%s is kept for %v", bucket, ttl)
		}
	}
	// What is full again is no longer there.
	e := []Entry{entry("back", Points, Rate{10, never}, 10)}
	store := NewRedis(client)
	if _, err := store.Debit(t.Context(), e, Writer{}); err != nil {
		t.Fatal(err)
	}
	if err := store.Credit(t.Context(), e); err != nil || client.Exists(t.Context(), e[0].Key.redis()).Val() != 0 {
		t.Errorf("%v, and a full bucket is kept", err)
	}
}

func TestRedisForgetsTheScript(t *testing.T) {
	client := redistest.Start(t, "--appendonly", "no").Client()
	store := NewRedis(client)
	e := []Entry{entry("u", Points, Rate{10, never}, 3)}
	for range 3 {
		if err := client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if o, err := store.Debit(t.Context(), e, Writer{}); err != nil || !o.Allowed {
			t.Fatal(o, err)
		}
	}
	if o, err := store.Debit(t.Context(), e, Writer{}); err != nil || o.Allowed {
		t.Error(o, err)
	}
}

// TestRedisWithForeignValues meets keys that something else has written.
func TestRedisWithForeignValues(t *testing.T) {
	client := redistest.Start(t, "--appendonly", "no").Client()
	store := NewRedis(client)
	e := []Entry{entry("u", Points, Rate{10, never}, 3)}
	for _, value := range []string{"", "x", "-5 1", "1.5 2", "nan nan", strings.Repeat("9", 400) + " 1", "0 " + strings.Repeat("9", 400), "1 2 3"} {
		client.Set(t.Context(), e[0].Key.redis(), value, 0)
		if o, err := store.Look(t.Context(), e, Writer{}); err != nil || o.Missing[0] < 0 || o.Missing[0] > e[0].Meter.Span {
			t.Errorf("%.20q: %v, %v", value, o, err)
		}
	}
	client.Del(t.Context(), e[0].Key.redis())
	client.LPush(t.Context(), e[0].Key.redis(), "list")
	if o, err := store.Debit(t.Context(), e, Writer{}); err != nil || !o.Allowed { // MGET takes it for absent, SET replaces it
		t.Error(o, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Debit(ended, e, Writer{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestParseReply(t *testing.T) {
	good := []any{int64(1), int64(5), []any{int64(7), int64(8)}, "more"}
	if o, err := parseReply(good, 2); err != nil || !o.Allowed || o.At != 5 || o.Missing != [MaxEntries]int64{7, 8} {
		t.Error(o, err)
	}
	for _, reply := range [][]any{nil, {int64(1)}, {"1", int64(5), []any{}}, {int64(1), nil, []any{}}, {int64(1), int64(5), int64(7)},
		{int64(1), int64(5), []any{int64(7)}}, {int64(1), int64(5), []any{int64(7), "8"}}} {
		if _, err := parseReply(reply, 2); !errors.Is(err, errReply) {
			t.Errorf("%v: %v", reply, err)
		}
	}
}
