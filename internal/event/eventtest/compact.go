package eventtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"tributary/internal/event"
)

// at is the time of the event of a version.
func at(version int64) time.Time { return noon.Add(time.Duration(version) * time.Second) }

func (l *log) compact(subject string, before time.Time, want int) {
	l.Helper()
	if n, err := l.Compact(l.Context(), subject, before); err != nil || n != want {
		l.Fatalf("compacting %s replaced %d, %v, want %d", subject, n, err, want)
	}
}

// compacted is what history's events up to a version come to.
func compacted(subject string, version int64) event.Event {
	return event.Event{
		ID: fmt.Sprintf("compacted:%s:%d", subject, version), Source: "post", Type: "post.snapshot", Subject: subject, Version: version, Time: at(version),
		Data: json.RawMessage(fmt.Sprintf(`{"id":"%s-%d","version":%d}`, subject, version, version)),
	}
}

func compacts(l *log) {
	const a, b = "post/a", "post/b"
	l.mustAppend(append(history(a, 1, 7), history(b, 1, 2)...)...)
	cut := l.now()
	l.mustAppend(history(a, 8, 10)...)
	late := at(100)
	l.compact(a, late, 0) // Read has them all
	l.want(l.subject(a, 0, 0, 100, false), history(a, 1, 10)...)
	l.trim(cut)
	before := l.bounds()
	l.compact("post/none", late, 0)
	l.compact(a, at(1).Add(-1), 0)
	l.compact(a, at(5), 5)
	l.compact(a, at(5), 0)
	kept := compacted(a, 5)
	kept.Position = 5
	l.want(l.subject(a, 0, 0, 100, false), append([]event.Event{kept}, history(a, 6, 10)...)...)
	l.compact(a, late, 3) // the snapshot, 6 and 7: Read has 8
	l.compact(a, late, 0)
	kept = compacted(a, 7)
	kept.Position = 7
	for range 2 {
		l.want(l.subject(a, 0, 0, 100, false), append([]event.Event{kept}, history(a, 8, 10)...)...)
		l.want(l.subject(a, 0, 9, 100, true), history(a, 8, 8)[0], kept)
		l.want(l.subject(a, 7, 0, 2, false), history(a, 8, 9)...)
		l.want(l.subject(a, 0, 7, 100, false))
		l.want(l.subject(b, 0, 0, 100, false), history(b, 1, 2)...)
		l.want(l.read(9, 10), history(a, 8, 10)...)
		l.trimmed(0, 4, 6, 8)
		if after := l.bounds(); after != before {
			l.Errorf("the log went from %+v to %+v", before, after)
		}
		if got := fmt.Sprint(l.subjects("", 10)); got != "[post/a post/b]" {
			l.Errorf("the subjects are %s", got)
		}
		l.mustAppend(history(a, 8, 10)...) // still known
		l.mustAppend(compacted(a, 7))
		l.reopen()
	}
	if _, err := l.Append(l.Context(), "post", history(a, 3, 3)); err != nil { // its id may be known or not
		if gap, ok := errors.AsType[*event.GapError](err); !ok || gap.Expected != 11 {
			l.Errorf("an event that was compacted came again: %v", err)
		}
	}
	l.mustRefuse(0, 11, made("other", a, 7))
	l.mustRefuse(0, 11, made("other", a, 12))
	l.mustAppend(history(a, 11, 11)...)
	l.trim(l.now())
	l.compact(a, late, 5)
	l.compact(b, late, 2)
	l.mustAppend(history(a, 12, 12)...)
	l.want(l.subject(a, 0, 0, 100, false), compacted(a, 11), history(a, 12, 12)[0])
	if got := l.read(13, 10); len(got) != 1 || got[0].Position != 14 {
		l.Errorf("behind what was compacted stands %s", ids(got))
	}
}

// compactsWhatEnded goes through what is deleted, redacted, and both.
func compactsWhatEnded(l *log) {
	follow := func(kind string, version int64) event.Event {
		return event.Event{
			ID: fmt.Sprint("f", version), Source: "post", Type: "follower." + kind, Subject: "follow/a:b", Version: version, Time: at(version),
			Actor: "a", Data: json.RawMessage(`{"followerId":"a","followeeId":"b","since":"x"}`),
		}
	}
	gone := func(id, subject string) event.Event {
		e := made(id, subject, 3)
		e.Type = "post.deleted"
		return e
	}
	l.mustAppend(append(history("post/live", 1, 3), follow("added", 1), follow("removed", 2))...)
	l.mustAppend(append(append(history("post/gone", 1, 2), gone("g", "post/gone")), append(history("post/purged", 1, 2), gone("p", "post/purged"))...)...)
	l.trim(l.now())
	redact := func(subject string) {
		l.Helper()
		if err := l.Redact(l.Context(), subject); err != nil {
			l.Fatal(err)
		}
	}
	redact("post/live")
	redact("post/purged")
	for _, subject := range []string{"post/live", "post/gone", "post/purged"} {
		l.compact(subject, at(100), 3)
		l.compact(subject, at(100), 0)
	}
	l.compact("follow/a:b", at(100), 2)
	want := map[string]event.Event{}
	for subject, kind := range map[string]string{"post/live": "post.snapshot", "post/gone": "post.deleted", "post/purged": "post.deleted", "follow/a:b": "follower.removed"} {
		e := compacted(subject, 3)
		if e.Type, e.Data = kind, nil; subject == "follow/a:b" {
			e = event.Event{ID: "compacted:follow/a:b:2", Source: "post", Type: kind, Subject: subject, Version: 2, Time: at(2), Data: json.RawMessage(`{"followeeId":"b","followerId":"a"}`)}
		}
		want[subject] = e
	}
	deleted := want["post/gone"]
	deleted.Data = json.RawMessage(`{"id":"post/gone-2"}`)
	l.want(l.subject("post/gone", 0, 0, 10, false), deleted)
	for _, subject := range []string{"post/live", "post/purged", "follow/a:b"} {
		l.want(l.subject(subject, 0, 0, 10, false), want[subject])
	}
	redact("post/gone")
	l.want(l.subject("post/gone", 0, 0, 10, false), want["post/gone"])
	for _, subject := range []string{"post/gone", "post/purged"} {
		state, err := event.Fold(l.subject(subject, 0, 0, 10, false))
		if err != nil || !state.Deleted || !state.Redacted || state.Version != 3 {
			l.Errorf("%s is %+v, %v", subject, state, err)
		}
	}
	l.mustAppend(made("again", "post/gone", 4))
}

// compactsManyAndBroken takes a long history in several steps, leaves one that does not fold, and one whose clock went back.
func compactsManyAndBroken(l *log) {
	for from := int64(1); from <= 1200; from += 400 {
		l.mustAppend(history("post/long", from, from+399)...)
	}
	broken := history("post/broken", 1, 3)
	broken[1].Data = json.RawMessage(`[]`)
	back := history("post/back", 1, 3)
	back[1].Time = at(500)
	l.mustAppend(append(broken, back...)...)
	l.trim(l.now())
	for _, want := range []int{500, 500, 202, 0} {
		l.compact("post/long", at(2000), want)
	}
	l.want(l.subject("post/long", 0, 0, 10, false), compacted("post/long", 1200))
	if n, err := l.Compact(l.Context(), "post/broken", at(2000)); !errors.Is(err, event.ErrBrokenHistory) || n != 0 {
		l.Errorf("a broken history: %d, %v", n, err)
	}
	l.want(l.subject("post/broken", 0, 0, 10, false), broken...)
	l.compact("post/back", at(400), 1) // not what is older behind what is younger
	l.want(l.subject("post/back", 0, 0, 10, false), append([]event.Event{compacted("post/back", 1)}, back[1:]...)...)
	ctx, cancel := context.WithCancel(l.Context())
	cancel()
	if n, err := l.Compact(ctx, "post/back", at(2000)); !errors.Is(err, context.Canceled) || n != 0 {
		l.Errorf("of a cancelled context: %d, %v", n, err)
	}
}

// compactsBeside appends, trims, compacts and redacts the same subjects at once: nothing is lost, and nothing comes back.
func compactsBeside(l *log) {
	const subjects, versions = 4, 60
	written := make(chan struct{})
	var writers, tenders sync.WaitGroup
	for n := range subjects {
		subject := fmt.Sprintf("post/%d", n)
		writers.Go(func() {
			for version := int64(1); version <= versions; version++ {
				if _, err := l.Append(l.Context(), "post", history(subject, version, version)); err != nil {
					l.Error(err)
				}
			}
		})
		for range 2 {
			tenders.Go(func() {
				for done := false; !done; {
					select {
					case <-written:
						done = true
					default:
					}
					trimErr := l.Trim(l.Context(), time.Now())
					_, compactErr := l.Compact(l.Context(), subject, at(versions))
					state, err := event.Fold(l.subject(subject, 0, 0, 500, false))
					if err := errors.Join(trimErr, compactErr, err); err != nil {
						l.Error(err)
					}
					if want := fmt.Sprintf(`{"id":"%s-%d","version":%d}`, subject, state.Version, state.Version); state.Version > 0 && string(state.JSON) != want {
						l.Errorf("%s is %s", subject, state.JSON)
					}
				}
			})
		}
	}
	writers.Wait()
	close(written)
	tenders.Wait()
	l.trim(l.now())
	for n := range subjects {
		subject := fmt.Sprintf("post/%d", n)
		for n := 1; n > 0; {
			var err error
			if n, err = l.Compact(l.Context(), subject, at(versions)); err != nil {
				l.Fatal(err)
			}
		}
		l.want(l.subject(subject, 0, 0, 500, false), compacted(subject, versions))
	}
	for n := range 30 {
		subject := fmt.Sprintf("post/secret%d", n)
		l.mustAppend(history(subject, 1, 20)...)
		l.trim(l.now())
		tenders.Go(func() {
			if _, err := l.Compact(l.Context(), subject, at(versions)); err != nil {
				l.Error(err)
			}
		})
		if err := l.Redact(l.Context(), subject); err != nil {
			l.Error(err)
		}
		tenders.Wait()
		for _, e := range l.subject(subject, 0, 0, 100, false) {
			if e.Data != nil || e.Actor != "" {
				l.Fatalf("redacted beside its compaction %s has %s", e.ID, e.Data)
			}
		}
	}
}
