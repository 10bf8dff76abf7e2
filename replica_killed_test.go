package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tributary/internal/event"
)

// resident is a subscriber that stays on one replica until it has to go to the next.
type resident struct {
	follower
	home int
	ends []error // how each line ended; to be read once it does not stay any more
}

// stay hears what comes until ctx ends, on one replica after the other, beginning at home.
func (r *resident) stay(ctx context.Context, urls []string) error {
	for at := r.home; ; at++ {
		err := r.follow(ctx, urls[at%len(urls)], -1, (*line).cut)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errRefused) {
			return err
		}
		r.ends = append(r.ends, err)
		select {
		case <-time.After(10 * time.Millisecond): // who is dead refuses at once
		case <-ctx.Done():
			return nil
		}
	}
}

// residents are subscribers at home on each replica, over both transports, of several topics.
func (c *cluster) residents(t *testing.T) (all []*resident) {
	t.Helper()
	bounds, err := c.log.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for home := range c.urls {
		for _, open := range []opening{overWebsocket, overEvents} {
			for topic, field := range map[string]string{
				"post.added": `postAdded(after: $after) { cursor post { title } }`, "post.added:u1": `postAdded(authorIds: ["user_u1"], after: $after) { cursor at }`,
				"comment.added:p1": `commentAdded(postId: "post_p1", after: $after) { cursor comment { body } }`,
			} {
				all = append(all, &resident{home: home, follower: follower{
					open: open, topic: topic, query: `subscription ($after: String) { x: ` + field + ` }`, cursor: event.Cursor{Log: bounds.ID}.String(),
				}})
			}
		}
	}
	return all
}

// TestAReplicaDiesUnderItsSubscribers kills one of three replicas and asks another to stop, under writes. Whoever was there goes on
// elsewhere and has everything once and in order; whoever was not notices nothing.
func TestAReplicaDiesUnderItsSubscribers(t *testing.T) {
	torture(t)
	c := startCluster(t)
	residents := c.residents(t)
	listening, leave := context.WithCancel(t.Context())
	var staying, writers sync.WaitGroup
	for _, r := range residents {
		staying.Go(func() {
			if err := r.stay(listening, c.urls); err != nil {
				t.Errorf("%s at home on %d: %v", r.topic, r.home, err)
			}
		})
	}
	writing, stop := context.WithCancel(t.Context())
	defer func() { stop(); leave(); writers.Wait(); staying.Wait() }()
	var acknowledged atomic.Int64
	writers.Go(func() { c.write(writing, &acknowledged) })
	hearOn(t, residents, 5)
	c.replicas[0].kill()
	hearOn(t, residents, 5)
	if err := c.replicas[1].command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.replicas[1].command.Wait(); err != nil {
		t.Errorf("asked to stop it ends with %v: %s", err, c.replicas[1].stderr.String())
	}
	hearOn(t, residents, 5)
	stop()
	writers.Wait()
	all := c.settledLog(t, int(acknowledged.Load()))
	for _, r := range residents {
		eventuallySo(t, r.topic+" has its last event", func() bool { return r.position() >= lastOf(all, r.topic) })
	}
	leave()
	staying.Wait()
	for _, r := range residents {
		r.holds(t, all)
		r.endedAsItShould(t)
	}
	t.Logf("%d acknowledged writes, %d events, %d subscribers", acknowledged.Load(), len(all), len(residents))
}

// hearOn waits until everybody has heard so many payloads more.
func hearOn(t *testing.T, residents []*resident, payloads int) {
	t.Helper()
	before := make([]int, len(residents))
	for i, r := range residents {
		before[i] = r.count()
	}
	for i, r := range residents {
		eventuallySo(t, r.topic+" goes on", func() bool { return r.count() >= before[i]+payloads })
	}
}

func eventuallySo(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to that: %s", what)
		}
	}
}

// settledLog is the log once it holds all that was acknowledged; a write that was under way at the end may come in addition.
func (c *cluster) settledLog(t *testing.T, acknowledged int) (all []event.Event) {
	t.Helper()
	eventuallySo(t, "the log has every acknowledged write", func() bool {
		all = wholeLog(t, c.log)
		marked := slices.DeleteFunc(slices.Clone(all), func(e event.Event) bool { return !strings.Contains(string(e.Data), `"mark-`) })
		return len(marked) >= acknowledged
	})
	return all
}

// lastOf is the position of a topic's last event.
func lastOf(log []event.Event, topic string) (position int64) {
	for _, e := range log {
		if slices.Contains(event.Topics(e), topic) {
			position = e.Position
		}
	}
	return position
}

// endedAsItShould holds what each line ended with: that to a dead replica somehow, that to one which stops as the transport has it,
// that to a living one not at all.
func (r *resident) endedAsItShould(t *testing.T) {
	t.Helper()
	want := []int{2, 1, 0}[r.home]
	if len(r.ends) != want {
		t.Errorf("%s at home on %d was disturbed %d times, want %d: %v", r.topic, r.home, len(r.ends), want, r.ends)
		return
	}
	if want == 0 {
		return
	}
	if err := r.ends[want-1]; websocket.CloseStatus(err) != websocket.StatusServiceRestart && !errors.Is(err, io.EOF) {
		t.Errorf("%s at home on %d: the replica that stops ended its line with %v", r.topic, r.home, err)
	}
}
