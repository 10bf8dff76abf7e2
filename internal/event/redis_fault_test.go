package event_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tributary/internal/event"
	"tributary/internal/redisclient/redistest"
)

// TestRedisKilled kills the server under writers that repeat what was not answered. All that was answered is there afterwards,
// once and in order.
func TestRedisKilled(t *testing.T) {
	server := redistest.Start(t)
	log := openRedis(t, server.URL())
	const writers, kills = 4, 3
	stop := make(chan struct{})
	acknowledged := make([]int64, writers) // versions
	var wg sync.WaitGroup
	steps := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for version := int64(1); ; {
				select {
				case <-stop:
					return
				default:
				}
				e := event.Event{
					ID: fmt.Sprintf("%d-%d", w, version), Sequence: version, Type: "user.updated",
					Subject: fmt.Sprintf("user/%d", w), Version: version, Data: []byte("{}"),
				}
				if _, err := log.Append(t.Context(), "user", []event.Event{e}); err != nil {
					time.Sleep(time.Millisecond) // the server is down
					continue
				}
				acknowledged[w] = version
				version++
				select {
				case steps <- struct{}{}:
				default:
				}
			}
		})
	}
	for range kills {
		for range 50 {
			<-steps
		}
		server.Kill()
		server.Restart()
	}
	for range 50 {
		<-steps
	}
	close(stop)
	wg.Wait()
	checkLog(t, log, acknowledged)
}

// checkLog sees that subject user/i has versions 1 to acknowledged[i], and at most one more, whose answer was lost.
func checkLog(t *testing.T, log event.Log, acknowledged []int64) {
	t.Helper()
	var position int64
	versions := make([]int64, len(acknowledged))
	for {
		events, err := log.Read(t.Context(), position, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			var w int
			if _, err := fmt.Sscanf(e.Subject, "user/%d", &w); err != nil {
				t.Fatal(err)
			}
			position++
			versions[w]++
			if e.Position != position || e.Version != versions[w] || e.ID != fmt.Sprintf("%d-%d", w, e.Version) {
				t.Fatalf("at %d stands %+v", position, e)
			}
		}
	}
	for w, want := range acknowledged {
		if got := versions[w]; got < want || got > want+1 {
			t.Errorf("writer %d: %d events were acknowledged, %d are there", w, want, got)
		}
	}
	t.Logf("%d events, acknowledged %v", position, acknowledged)
}

// TestRedisDown holds calls without a server to failing soon, and the log to going on when it is back.
func TestRedisDown(t *testing.T) {
	server := redistest.Start(t)
	log := openRedis(t, server.URL())
	e := event.Event{ID: "1", Type: "user.updated", Subject: "user/a", Version: 1}
	if _, err := log.Append(t.Context(), "user", []event.Event{e}); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- log.Wait(t.Context(), 1) }()
	server.Kill()
	start := time.Now()
	_, appendErr := log.Append(t.Context(), "user", []event.Event{e})
	_, readErr := log.Read(t.Context(), 0, 1)
	_, subjectErr := log.ReadSubject(t.Context(), "user/a", 0, 0, 1, false)
	_, boundsErr := log.Bounds(t.Context())
	_, liveErr := log.Live(t.Context())
	for call, err := range map[string]error{
		"append": appendErr, "read": readErr, "subject": subjectErr, "bounds": boundsErr, "live": liveErr, "wait": <-waiting,
		"redact": log.Redact(t.Context(), "user/a"), "trim": log.Trim(t.Context(), start),
	} {
		if err == nil {
			t.Errorf("%s succeeds without a server", call)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v to learn that the server is down", took)
	}
	server.Restart()
	if events, err := log.Read(t.Context(), 0, 10); err != nil || len(events) != 1 {
		t.Errorf("after the restart: %v, %v", events, err)
	}
}
