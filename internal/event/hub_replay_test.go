package event

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"tributary/internal/redisclient/redistest"
)

// TestReplayIsTrimmed: the log loses what a subscription was about to read.
func TestReplayIsTrimmed(t *testing.T) {
	l := newTape()
	for range 10 {
		l.write(t, slices.Repeat([]string{"a"}, 100)...)
	}
	h := run(t, NewHub(l, HubOptions{}))
	s := subscribe(t, h, &Cursor{Log: "tape"}, 10, TopicAll)
	positions(t, s, 10)
	if got := s.Bookmark().Position; got != 10 {
		t.Fatal(got)
	}
	l.with(func() { l.first = 900 })
	positions(t, s, replayPage-10)
	if _, err := s.Next(t.Context()); !errors.Is(err, ErrCursor) {
		t.Fatal(err)
	}
}

// TestReplayReadsAtItsOwnPace: a long replay ends nobody as slow, however much happens meanwhile, and reads the log by pages; a
// log that fails under it is asked again.
func TestReplayReadsAtItsOwnPace(t *testing.T) {
	l := newTape()
	l.write(t, slices.Repeat([]string{"a"}, 1000)...)
	h := run(t, NewHub(l, HubOptions{}))
	tail := subscribe(t, h, nil, 5000, TopicAll)
	s := subscribe(t, h, &Cursor{Log: "tape"}, 1, TopicAll)
	positions(t, s, 1)
	l.write(t, slices.Repeat([]string{"a"}, 500)...)
	positions(t, tail, 500)
	positions(t, s, replayPage-1)
	l.with(func() { l.broken = errors.New("down") })
	if _, err := s.Next(t.Context()); err == nil || errors.Is(err, ErrCursor) {
		t.Fatal(err)
	}
	l.with(func() { l.broken = nil })
	got := positions(t, s, 1500-replayPage)
	if got[0] != replayPage+1 || got[len(got)-1] != 1500 || len(s.buffer) > 0 {
		t.Fatal(got[0], got[len(got)-1])
	}
}

// TestSlowWhileReplaying: a buffer that overflows during the last page of a replay ends the subscription only behind that page.
func TestSlowWhileReplaying(t *testing.T) {
	l := newTape()
	l.write(t, "a", "a", "a")
	h := run(t, NewHub(l, HubOptions{}))
	s := subscribe(t, h, &Cursor{Log: "tape"}, 2, TopicAll)
	tail := subscribe(t, h, nil, 10, TopicAll)
	l.write(t, "a", "a", "a")
	positions(t, tail, 3)
	if got := positions(t, s, 5); !slices.Equal(got, []int64{1, 2, 3, 4, 5}) {
		t.Fatal(got)
	}
	_, err := s.Next(t.Context())
	if end, ok := errors.AsType[*SlowError](err); !ok || end.Cursor.Position != 5 {
		t.Fatal(err)
	}
}

// resumer follows a topic over many subscriptions, on any of several hubs, and leaves at random: by its cursor, by a bookmark, or
// because it was too slow.
type resumer struct {
	hubs  []*Hub
	topic string
	dice  *rand.Rand
	at    Cursor
	got   []int64
	times int
}

// once subscribes, takes a few events, and goes. It returns whether it has seen the event at the end.
func (r *resumer) once(ctx context.Context, end int64) (bool, error) {
	r.times++
	s, err := r.hubs[r.dice.IntN(len(r.hubs))].Subscribe(ctx, []string{r.topic}, &r.at, 1+r.dice.IntN(20))
	if err != nil {
		return false, err
	}
	defer s.Close()
	for range r.dice.IntN(20) {
		e, err := s.Next(ctx)
		if slow, ok := errors.AsType[*SlowError](err); ok {
			r.at = slow.Cursor
			return false, nil
		}
		if err != nil {
			return false, err
		}
		r.got = append(r.got, e.Position)
		r.at.Position = e.Position
		if e.Position == end {
			return true, nil
		}
	}
	if r.dice.IntN(2) == 0 {
		r.at = s.Bookmark()
	}
	return false, nil
}

// TestResume disconnects at random, more than 1,000 times in memory, under a stream of events on two hubs of one log: what each subscriber has
// got over all its connections is what the log has for it, each event once and in order.
func TestResume(t *testing.T) {
	t.Run("memory", func(t *testing.T) { resume(t, newTape(), 4000, 8, 1000) })
	t.Run("sqlite", func(t *testing.T) {
		l, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "events.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		resume(t, l, 1500, 12, 300)
	})
	t.Run("redis", func(t *testing.T) {
		server := redistest.Start(t)
		l := NewRedis(server.Client(), server.Client())
		t.Cleanup(func() { l.Close() })
		resume(t, l, 1500, 12, 300)
	})
}

func resume(t *testing.T, l Log, end int64, batch, least int) {
	hubs := []*Hub{run(t, NewHub(l, HubOptions{})), run(t, NewHub(l, HubOptions{}))}
	subscribe(t, hubs[0], nil, 1, "none") // both have found the log at its beginning
	subscribe(t, hubs[1], nil, 1, "none")
	bounds, err := l.Bounds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { stream(t, l, end, batch) })
	var readers []*resumer
	for i, topic := range []string{TopicAll, "post.added:0", "post.added", "post.added:0"} {
		r := &resumer{hubs: hubs, topic: topic, dice: rand.New(rand.NewPCG(2, uint64(i))), at: Cursor{Log: bounds.ID}}
		readers = append(readers, r)
		work.Go(func() {
			for done := false; !done; {
				var err error
				if done, err = r.once(t.Context(), end); err != nil {
					t.Errorf("%s: %v", topic, err)
					return
				}
			}
		})
	}
	work.Wait()
	total := 0
	for _, r := range readers {
		if want := concerning(t, l, r.topic); !slices.Equal(r.got, want) {
			t.Errorf("%s: got %d events of %d", r.topic, len(r.got), len(want))
		}
		total += r.times
	}
	if total < least {
		t.Errorf("only %d connections", total)
	}
	t.Log(total, "connections")
}

// stream appends events up to a position, in batches of random size, the last of each by author 0.
func stream(t *testing.T, l Log, end int64, batch int) {
	dice := rand.New(rand.NewPCG(1, 1))
	for n := int64(0); n < end; {
		events := make([]Event, min(1+dice.Int64N(int64(batch)), end-n))
		for i := range events {
			n++
			id, author := strconv.FormatInt(n, 10), dice.IntN(3)
			if i == len(events)-1 {
				author = 0
			}
			events[i] = Event{ID: id, Source: "post", Sequence: n, Type: "post.published", Subject: "post/" + id, Version: 1,
				Time: time.Unix(n, 0).UTC(), Data: fmt.Appendf(nil, `{"authorId":"%d"}`, author)}
		}
		if _, err := l.Append(t.Context(), "post", events); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(50 * time.Microsecond) // a stream, not a flood
	}
}

// concerning reads from the log what a subscriber to a topic should have got.
func concerning(t *testing.T, l Log, topic string) (want []int64) {
	t.Helper()
	for after := int64(0); ; after += 500 {
		page, err := l.Read(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if slices.Contains(Topics(e), topic) {
				want = append(want, e.Position)
			}
		}
		if len(page) < 500 {
			return want
		}
	}
}

// BenchmarkFan is one event to 10,000 subscribers of one topic, and what they take of it.
func BenchmarkFan(b *testing.B) {
	l := newTape()
	h := NewHub(l, HubOptions{})
	h.logID, h.found = l.id, true
	close(h.started)
	var all []*Subscription
	for range 10_000 {
		s, err := h.Subscribe(b.Context(), []string{"post.added:a"}, nil, 256)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	position := int64(0)
	for b.Loop() {
		position++
		h.fan(&Event{Position: position, Type: "post.published", Subject: "post/1", Data: []byte(`{"authorId":"a"}`)})
		for _, s := range all {
			s.take()
		}
	}
}
