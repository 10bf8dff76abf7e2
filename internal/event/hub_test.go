package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTopics(t *testing.T) {
	for _, c := range []struct {
		kind, subject, data string
		want                []string
	}{
		{"user.created", "user/1", `{}`, []string{"*", "entity:user/1"}},
		{"post.created", "post/1", `{"authorId":"a","status":"draft"}`, []string{"*", "entity:post/1"}},
		{"post.created", "post/1", `{"authorId":"a","status":"published"}`, []string{"*", "entity:post/1", "post.added", "post.added:a"}},
		{"post.published", "post/1", `{"authorId":"a"}`, []string{"*", "entity:post/1", "post.added", "post.added:a"}},
		{"post.published", "post/1", ``, []string{"*", "entity:post/1", "post.added"}},
		{"post.restored", "post/1", `{"authorId":"a","status":"published"}`, []string{"*", "entity:post/1"}},
		{"post.updated", "post/1", `{"authorId":"a","status":"published"}`, []string{"*", "entity:post/1"}},
		{"post.snapshot", "post/1", `{"authorId":"a","status":"published"}`, []string{"*"}},
		{"comment.created", "comment/1", `{"postId":"p"}`, []string{"*", "entity:comment/1", "comment.added:p"}},
		{"comment.deleted", "comment/1", `{"postId":"p"}`, []string{"*", "entity:comment/1"}},
		{"follower.added", "follow/a:b", `{"followerId":"a","followeeId":"b"}`, []string{"*", "entity:follow/a:b", "follower.added:b"}},
		{"follower.removed", "follow/a:b", `{"followerId":"a","followeeId":"b"}`, []string{"*", "entity:follow/a:b"}},
	} {
		if got := Topics(Event{Type: c.kind, Subject: c.subject, Data: []byte(c.data)}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.kind, got)
		}
	}
}

// TestHubDeliversToThoseWhoAsked: each once, in order, whatever number of its topics an event has.
func TestHubDeliversToThoseWhoAsked(t *testing.T) {
	l := newTape()
	l.write(t, "a", "b") // before the hub: nobody's
	var delivered, subscriptions atomic.Int64
	h := run(t, NewHub(l, HubOptions{Observer: HubObserver{Delivered: func(n int) { delivered.Add(int64(n)) },
		Subscriptions: func(delta int) { subscriptions.Add(int64(delta)) }}}))
	all := subscribe(t, h, nil, 10, TopicAll, "post.added", "post.added:a")
	a := subscribe(t, h, nil, 10, "post.added:a")
	one := subscribe(t, h, nil, 10, "entity:post/p4", "entity:post/p4")
	nobody := subscribe(t, h, nil, 10, "comment.added:p4")
	l.write(t, "a", "b", "a")
	if got := fmt.Sprint(positions(t, all, 3), positions(t, a, 2), positions(t, one, 1)); got != "[3 4 5] [3 5] [4]" {
		t.Fatal(got)
	}
	if lag, err := h.Lag(t.Context()); lag != 0 || err != nil || h.Position() != 5 || delivered.Load() != 6 {
		t.Fatal(lag, err, h.Position(), delivered.Load())
	}
	if got := nobody.Bookmark(); got != (Cursor{Log: "tape", Position: 5}) {
		t.Fatal("a quiet subscription's bookmark moves on", got)
	}
	all.Close()
	all.Close()
	if _, err := all.Next(t.Context()); err != ErrEnded || subscriptions.Load() != 3 {
		t.Fatal(err, subscriptions.Load())
	}
}

// TestSettled holds that nobody else takes an event for done with until its reader asks for the next.
func TestSettled(t *testing.T) {
	l := newTape()
	h := run(t, NewHub(l, HubOptions{}))
	s := subscribe(t, h, nil, 10, TopicAll)
	l.write(t, "a")
	positions(t, s, 1)
	if cursor, ok := s.Settled(); ok || cursor.Position != 1 {
		t.Fatalf("got %v, %t while the reader is busy with it", cursor, ok)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); err != context.Canceled {
		t.Fatal(err)
	}
	if cursor, ok := s.Settled(); !ok || cursor.Position != 1 {
		t.Fatalf("got %v, %t after the reader has asked for more", cursor, ok)
	}
}

// TestHubTapsFirst: what a tap was told of is ahead of every subscriber, one that replays included.
func TestHubTapsFirst(t *testing.T) {
	l := newTape()
	var tapped atomic.Int64
	held := make(chan struct{})
	h := NewHub(l, HubOptions{})
	h.Tap(func(events []Event) {
		if events[len(events)-1].Position >= 3 {
			<-held
		}
		tapped.Store(events[len(events)-1].Position)
	})
	run(t, h)
	s := subscribe(t, h, nil, 10, TopicAll)
	l.write(t, "a", "b")
	positions(t, s, 2)
	l.write(t, "a")
	behind := subscribe(t, h, &Cursor{Log: "tape"}, 10, TopicAll)
	ahead := subscribe(t, h, &Cursor{Log: "tape", Position: 3}, 10, TopicAll) // of this replica, not of the log
	positions(t, behind, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := behind.Next(ctx); err != context.Canceled || tapped.Load() != 2 {
		t.Fatal("a replay has passed the taps:", e.Position, err)
	}
	if got := ahead.Bookmark().Position; got != 3 {
		t.Fatal("a bookmark fell back behind its cursor:", got)
	}
	close(held)
	l.write(t, "b")
	if got := fmt.Sprint(positions(t, behind, 2), positions(t, ahead, 1)); got != "[3 4] [4]" {
		t.Fatal(got)
	}
}

func TestHubRefusesCursors(t *testing.T) {
	l := newTape()
	l.write(t, "a", "a", "a", "a", "a")
	l.first = 3
	h := run(t, NewHub(l, HubOptions{MaxReplay: 2, MaxSubscriptions: 2, MaxTopics: 2}))
	for name, c := range map[string]struct {
		after Cursor
		good  bool
	}{
		"the end":     {Cursor{"tape", 5}, true},
		"two back":    {Cursor{"tape", 3}, true},
		"three back":  {Cursor{"tape", 2}, false},
		"trimmed":     {Cursor{"tape", 1}, false},
		"the future":  {Cursor{"tape", 6}, false},
		"another log": {Cursor{"other", 5}, false},
		"none":        {Cursor{}, false},
	} {
		s, err := h.Subscribe(t.Context(), []string{TopicAll}, &c.after, 1)
		if (err == nil) != c.good || (err != nil && !errors.Is(err, ErrCursor)) {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			s.Close()
		}
	}
	for _, topics := range [][]string{nil, {"a", "b", "c"}} {
		if _, err := h.Subscribe(t.Context(), topics, nil, 1); err == nil {
			t.Errorf("%v is taken", topics)
		}
	}
	subscribe(t, h, nil, 1, "a")
	subscribe(t, h, nil, 1, "a")
	if _, err := h.Subscribe(t.Context(), []string{"a"}, nil, 1); err != ErrSubscriptions {
		t.Fatal(err)
	}
}

// TestHubEndsTheSlow: with what it had and a cursor behind it; its neighbour notices nothing.
func TestHubEndsTheSlow(t *testing.T) {
	l := newTape()
	var dropped atomic.Int64
	h := run(t, NewHub(l, HubOptions{Observer: HubObserver{Dropped: func() { dropped.Add(1) }}}))
	slow := subscribe(t, h, nil, 3, "post.added:a")
	quick := subscribe(t, h, nil, 100, TopicAll)
	l.write(t, "a", "b", "a", "a", "b", "a", "a")
	positions(t, quick, 7)
	if got := fmt.Sprint(slow.Bookmark().Position, positions(t, slow, 2), slow.Bookmark().Position, positions(t, slow, 1)); got != "0 [1 3] 3 [4]" {
		t.Fatal(got)
	}
	for range 2 {
		_, err := slow.Next(t.Context())
		end, ok := errors.AsType[*SlowError](err)
		if !ok || end.Cursor != (Cursor{"tape", 5}) || dropped.Load() != 1 {
			t.Fatal(err, dropped.Load())
		}
	}
	again := subscribe(t, h, &Cursor{"tape", 5}, 3, "post.added:a")
	if got := positions(t, again, 2); !slices.Equal(got, []int64{6, 7}) {
		t.Fatal(got)
	}
}

func TestHubEnds(t *testing.T) {
	l := newTape()
	h := NewHub(l, HubOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := h.Subscribe(waitNot(t), []string{TopicAll}, nil, 1); err == nil {
		t.Fatal("the hub does not run yet")
	}
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	s := subscribe(t, h, nil, 1, TopicAll)
	cancel()
	if err := <-done; err != context.Canceled {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context()); err != ErrEnded {
		t.Fatal(err)
	}
	if _, err := h.Subscribe(t.Context(), []string{TopicAll}, nil, 1); err != ErrEnded {
		t.Fatal(err)
	}
	l.broken = errors.New("down")
	never := NewHub(l, HubOptions{})
	never.Run(ctx)
	if _, err := never.Subscribe(t.Context(), []string{TopicAll}, nil, 1); err != ErrEnded {
		t.Fatal(err)
	}
}

func waitNot(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestHubSurvivesTheLog: while the log fails the hub tries again, less and less often, and then misses nothing.
func TestHubSurvivesTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTape()
		var failed atomic.Int64
		h := run(t, NewHub(l, HubOptions{Observer: HubObserver{Failed: func() { failed.Add(1) }}}))
		s := subscribe(t, h, nil, 10, TopicAll)
		l.write(t, "a")
		positions(t, s, 1)
		l.with(func() { l.broken = errors.New("down") })
		time.Sleep(20 * time.Second)
		if n := failed.Load(); n < 10 || n > 20 {
			t.Fatal(n, "tries in 20 s")
		}
		l.with(func() { l.broken = nil })
		l.write(t, "a", "b")
		if got := positions(t, s, 2); !slices.Equal(got, []int64{2, 3}) {
			t.Fatal(got)
		}
	})
}

// TestHubLosesTheLog: what cannot be read any more ends everybody, and is told to who relies on the taps.
func TestHubLosesTheLog(t *testing.T) {
	for name, lose := range map[string]func(*tape){
		"trimmed before it was read": func(l *tape) {
			l.events = append(l.events, make([]Event, 5)...)
			l.first = int64(len(l.events)) + 1
		},
		"another log":           func(l *tape) { l.id = "other" },
		"its end":               func(l *tape) { l.events = l.events[:1] },
		"its end, written anew": func(l *tape) { l.events[1].ID = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newTape()
				lost := make(chan struct{}, 1)
				h := run(t, NewHub(l, HubOptions{Observer: HubObserver{Lost: func() { lost <- struct{}{} }}}))
				s := subscribe(t, h, nil, 10, TopicAll)
				l.write(t, "a", "b")
				positions(t, s, 2)
				l.with(func() { lose(l) })
				<-lost
				if _, err := s.Next(t.Context()); !errors.Is(err, ErrCursor) {
					t.Fatal(err)
				}
				next := subscribe(t, h, nil, 10, TopicAll)
				l.with(func() { l.events = append(l.events, Event{Position: int64(len(l.events)) + 1, Subject: "post/z"}) })
				positions(t, next, 1)
			})
		})
	}
}
