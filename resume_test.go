package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tributary/internal/demo"
	"tributary/internal/event"
)

// follower hears a subscription over many lines, each behind what the one before has heard last.
type follower struct {
	open  opening
	query string
	topic string // of the events that it should hear of

	mu     sync.Mutex
	cursor string
	got    []int64 // positions in the log
}

// count is how many payloads were heard.
func (f *follower) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// place is the cursor behind the last payload.
func (f *follower) place() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor
}

// position is that of the last event which was heard, 0 before the first.
func (f *follower) position() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.got) == 0 {
		return 0
	}
	return f.got[len(f.got)-1]
}

// follow hears so many payloads on one line, or with -1 what comes for as long as it lasts, and then leaves as told.
func (f *follower) follow(ctx context.Context, base string, payloads int, leave func(*line)) error {
	l, err := f.open(ctx, base, f.query, f.place())
	if err != nil {
		return err
	}
	defer leave(l)
	for n := 0; n != payloads; n++ {
		h, err := l.next()
		if err != nil {
			return err
		}
		at, err := event.ParseCursor(h.cursor)
		if err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
		f.mu.Lock()
		f.cursor, f.got = h.cursor, append(f.got, at.Position)
		f.mu.Unlock()
	}
	return nil
}

// holds compares what was heard with the log: everything of the topic, once, in its order.
func (f *follower) holds(t *testing.T, log []event.Event) {
	t.Helper()
	var want []int64
	for _, e := range log {
		if slices.Contains(event.Topics(e), f.topic) {
			want = append(want, e.Position)
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: nothing has happened", f.topic)
	}
	for i := range max(len(want), len(f.got)) {
		if i >= len(want) || i >= len(f.got) || f.got[i] != want[i] {
			t.Errorf("%s: payload %d of %d is that of event %v, and there are %d events: %v", f.topic, i, len(f.got), f.got[min(i, len(f.got)):min(i+3, len(f.got))], len(want), want[min(i, len(want)):min(i+3, len(want))])
			return
		}
	}
}

// wholeLog reads a log from its first event.
func wholeLog(t *testing.T, log event.Log) (all []event.Event) {
	t.Helper()
	for {
		page, err := log.Read(t.Context(), int64(len(all)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// TestNothingIsLostOverAThousandDisconnects has subscribers over both transports leave and come back at random, while events come,
// and compares what each has heard in all with the log.
func TestNothingIsLostOverAThousandDisconnects(t *testing.T) {
	torture(t)
	const disconnects, seed = 1000, 17
	secret := bytes.Repeat([]byte("s"), 32)
	dir, d := t.TempDir(), startDemo(t, seededDir(t))
	args := []string{"--addr", "127.0.0.1:0", "--data-dir", dir, "--log-level", "error", "--limit-ip-points", "1000000000", "--limit-ip-requests", "0",
		"--events-follower-secrets", "whsec_" + base64.StdEncoding.EncodeToString(secret)}
	for _, service := range demo.Services() {
		args = append(args, "--"+service+"-url", d.URL(service))
	}
	p := start(t, args...)
	log, err := event.OpenSQLite(t.Context(), filepath.Join(dir, "events.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	bounds, err := log.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var followers []*follower
	for _, open := range []opening{overWebsocket, overEvents} {
		for _, user := range []string{"u1", "u1", "u2", "u3"} {
			followers = append(followers, &follower{
				open: open, topic: "follower.added:" + user, cursor: event.Cursor{Log: bounds.ID}.String(),
				query: `subscription ($after: String) { x: followerAdded(userId: "user_` + user + `", after: $after) { cursor user { handle } } }`,
			})
		}
	}
	var disconnected, head, replays atomic.Int64
	var wandering sync.WaitGroup
	for i, f := range followers {
		wandering.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for disconnected.Add(1) <= disconnects {
				if f.position() < head.Load() {
					replays.Add(1)
				}
				if err := f.wander(t.Context(), p.url, random); err != nil {
					t.Errorf("%s: %v", f.topic, err)
					return
				}
			}
		})
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		wandering.Wait()
	}()
	o := &owner{secret: secret, random: rand.New(rand.NewPCG(seed, 99))}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for on := true; on; {
		if err := o.deliver(t.Context(), client, p.url, o.batch(4)); err != nil {
			t.Fatal(err)
		}
		head.Store(int64(o.sequence))
		select {
		case <-gone:
			on = false
		case <-time.After(2 * time.Millisecond):
		}
	}
	all := wholeLog(t, log)
	for _, f := range followers {
		f.finish(t, p.url, all)
		f.holds(t, all)
	}
	t.Logf("seed %d: %d events, %d subscribers, %d disconnects, after %d of them there was something to replay", seed, len(all), len(followers), disconnects, replays.Load())
}

// wander follows for a few payloads and leaves in one of the ways there are: politely, or without a word, also right after it has
// asked or while more is on its way.
func (f *follower) wander(ctx context.Context, base string, random *rand.Rand) error {
	leave := (*line).cut
	if random.IntN(3) == 0 {
		leave = func(l *line) { l.bye() }
	}
	return f.follow(ctx, base, random.IntN(8), leave)
}

// finish hears the rest, up to the last event that is in the log.
func (f *follower) finish(t *testing.T, base string, log []event.Event) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.follow(ctx, base, -1, (*line).cut) }()
	eventuallySo(t, f.topic+" has its last event", func() bool { return f.position() >= lastOf(log, f.topic) })
	cancel()
	if err := <-ended; errors.Is(err, errRefused) {
		t.Errorf("%s: %v", f.topic, err)
	}
}
