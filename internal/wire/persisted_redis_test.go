package wire

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/operation"
	"tributary/internal/redisclient/redistest"
)

func TestPoisonedRedisRunsNothingElse(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	hash, key := sha256.Sum256([]byte(keptQuery)), persistedKeys+sha(keptQuery)
	for name, poison := range map[string]func() error{
		"another document":    func() error { return client.Set(t.Context(), key, "mutation { set(v: 1) }", 0).Err() },
		"a longer document":   func() error { return client.Set(t.Context(), key, keptQuery+" ", 0).Err() },
		"a shorter document":  func() error { return client.Set(t.Context(), key, keptQuery[1:], 0).Err() },
		"nothing":             func() error { return client.Set(t.Context(), key, "", 0).Err() },
		"a very long value":   func() error { return client.Set(t.Context(), key, strings.Repeat("x", 1<<20), 0).Err() },
		"a value of any type": func() error { return client.LPush(t.Context(), key, keptQuery).Err() },
	} {
		t.Run(name, func(t *testing.T) {
			store := newRedisStore(t, server.URL(), testTimeout)
			if err := client.Del(t.Context(), key).Err(); err != nil {
				t.Fatal(err)
			}
			if err := poison(); err != nil {
				t.Fatal(err)
			}
			p, err := NewPersisted(PersistedOff, nil, store, maxDocument)
			if err != nil {
				t.Fatal(err)
			}
			req := operation.Request{}
			if _, refused := p.Resolve(t.Context(), &req, byHash(sha(keptQuery)), false); refused == nil || refused.code != CodePersistedQueryNotFound || req.Query != "" {
				t.Fatalf("it is resolved to %q (%v)", req.Query, refused)
			}
			if err := sendLikeApollo(t.Context(), p, keptQuery); err != nil {
				t.Error(err)
			}
			if got, ok := newRedisStore(t, server.URL(), testTimeout).Load(t.Context(), hash); !ok || got != keptQuery {
				t.Errorf("after the client sent it again it is %q", got)
			}
		})
	}
}

func TestTheTimeToLiveIsRefreshedDaily(t *testing.T) {
	server := redistest.Start(t)
	client, hash, key := server.Client(), sha256.Sum256([]byte(keptQuery)), persistedKeys+sha(keptQuery)
	newRedisStore(t, server.URL(), testTimeout).Save(t.Context(), hash, keptQuery)
	const almost = persistedTTL - time.Minute
	if left := client.TTL(t.Context(), key).Val(); left < almost || left > persistedTTL {
		t.Errorf("a new document lives for %v", left)
	}
	for _, tt := range []struct {
		left      time.Duration
		refreshed bool
	}{{persistedTTL - persistedRefresh + time.Hour, false}, {persistedTTL - persistedRefresh - time.Hour, true}, {time.Minute, true}} {
		if err := client.Expire(t.Context(), key, tt.left).Err(); err != nil {
			t.Fatal(err)
		}
		store := newRedisStore(t, server.URL(), testTimeout) // one that has not used the document today
		if _, ok := store.Load(t.Context(), hash); !ok {
			t.Fatal("the document is gone")
		}
		if left := client.TTL(t.Context(), key).Val(); (left >= almost) != tt.refreshed {
			t.Errorf("a document with %v left has %v after its use", tt.left, left)
		}
	}
	if err := client.Persist(t.Context(), key).Err(); err != nil {
		t.Fatal(err)
	}
	if _, ok := newRedisStore(t, server.URL(), testTimeout).Load(t.Context(), hash); !ok || client.TTL(t.Context(), key).Val() < almost {
		t.Error("a document without time to live stays for ever")
	}
}

func TestWhatIsUsedComesFromMemoryForADay(t *testing.T) {
	server := redistest.Start(t)
	store, hash := newRedisStore(t, server.URL(), testTimeout), sha256.Sum256([]byte(keptQuery))
	store.Save(t.Context(), hash, keptQuery)
	server.Kill()
	if got, ok := store.Load(t.Context(), hash); !ok || got != keptQuery {
		t.Errorf("memory has %q", got)
	}
	if store.near.lifetime != persistedRefresh { // what is refreshed at most daily must be asked for daily
		t.Errorf("memory keeps it for %v", store.near.lifetime)
	}
	store.near.lifetime = time.Nanosecond
	if got, ok := store.Load(t.Context(), hash); ok {
		t.Errorf("memory keeps %q beyond its time", got)
	}
	server.Restart()
	if got, ok := store.Load(t.Context(), hash); !ok || got != keptQuery {
		t.Errorf("Redis has %q", got)
	}
}

func TestRedisIsBounded(t *testing.T) {
	for name, url := range map[string]string{"server": redistest.Start(t).URL(), "cluster": redistest.StartCluster(t)} {
		t.Run(name, func(t *testing.T) {
			store := newRedisStore(t, url, testTimeout)
			store.maxDocuments = 5
			for i := range 30 {
				document := fmt.Sprintf("{ a%d: echo }", i)
				store.Save(t.Context(), sha256.Sum256([]byte(document)), document)
			}
			elsewhere, kept := newRedisStore(t, url, testTimeout), 0
			for i := range 30 {
				if _, ok := elsewhere.Load(t.Context(), sha256.Sum256(fmt.Appendf(nil, "{ a%d: echo }", i))); ok {
					kept++
				}
			}
			if kept != 5 {
				t.Errorf("%d documents are kept, want 5", kept)
			}
			large := strings.Repeat("x", maxDocument+1)
			store.Save(t.Context(), sha256.Sum256([]byte(large)), large)
			if n := store.client.Exists(t.Context(), persistedKeys+sha(large)).Val(); n != 0 {
				t.Error("a document beyond the bound is in Redis")
			}
		})
	}
}

func TestRedisThatIsSlowIsNotWaitedFor(t *testing.T) {
	server := redistest.Start(t)
	store, hash := newRedisStore(t, server.URL(), 20*time.Millisecond), sha256.Sum256([]byte(keptQuery))
	if err := server.Client().Do(t.Context(), "CLIENT", "PAUSE", "3000", "ALL").Err(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if got, ok := store.Load(t.Context(), hash); ok {
		t.Errorf("loaded %q", got)
	}
	store.Save(t.Context(), hash, keptQuery)
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if got, ok := store.Load(t.Context(), hash); !ok || got != keptQuery {
		t.Errorf("memory has %q", got)
	}
}

func TestACallerWhoLeftIsNotWaitedFor(t *testing.T) {
	store := newRedisStore(t, redistest.Start(t).URL(), testTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store.Save(ctx, sha256.Sum256([]byte(keptQuery)), keptQuery)
	if _, ok := store.Load(ctx, sha256.Sum256([]byte(freeQuery))); ok {
		t.Error("an unknown document is loaded")
	}
}

func TestClientsGoOnWhileRedisIsKilledAndRestarted(t *testing.T) {
	server := redistest.Start(t)
	var replicas []*Persisted
	for range 2 {
		p, err := NewPersisted(PersistedPrefer, testManifest(t), newRedisStore(t, server.URL(), 50*time.Millisecond), maxDocument)
		if err != nil {
			t.Fatal(err)
		}
		replicas = append(replicas, p)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := 0; ; j++ {
				select {
				case <-done:
					return
				default:
				}
				if err := sendLikeApollo(t.Context(), replicas[j%2], fmt.Sprintf("query Q%d_%d { echo }", i, j/4)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	store := newRedisStore(t, server.URL(), testTimeout)
	waitUntil(t, "the first documents are there", func() bool { return store.client.ZCard(t.Context(), persistedIndex).Val() > 10 })
	server.Kill()
	if _, ok := store.Load(t.Context(), sha256.Sum256([]byte("never sent"))); ok {
		t.Error("a killed Redis has a document")
	}
	server.Restart()
	before := store.client.ZCard(t.Context(), persistedIndex).Val()
	waitUntil(t, "documents are shared again", func() bool { return store.client.ZCard(t.Context(), persistedIndex).Val() > before })
	close(done)
	wg.Wait()
}

func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(testTimeout); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come that %s", what)
		}
	}
}
