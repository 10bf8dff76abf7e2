package event_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
)

// eachLog runs a benchmark over both logs.
func eachLog(b *testing.B, bench func(b *testing.B, log event.Log)) {
	b.Run("sqlite", func(b *testing.B) {
		log := openSQLite(b, filepath.Join(b.TempDir(), "events.db"))
		defer log.Close()
		bench(b, log)
	})
	b.Run("redis", func(b *testing.B) { bench(b, openRedis(b, redistest.Start(b).URL())) })
}

// batchOf makes a batch of new subjects with data of 540 bytes.
func batchOf(round, n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		id := fmt.Sprintf("%d-%d", round, i)
		batch[i] = event.Event{
			ID: id, Type: "post.created", Subject: "post/" + id, Version: 1, Time: time.Now(), Actor: "u1",
			Data: fmt.Appendf(nil, `{"body":"%0530d"}`, i),
		}
	}
	return batch
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			eachLog(b, func(b *testing.B, log event.Log) {
				for round := 0; b.Loop(); round++ {
					if _, err := log.Append(b.Context(), "post", batchOf(round, n)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkRead500(b *testing.B) {
	eachLog(b, func(b *testing.B, log event.Log) {
		if _, err := log.Append(b.Context(), "post", batchOf(0, 500)); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if events, err := log.Read(b.Context(), 0, 500); err != nil || len(events) != 500 {
				b.Fatal(len(events), err)
			}
		}
	})
}
