package eventtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"tributary/internal/event"
)

func appends(l *log) {
	batch := append(history("post/a", 1, 3), history("post/b", 1, 2)...)
	l.mustAppend(batch...)
	l.mustAppend(history("post/a", 4, 4)...)
	for i := range batch {
		batch[i].Position = int64(i + 1)
	}
	want := append(batch, history("post/a", 4, 4)...)
	want[5].Position = 6
	l.want(l.all(), want...)
}

func refusesGaps(l *log) {
	l.mustRefuse(0, 1, made("x", "post/a", 2))
	l.mustRefuse(0, 1, made("x", "post/a", 0))
	l.mustRefuse(0, 1, made("x", "post/a", -1))
	l.mustAppend(history("post/a", 1, 3)...)
	l.mustRefuse(0, 4, made("x", "post/a", 5))
	l.mustRefuse(0, 4, made("x", "post/a", 3))
	l.mustRefuse(0, 4, made("x", "post/a", math.MaxInt64))
	l.mustRefuse(2, 5, made("x", "post/a", 4), made("y", "post/b", 1), made("z", "post/a", 4))
	l.mustRefuse(1, 2, made("x", "post/b", 1), made("y", "post/b", 3))
	l.mustAppend(made("x", "post/a", 4)) // nothing of the refused ones is known
}

func skipsDuplicates(l *log) {
	first := history("post/a", 1, 3)
	l.mustAppend(first...)
	l.mustAppend(first...)
	l.mustAppend(first[1])
	l.mustAppend(append(first, history("post/a", 4, 4)...)...)
	l.mustAppend(history("post/a", 2, 5)...)
	twice := made("twice", "post/b", 1)
	l.mustAppend(twice, twice)
	moved := made("twice", "post/c", 7) // the id is known, whatever else the event says
	l.mustAppend(moved)
	l.want(l.all(), append(history("post/a", 1, 5), twice)...)
	if _, err := l.Append(l.Context(), "user", []event.Event{{ID: "twice", Source: "user", Type: "user.created", Subject: "user/a", Version: 1, Time: noon}}); err != nil {
		l.Fatal(err)
	}
	if got := l.bounds().Last; got != 7 {
		l.Errorf("the same id of another source is not a duplicate: the last position is %d, want 7", got)
	}
}

func takesSnapshots(l *log) {
	l.mustAppend(snapshot("s1", "post/a", 7))
	l.mustAppend(snapshot("s2", "post/a", 7), snapshot("s3", "post/a", 3)) // skipped
	l.mustRefuse(0, 8, snapshot("s4", "post/a", 8))
	l.mustRefuse(0, 8, snapshot("s4", "post/a", 100))
	l.mustRefuse(0, 8, made("x", "post/a", 7))
	l.mustAppend(made("x", "post/a", 8))
	l.mustRefuse(0, 1, snapshot("s5", "post/b", 0))
	const large = math.MaxInt64 - 2 // beyond what a float64 tells apart
	l.mustAppend(snapshot("s6", "post/c", large))
	l.mustRefuse(0, large+1, made("y", "post/c", large+2))
	l.mustAppend(made("y", "post/c", large+1))
	l.mustAppend(snapshot("s7", "post/c", large+1))
	l.want(l.all(), snapshot("s1", "post/a", 7), made("x", "post/a", 8), snapshot("s6", "post/c", large), made("y", "post/c", large+1))
	l.want(l.subject("post/c", large, large+2, 10, false), made("y", "post/c", large+1))
	l.want(l.subject("post/a", 0, 0, 1, false), snapshot("s1", "post/a", 7))
}

func allOrNothing(l *log) {
	l.mustAppend(history("post/a", 1, 1)...)
	before := l.all()
	e := made("late", "post/b", 1)
	e.Sequence = 99
	l.mustRefuse(2, 2, made("new", "post/new", 1), e, made("gap", "post/a", 3))
	l.want(l.all(), before...)
	if got := l.mustAppend(); got != 1 {
		l.Errorf("the sequence of a refused batch was kept: %d", got)
	}
	if got := l.subject("post/new", 0, 0, 10, false); len(got) != 0 {
		l.Errorf("a refused subject has %s", ids(got))
	}
	if got := l.subjects("", 10); !slices.Equal(got, []string{"post/a"}) {
		l.Errorf("the subjects are %v", got)
	}
}

func largeBatch(l *log) {
	body := strings.Repeat("ü€", 400) // 2 KB
	var batch []event.Event
	for i := range 500 {
		e := made(fmt.Sprint(i), fmt.Sprintf("post/%d", i%50), int64(i/50)+1)
		e.Data = []byte(`{"body":"` + body + `"}`)
		batch = append(batch, e)
	}
	l.mustAppend(batch...)
	l.want(l.read(0, 500), batch...)
}

// concurrentWriters has 8 writers over 20 subjects, each of which belongs to one of them at a time.
func concurrentWriters(l *log) {
	const writers, subjects, rounds = 8, 20, 6
	var wg sync.WaitGroup
	locks := make([]sync.Mutex, subjects)
	versions := make([]int64, subjects)
	for w := range writers {
		wg.Go(func() {
			for i := range rounds * subjects {
				n := (i*7 + w*3) % subjects
				locks[n].Lock()
				e := made(fmt.Sprintf("%d-%d", w, i), fmt.Sprintf("post/%d", n), versions[n]+1)
				if _, err := l.Append(l.Context(), "post", []event.Event{e}); err != nil {
					l.Errorf("writer %d: %v", w, err)
				}
				versions[n]++
				locks[n].Unlock()
			}
		})
	}
	wg.Wait()
	got := l.all()
	if len(got) != writers*subjects*rounds {
		l.Fatalf("%d events of %d", len(got), writers*subjects*rounds)
	}
	seen := map[string]int64{}
	for i, e := range got {
		if e.Position != int64(i+1) || e.Version != seen[e.Subject]+1 {
			l.Fatalf("event %d stands at %d with version %d of %s behind %d", i, e.Position, e.Version, e.Subject, seen[e.Subject])
		}
		seen[e.Subject]++
	}
}
