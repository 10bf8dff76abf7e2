package eventtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"tributary/internal/event"
)

func waits(l *log) {
	l.mustAppend(history("post/a", 1, 2)...)
	for _, after := range []int64{0, 1} {
		if err := l.Wait(l.Context(), after); err != nil {
			l.Errorf("wait after %d: %v", after, err)
		}
	}
	// Three readers follow a writer, one of them through a handle of its own, as another replica would.
	other := &log{T: l.T}
	other.Log, other.Keeper = l.open(l.T)
	ctx, cancel := context.WithTimeout(l.Context(), 20*time.Second)
	defer cancel()
	const last = 40
	var wg sync.WaitGroup
	for _, reader := range []event.Log{l.Log, l.Log, other.Log} {
		wg.Go(func() {
			for at := int64(0); at < last; {
				if err := reader.Wait(ctx, at); err != nil {
					l.Errorf("wait after %d: %v", at, err)
					return
				}
				events, err := reader.Read(ctx, at, 3)
				if err != nil {
					l.Errorf("read after %d: %v", at, err)
					return
				}
				for _, e := range events {
					if at++; e.Position != at {
						l.Errorf("%d follows %d", e.Position, at-1)
					}
				}
			}
		})
	}
	for version := int64(3); version <= last; version++ {
		l.mustAppend(history("post/a", version, version)...)
	}
	wg.Wait()
	if err := other.Keeper.Close(); err != nil {
		l.Error(err)
	}
}

// heedsContext holds calls to ending with their context.
func heedsContext(l *log) {
	l.mustAppend(history("post/a", 1, 1)...)
	ctx, cancel := context.WithCancel(l.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Wait(ctx, 1) }()
	select {
	case err := <-ended:
		l.Fatalf("there is nothing to wait for, but it ended with %v", err)
	case <-time.After(1200 * time.Millisecond): // longer than one blocked read
	}
	start := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(start) > 200*time.Millisecond {
		l.Errorf("a cancelled wait ends with %v after %v", err, time.Since(start))
	}
	_, appendErr := l.Append(ctx, "post", history("post/a", 2, 2))
	_, readErr := l.Read(ctx, 0, 1)
	_, subjectErr := l.ReadSubject(ctx, "post/a", 0, 0, 1, false)
	for call, err := range map[string]error{"append": appendErr, "read": readErr, "subject": subjectErr, "wait": l.Wait(ctx, 1)} {
		if !errors.Is(err, context.Canceled) {
			l.Errorf("%s of a cancelled context: %v", call, err)
		}
	}
	l.want(l.all(), history("post/a", 1, 1)...)
}

func trims(l *log) {
	start := time.Now()
	l.trim(start) // of nothing
	l.mustAppend(history("post/a", 1, 7)...)
	cut := l.now()
	l.mustAppend(history("post/a", 8, 10)...)
	l.trim(start.Add(-time.Hour))
	if got := l.bounds(); got.First != 1 || got.Last != 10 {
		l.Errorf("nothing is that old, but the log has %+v", got)
	}
	for range 2 {
		l.trim(cut)
		if got := l.bounds(); got.First != 8 || got.Last != 10 {
			l.Errorf("got %+v, want 8 to 10", got)
		}
	}
	l.trim(start) // back in time nothing comes back
	l.trimmed(0, 6)
	l.want(l.read(7, 10), history("post/a", 8, 10)...)
	l.want(l.subject("post/a", 0, 0, 100, false), history("post/a", 1, 10)...)
	l.mustAppend(history("post/a", 1, 2)...) // still known
	l.reopen()
	l.trimmed(0, 6)
	l.trim(l.now())
	if got := l.bounds(); got.First != 11 || got.Last != 10 {
		l.Errorf("got %+v, want 11 to 10", got)
	}
	l.trimmed(0, 7, 9)
	l.want(l.read(10, 10))
	l.mustAppend(history("post/a", 11, 11)...)
	if got := l.read(10, 10); len(got) != 1 || got[0].Position != 11 {
		l.Errorf("behind the trimmed ones stands %s", ids(got))
	}
	l.trimmed(9)
}

// now is a time by which everything so far was recorded and nothing after is: clocks have a resolution.
func (l *log) now() time.Time {
	cut := time.Now()
	for time.Since(cut) < 10*time.Microsecond {
		continue
	}
	return cut
}

func (l *log) trim(before time.Time) {
	l.Helper()
	if err := l.Trim(l.Context(), before); err != nil {
		l.Fatalf("trim: %v", err)
	}
}

// trimmed holds positions to being told as trimmed, at once also by Wait.
func (l *log) trimmed(positions ...int64) {
	l.Helper()
	for _, after := range positions {
		if events, err := l.Read(l.Context(), after, 5); !errors.Is(err, event.ErrTrimmed) {
			l.Errorf("read after %d: %s, %v", after, ids(events), err)
		}
		if err := l.Wait(l.Context(), after); err != nil {
			l.Errorf("wait after %d: %v", after, err)
		}
	}
}

func redacts(l *log) {
	batch := append(history("user/a", 1, 3), history("user/b", 1, 1)...)
	l.mustAppend(batch...)
	for range 2 {
		for _, subject := range []string{"user/a", "user/none"} {
			if err := l.Redact(l.Context(), subject); err != nil {
				l.Fatal(err)
			}
		}
	}
	for i := range 3 {
		batch[i].Data, batch[i].Actor = nil, ""
	}
	l.want(l.all(), batch...)
	l.want(l.subject("user/a", 0, 0, 10, false), batch[:3]...)
	l.mustAppend(history("user/a", 2, 4)...) // of which two are known: they do not come back
	l.want(l.subject("user/a", 0, 0, 10, false), append(batch[:3:3], history("user/a", 4, 4)...)...)
}

func hearsSources(l *log) {
	live := func() map[string]time.Time {
		l.Helper()
		live, err := l.Live(l.Context())
		if err != nil {
			l.Fatal(err)
		}
		return live
	}
	if got := live(); len(got) != 0 {
		l.Errorf("an empty log heard of %v", got)
	}
	hear := func(source string, batch ...event.Event) {
		l.Helper()
		before := time.Now()
		if _, err := l.Append(l.Context(), source, batch); err != nil {
			l.Fatal(err)
		}
		// A server's clock is told from another process', as exactly as its answer is fast.
		if at := live()[source]; at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			l.Errorf("%s was heard of at %v, not behind %v", source, at, before)
		}
	}
	hear("user")
	hear("post", history("post/a", 1, 1)...)
	first := live()["post"]
	for start := time.Now(); !live()["post"].After(first.Add(50 * time.Millisecond)); {
		if time.Since(start) > 5*time.Second {
			l.Fatalf("heartbeats are not heard: the last was at %v", first)
		}
		hear("post")
	}
	hear("post", history("post/a", 1, 1)...) // nothing new, but a sign of life
	if got := live(); len(got) != 2 || got["post"].Before(first) {
		l.Errorf("it heard of %v", got)
	}
}
