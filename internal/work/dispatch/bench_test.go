package dispatch_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
	"tributary/internal/work/dispatch"
)

// BenchmarkDeliver is what a delivery costs beside its sending, to 1 consumer and to 20.
func BenchmarkDeliver(b *testing.B) {
	for _, consumers := range []int{1, 20} {
		b.Run(fmt.Sprint(consumers), func(b *testing.B) {
			b.Run("sqlite", func(b *testing.B) { deliver(b, openSQLite(b, filepath.Join(b.TempDir(), "webhooks.db")), consumers) })
			b.Run("redis", func(b *testing.B) { deliver(b, dispatch.NewRedis(redistest.Start(b).Client()), consumers) })
		})
	}
}

func deliver(b *testing.B, store dispatch.Store, consumers int) {
	log, err := event.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "events.db"), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	const most = 500
	for from := 0; from < b.N; from += most {
		batch := make([]event.Event, min(most, b.N-from))
		for i := range batch {
			id := fmt.Sprint("e", from+i)
			batch[i] = event.Event{ID: id, Type: "post.created", Subject: "post/" + id, Version: 1, Time: time.Now().UTC(), Data: []byte(`{"title":"t"}`)}
		}
		if _, err := log.Append(b.Context(), "post", batch); err != nil {
			b.Fatal(err)
		}
	}
	bounds, err := log.Bounds(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for i := range consumers {
		_, err := store.Change(b.Context(), fmt.Sprint("c", i), func(*dispatch.Consumer) (*dispatch.Consumer, error) {
			return &dispatch.Consumer{State: dispatch.Active, LogID: bounds.ID, Config: []byte(`{}`)}, nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	var left atomic.Int64
	left.Store(int64(b.N * consumers))
	delivered := make(chan struct{})
	d := dispatch.New(store, log, func(context.Context, dispatch.Consumer, event.Event, int) dispatch.Result {
		if left.Add(-1) == 0 {
			close(delivered)
		}
		return dispatch.Result{Delivered: true, Status: 204}
	}, dispatch.Options{})
	b.ResetTimer()
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	<-delivered
	cancel()
	<-done
	b.ReportMetric(float64(b.N*consumers)/b.Elapsed().Seconds(), "deliveries/s")
}
