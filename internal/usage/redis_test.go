package usage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"tributary/internal/redisclient/redistest"
	"tributary/internal/usage"
)

// TestReplicasCountTogether over one Redis, and over a cluster.
func TestReplicasCountTogether(t *testing.T) {
	clients := map[string]redis.UniversalClient{
		"one": redistest.Start(t).Client(), "cluster": redistest.Client(t, redistest.StartCluster(t)),
	}
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			c := &clock{at: noon}
			a, b := usage.New(usage.NewRedis(client), c.now), usage.New(usage.NewRedis(client), c.now)
			a.Note(web("1.0"), 1, []string{"User.a", "User.b(x:)"})
			if err := a.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.pass(time.Minute)
			b.Note(web("2.0"), 1, []string{"User.a"})
			b.Note(usage.Caller{KeyID: "k1", KeyName: "the reports"}, 2, []string{"User.b(x:)"})
			want := []usage.Row{
				{Use: usage.Use{Coordinate: "User.a", Version: 1, Client: "web"}, ClientVersion: "2.0", Count: 2, First: noon, Last: noon.Add(time.Minute)},
				{Use: usage.Use{Coordinate: "User.b(x:)", Version: 1, Client: "web"}, ClientVersion: "1.0", Count: 1, First: noon, Last: noon},
				{Use: usage.Use{Coordinate: "User.b(x:)", Version: 2, Client: "key the reports"}, Count: 1, First: noon.Add(time.Minute), Last: noon.Add(time.Minute)},
			}
			wantRows(t, b, want...)
			wantRows(t, a, want...)
			for _, key := range []string{"counts", "first", "last", "versions"} {
				if left, err := client.TTL(t.Context(), "{usage}:"+key).Result(); err != nil || left > usage.KeepFor || left < usage.KeepFor-time.Minute {
					t.Errorf("%s is kept for %v, %v", key, left, err)
				}
			}
			c.pass(usage.KeepFor)
			wantRows(t, a, want[0], want[2])
			c.pass(time.Second)
			a.Note(web(""), 1, []string{"User.c"})
			if rows := top(t, a, 10); len(rows) != 1 || rows[0].Coordinate != "User.c" {
				t.Errorf("%+v", rows)
			}
			for _, key := range []string{"counts", "first"} {
				if n, err := client.HLen(t.Context(), "{usage}:"+key).Result(); err != nil || n != 1 {
					t.Errorf("%d outdated %s stay, %v", n-1, key, err)
				}
			}
		})
	}
}

// TestABatchCountsOnce although it is sent again, because nobody knows whether it arrived.
func TestABatchCountsOnce(t *testing.T) {
	table := usage.New(usage.NewRedis(redistest.Start(t).Client()), time.Now)
	table.Note(web(""), 1, []string{"User.a"})
	if err := table.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	table.Note(web(""), 1, []string{"User.a"})
	if rows := top(t, table, 10); len(rows) != 1 || rows[0].Count != 2 {
		t.Errorf("%+v", rows)
	}
}

// TestWhileRedisIsDown what is counted stays, and is told of later.
func TestWhileRedisIsDown(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	table := usage.New(usage.NewRedis(client), time.Now)
	note := func() { table.Note(web(""), 1, []string{"User.a"}) }
	note()
	if err := table.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for range 2 {
		note()
		if _, err := table.Top(t.Context(), 1); !errors.Is(err, usage.ErrUnavailable) {
			t.Errorf("without Redis: %v", err)
		}
	}
	note()
	server.Restart()
	if rows := top(t, table, 10); len(rows) != 1 || rows[0].Count != 4 {
		t.Errorf("%+v", rows)
	}
}

// TestTheSharedTableIsBounded: in a full one all clients of what is new are one.
func TestTheSharedTableIsBounded(t *testing.T) {
	shared := usage.NewRedis(redistest.Start(t).Client())
	shared.SetLimit(3)
	table := usage.New(shared, time.Now)
	for i := range 6 {
		table.Note(usage.Caller{Client: fmt.Sprint("c", i)}, 1, []string{"User.a"})
		if err := table.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if rows := top(t, table, 10); len(rows) != 4 || rows[0].Client != "other" || rows[0].Count != 3 {
		t.Errorf("%+v", rows)
	}
}

// TestRunTellsWhatIsLeft when it ends.
func TestRunTellsWhatIsLeft(t *testing.T) {
	client := redistest.Start(t).Client()
	table, other := usage.New(usage.NewRedis(client), time.Now), usage.New(usage.NewRedis(client), time.Now)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- table.Run(ctx) }()
	table.Note(web(""), 1, []string{"User.a"})
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if rows := top(t, other, 10); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
}

// TestManyRowsAtOnce are several batches.
func TestManyRowsAtOnce(t *testing.T) {
	client := redistest.Start(t).Client()
	table := usage.New(usage.NewRedis(client), time.Now)
	for i := range 2500 {
		table.Note(web(""), 1, []string{fmt.Sprint("User.f", i)})
	}
	if rows := top(t, table, 10_000); len(rows) != 2500 {
		t.Errorf("%d rows", len(rows))
	}
}
