package wire

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// testTimeout is what a Redis on a busy machine needs at most; the tests of timing have their own.
const testTimeout = 5 * time.Second

// testStores are the Stores, each with an empty place of its own and a way to look at the same place anew.
func testStores(t *testing.T, run func(t *testing.T, open func(t *testing.T) Store)) {
	t.Run("memory", func(t *testing.T) {
		store, err := NewMemoryStore(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		run(t, func(*testing.T) Store { return store })
	})
	t.Run("redis", func(t *testing.T) {
		url := redistest.Start(t).URL()
		run(t, func(t *testing.T) Store { return newRedisStore(t, url, testTimeout) })
	})
	t.Run("cluster", func(t *testing.T) {
		url := redistest.StartCluster(t)
		run(t, func(t *testing.T) Store { return newRedisStore(t, url, testTimeout) })
	})
}

func newRedisStore(t *testing.T, url string, timeout time.Duration) *RedisStore {
	t.Helper()
	store, err := NewRedisStore(redistest.Client(t, url), 1<<20, maxDocument, timeout)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestStoreConformance(t *testing.T) {
	testStores(t, func(t *testing.T, open func(*testing.T) Store) {
		for _, tt := range []struct {
			name string
			test func(*testing.T, func(*testing.T) Store)
		}{{"keeps", keeps}, {"under load", underLoad}} {
			t.Run(tt.name, func(t *testing.T) { tt.test(t, open) })
		}
	})
}

func keeps(t *testing.T, open func(*testing.T) Store) {
	store := open(t)
	for _, document := range []string{"{ echo }", "{ a: echo(text: \"\x00\\\" ünï 🙂\") }\r\n", strings.Repeat("x", maxDocument)} {
		hash := sha256.Sum256([]byte(document))
		if got, ok := store.Load(t.Context(), hash); ok || got != "" {
			t.Errorf("an empty store has %.20q", got)
		}
		for range 2 {
			store.Save(t.Context(), hash, document)
		}
		for range 2 {
			if got, ok := store.Load(t.Context(), hash); !ok || got != document {
				t.Errorf("saved %.20q, loaded %.20q", document, got)
			}
		}
		if got, ok := open(t).Load(t.Context(), hash); !ok || got != document {
			t.Errorf("saved %.20q, loaded %.20q elsewhere", document, got)
		}
	}
}

func underLoad(t *testing.T, open func(*testing.T) Store) {
	store, other := open(t), open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				document := fmt.Sprintf("{ a%d: echo }", (i+j)%20)
				hash := sha256.Sum256([]byte(document))
				store.Save(t.Context(), hash, document)
				if got, ok := other.Load(t.Context(), hash); !ok || got != document {
					t.Errorf("saved %q, loaded %q", document, got)
				}
			}
		})
	}
	wg.Wait()
}

func TestMemoryStoreIsBounded(t *testing.T) {
	const room = 10
	document := func(i int) string { return fmt.Sprintf("{ a%03d: echo }", i) }
	store, err := NewMemoryStore(uint64(room * (entryBytes + len(document(0)))))
	if err != nil {
		t.Fatal(err)
	}
	kept := func(n int) (count int) {
		store.documents.CleanUp()
		for i := range n {
			if _, ok := store.Load(t.Context(), sha256.Sum256([]byte(document(i)))); ok {
				count++
			}
		}
		return count
	}
	for i := range 200 {
		store.Save(t.Context(), sha256.Sum256([]byte(document(i))), document(i))
	}
	if n := kept(200); n == 0 || n > room {
		t.Errorf("%d documents are kept where there is room for %d", n, room)
	}
	large := strings.Repeat("x", room*entryBytes*2)
	store.Save(t.Context(), sha256.Sum256([]byte(large)), large)
	store.documents.CleanUp()
	if _, ok := store.Load(t.Context(), sha256.Sum256([]byte(large))); ok || kept(200) == 0 {
		t.Errorf("a document larger than the store is kept: %v; %d others", ok, kept(200))
	}
	if _, err := NewMemoryStore(0); err == nil {
		t.Error("a store without bound is made")
	}
	if _, err := NewRedisStore(nil, 0, 1, time.Second); err == nil {
		t.Error("a store without bound before Redis is made")
	}
}
