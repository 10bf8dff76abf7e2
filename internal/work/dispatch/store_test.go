package dispatch_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work/dispatch"
	"tributary/internal/work/dispatch/dispatchtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openSQLite(t testing.TB, path string) *dispatch.SQLite {
	t.Helper()
	store, err := dispatch.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestSQLite(t *testing.T) {
	dispatchtest.Run(t, func(t *testing.T) dispatchtest.Open {
		path := filepath.Join(t.TempDir(), "webhooks?#% .db")
		return func(t *testing.T) dispatch.Store { return openSQLite(t, path) }
	})
}

func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.db")
	openSQLite(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("others may read it:", info.Mode(), err)
	}
	if _, err := dispatch.OpenSQLite(t.Context(), filepath.Join(path, "below")); err == nil {
		t.Error("a file in a file is opened")
	}
}

// redisPlace empties the server behind a URL.
func redisPlace(url string) func(t *testing.T) dispatchtest.Open {
	return func(t *testing.T) dispatchtest.Open {
		client := redistest.Client(t, url)
		err := client.FlushAll(t.Context()).Err()
		if cluster, ok := client.(*redis.ClusterClient); ok {
			err = cluster.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error { return node.FlushAll(ctx).Err() })
		}
		if err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) dispatch.Store { return dispatch.NewRedis(redistest.Client(t, url)) }
	}
}

func TestRedis(t *testing.T) { dispatchtest.Run(t, redisPlace(redistest.Start(t).URL())) }

func TestRedisCluster(t *testing.T) { dispatchtest.Run(t, redisPlace(redistest.StartCluster(t))) }
