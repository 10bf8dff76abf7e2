package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tributary/internal/event"
	"tributary/internal/work/dispatch"
)

// trouble is what goes wrong while events are delivered.
type trouble struct {
	subjects []int       // of the events, in their order
	failing  map[int]int // by event, from 1: how often it fails
	crash    int         // the event at which the dispatcher dies; 0: none
	window   int
}

// TestAtLeastOnceInOrder: whatever fails, and whenever a dispatcher dies, the consumer gets each event, and of each subject
// none before the one in front of it was delivered.
func TestAtLeastOnceInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		subjects := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 30).Draw(rt, "subjects")
		tr := trouble{
			subjects: subjects,
			failing:  rapid.MapOfN(rapid.IntRange(1, len(subjects)), rapid.IntRange(1, 3), 0, 6).Draw(rt, "failing"),
			crash:    rapid.IntRange(0, len(subjects)).Draw(rt, "crash"),
			window:   rapid.IntRange(1, 5).Draw(rt, "window"),
		}
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = tr.deliver(newSQLiteBench(t)) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// deliver says what is wrong with the deliveries.
func (tr trouble) deliver(b *bench) string {
	expected := map[string][]string{}
	for i, s := range tr.subjects {
		subject := fmt.Sprint("post/", s)
		b.write("post.updated", subject)
		expected[subject] = append(expected[subject], fmt.Sprint("e", i+1))
	}
	b.consume("a", nil)
	cut := &mortal{Store: b.store}
	tried, delivered := map[int]int{}, map[string][]string{}
	b.answer = func(_ context.Context, _ dispatch.Consumer, e event.Event, _ int) dispatch.Result {
		b.mu.Lock()
		defer b.mu.Unlock()
		n := number(e.ID)
		if n == tr.crash {
			cut.dead.Store(true)
		}
		if tried[n]++; tried[n] <= tr.failing[n] {
			return dispatch.Result{}
		}
		delivered[e.Subject] = append(delivered[e.Subject], e.ID)
		return dispatch.Result{Delivered: true}
	}
	options := dispatch.Options{Scale: 0.001, Window: tr.window, Lease: time.Minute}
	first := b.run(dispatch.New(cut, b.log, b.send, options))
	time.Sleep(5 * time.Second)
	_, second := b.start(options)
	time.Sleep(80 * time.Second) // beyond the dead one's lease
	first()
	second()
	if c, _ := b.consumer("a"); c.Position != int64(len(tr.subjects)) || c.State != dispatch.Active {
		return fmt.Sprintf("it is at %d and %s", c.Position, c.State)
	}
	if tr.crash == 0 && len(b.got("a")) != len(tr.subjects)+sum(tr.failing) {
		return fmt.Sprintf("sent twice: %v", b.got("a"))
	}
	for subject, want := range expected {
		next := 0 // a crash has earlier ones delivered again, but skips none
		for _, id := range delivered[subject] {
			at := slices.Index(want, id)
			if at > next {
				return fmt.Sprintf("%s: %s came before %s: %v", subject, id, want[next], delivered[subject])
			}
			next = max(next, at+1)
		}
		if next != len(want) {
			return fmt.Sprintf("%s: %v of %v", subject, delivered[subject], want)
		}
	}
	return ""
}

func sum(counts map[int]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
