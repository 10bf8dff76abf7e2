package event_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/event"
	"tributary/internal/event/eventtest"
	"tributary/internal/redisclient"
	"tributary/internal/redisclient/redistest"
)

// redisPlace empties the server behind a URL and opens logs on it, each with clients of its own.
func redisPlace(url string) func(t *testing.T) eventtest.Open {
	return func(t *testing.T) eventtest.Open {
		flush(t, redistest.Client(t, url))
		return func(t *testing.T) (event.Log, event.Keeper) {
			log := openRedis(t, url)
			return log, log
		}
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

// openRedis opens a log that is closed with the test.
func openRedis(t testing.TB, url string) *event.Redis {
	t.Helper()
	var clients [2]redis.UniversalClient
	for i := range clients {
		client, err := redisclient.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		clients[i] = client
	}
	log := event.NewRedis(clients[0], clients[1])
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		for _, client := range clients {
			_ = client.Close()
		}
	})
	return log
}

func TestRedis(t *testing.T) { eventtest.Run(t, redisPlace(redistest.Start(t).URL())) }

func TestRedisCluster(t *testing.T) { eventtest.Run(t, redisPlace(redistest.StartCluster(t))) }

// TestRedisForgets looks for what was redacted in all keys.
func TestRedisForgets(t *testing.T) {
	server := redistest.Start(t)
	log, client := openRedis(t, server.URL()), server.Client()
	rememberSecret(t, log)
	if !strings.Contains(dump(t, client), secret) {
		t.Fatal("the keys do not have the secret: the test looks in the wrong place")
	}
	if err := log.Redact(t.Context(), "user/secret"); err != nil {
		t.Fatal(err)
	}
	after := dump(t, client)
	if strings.Contains(after, secret) {
		t.Error("the keys still have the secret")
	}
	if !strings.Contains(after, "plain@example.org") || !strings.Contains(after, "user/secret") {
		t.Error("more than the subject's data was redacted")
	}
}

// dump is the text of all keys and their values. All have the hash tag.
func dump(t *testing.T, client redis.UniversalClient) string {
	t.Helper()
	var b strings.Builder
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if !strings.HasPrefix(key, "{ev}:") {
			t.Errorf("key %s is elsewhere", key)
		}
		var values any
		switch kind := client.Type(t.Context(), key).Val(); kind {
		case "hash":
			values = client.HGetAll(t.Context(), key).Val()
		case "set":
			values = client.SMembers(t.Context(), key).Val()
		case "zset":
			values = client.ZRange(t.Context(), key, 0, -1).Val()
		case "stream":
			values = client.XRange(t.Context(), key, "-", "+").Val()
		default:
			t.Errorf("key %s is a %s", key, kind)
		}
		b.WriteString(fmt.Sprintln(key, values))
	}
	return b.String()
}

// TestRedisKnowsOldEvents has the ids leave their index and the same events come again.
func TestRedisKnowsOldEvents(t *testing.T) {
	server := redistest.Start(t)
	log, client := openRedis(t, server.URL()), server.Client()
	log.SetIDsKept(time.Hour)
	age := func(by time.Duration) { // as if the index had been begun that long ago
		t.Helper()
		since, err := client.HGet(t.Context(), "{ev}:log", "ids since").Int64()
		if err != nil {
			t.Fatal(err)
		}
		client.HSet(t.Context(), "{ev}:log", "ids since", since-by.Microseconds())
	}
	appendAt := func(id, subject string, version int64) error {
		e := event.Event{ID: id, Type: "user.updated", Subject: subject, Version: version, Data: []byte("{}")}
		_, err := log.Append(t.Context(), "user", []event.Event{e})
		return err
	}
	for version := int64(1); version <= 3; version++ {
		if err := appendAt(strconv.FormatInt(version, 10), "user/a", version); err != nil {
			t.Fatal(err)
		}
		age(time.Hour)
	}
	if got, want := client.SMembers(t.Context(), "{ev}:ids").Val(), "user/3"; len(got) != 1 || got[0] != want {
		t.Errorf("the index has %v", got)
	}
	if got, want := client.SMembers(t.Context(), "{ev}:ids:old").Val(), "user/2"; len(got) != 1 || got[0] != want {
		t.Errorf("the former index has %v", got)
	}
	for version := int64(1); version <= 3; version++ {
		if err := appendAt(strconv.FormatInt(version, 10), "user/a", version); err != nil {
			t.Errorf("version %d came again: %v", version, err)
		}
	}
	if err := appendAt("10", "user/a", 1); err == nil {
		t.Error("another id of a version that is taken was skipped")
	}
	if bounds, err := log.Bounds(t.Context()); err != nil || bounds.Last != 3 {
		t.Errorf("got %+v, %v", bounds, err)
	}
}

// TestRedisTellsOfLostEvents has Redis come back without its last events, as a crash with appendfsync everysec leaves it.
func TestRedisTellsOfLostEvents(t *testing.T) {
	server := redistest.Start(t)
	log, client := openRedis(t, server.URL()), server.Client()
	for version := int64(1); version <= 3; version++ {
		e := event.Event{ID: strconv.FormatInt(version, 10), Type: "user.updated", Subject: "user/a", Version: version}
		if _, err := log.Append(t.Context(), "user", []event.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	client.HSet(t.Context(), "{ev}:log", "last", 2)
	client.XDel(t.Context(), "{ev}:stream", "3-0")
	if err := log.Wait(t.Context(), 3); err != nil {
		t.Error(err)
	}
	if events, err := log.Read(t.Context(), 3, 10); err == nil {
		t.Errorf("a reader of what was lost got %v", events)
	}
}
