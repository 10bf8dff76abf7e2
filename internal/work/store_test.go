package work_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/work"
	"tributary/internal/work/worktest"
)

func TestSQLiteStore(t *testing.T) {
	worktest.Run(t, func(t *testing.T) worktest.Open {
		dir := t.TempDir()
		return func(t *testing.T) work.Store { return openStore(t, dir) }
	})
}

func TestRedisStore(t *testing.T) {
	for name, start := range map[string]func(testing.TB) string{
		"server": func(t testing.TB) string { return redistest.Start(t).URL() }, "cluster": redistest.StartCluster,
	} {
		t.Run(name, func(t *testing.T) {
			url := start(t)
			worktest.Run(t, func(t *testing.T) worktest.Open {
				flush(t, redistest.Client(t, url))
				return func(t *testing.T) work.Store { return work.NewRedis(redistest.Client(t, url)) }
			})
		})
	}
}

func flush(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	err := client.FlushAll(t.Context()).Err()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error { return node.FlushAll(ctx).Err() })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsTakenAwayIsInNoFile looks into the bytes of the store's files.
func TestWhatIsTakenAwayIsInNoFile(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	const mark = "ann@example.org"
	for _, id := range []string{"redacted", "deleted"} {
		r := work.Record{ID: id, Kind: work.Job, Name: "mail.v1", State: work.Completed, CreatedAt: time.Now(), Input: json.RawMessage(`"` + mark + `"`)}
		if r.EndedAt = r.CreatedAt.Add(time.Hour); id == "deleted" {
			r.EndedAt = r.CreatedAt
		}
		if _, _, err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if !inFiles(t, dir, mark) {
		t.Error("it was never there")
	}
	if _, err := s.Update(t.Context(), "redacted", func(r *work.Record) error { r.Input = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Clean(t.Context(), time.Now(), 10); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if inFiles(t, dir, mark) {
		t.Error("it is still there")
	}
}

func inFiles(t *testing.T, dir, mark string) bool {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(mark)) {
			return true
		}
	}
	return false
}
