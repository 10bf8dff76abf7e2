package redisclient_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tributary/internal/redisclient"
	"tributary/internal/redisclient/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOneServer(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	start := time.Now()
	if err := client.Get(t.Context(), "k").Err(); err == nil || time.Since(start) > 500*time.Millisecond {
		t.Errorf("a killed server answers %v after %v", err, time.Since(start))
	}
	for range 200 { // more than the pool has places
		client.Get(t.Context(), "k")
	}
	server.Restart()
	if got := client.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("after the restart it holds %q", got)
	}
}

func TestCluster(t *testing.T) {
	client := redistest.Client(t, redistest.StartCluster(t))
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := client.Set(t.Context(), key, key, 0).Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestBadURLsAreNotQuoted(t *testing.T) {
	for _, url := range []string{"", "secret", "http://secret", "redis://u:secret@host:99999999/x", "redis://secret%zz", "redis://u:secret@h/notanumber", "redis://h?addr=b&secret=1"} {
		client, err := redisclient.Open(url)
		if client != nil {
			client.Close()
		}
		if !errors.Is(err, redisclient.ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
