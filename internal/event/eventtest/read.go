package eventtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tributary/internal/event"
)

// keepsEverything holds the log to giving back what it was given.
func keepsEverything(l *log) {
	odd := strings.Repeat("ä:,\"'\x01\n%s5:", 3)
	batch := []event.Event{
		{ID: odd, Source: "post", Sequence: 1<<62 + 1, Type: "post.created", Subject: "post/" + odd, Time: noon, Actor: odd, Version: 1, Data: json.RawMessage(`{"a":[1,{}],"b":"` + "\u2028€" + `"}`)},
		{ID: "1:2", Source: "post", Type: "post.snapshot", Subject: "post/:data", Time: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), Version: 1 << 62, Data: json.RawMessage("{}")},
		{ID: "e", Source: "post", Type: "post.created", Subject: "post/[(+-", Time: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), Version: 1},
	}
	l.mustAppend(batch...)
	for i := range batch {
		batch[i].Position = int64(i + 1)
		l.want(l.subject(batch[i].Subject, 0, 0, 10, false), batch[i])
	}
	l.want(l.all(), batch...)
	e := made("zone", "post/zone", 1)
	e.Time = noon.In(time.FixedZone("", 3600))
	l.mustAppend(e)
	e.Time = noon
	l.want(l.subject("post/zone", 0, 0, 10, false), e)
}

func reads(l *log) {
	if got := l.read(0, 10); len(got) != 0 {
		l.Errorf("an empty log has %s", ids(got))
	}
	batch := history("post/a", 1, 10)
	l.mustAppend(batch...)
	for _, tt := range []struct {
		after    int64
		limit    int
		from, to int
	}{
		{0, 3, 0, 3}, {0, 10, 0, 10}, {0, 11, 0, 10}, {3, 2, 3, 5}, {9, 5, 9, 10}, {10, 5, 10, 10}, {-1, 2, 0, 2}, {4, 0, 0, 0}, {4, -1, 0, 0},
	} {
		l.want(l.read(tt.after, tt.limit), batch[tt.from:tt.to]...)
	}
	if _, err := l.Read(l.Context(), 11, 10); !errors.Is(err, event.ErrTrimmed) {
		l.Errorf("behind what the log has come to: %v", err)
	}
}

func readsSubjects(l *log) {
	batch := history("post/a", 1, 12)
	l.mustAppend(append(history("post/b", 1, 3), batch...)...)
	for _, tt := range []struct {
		after, before int64
		limit         int
		from, to      int64 // versions
		backward      bool
	}{
		{0, 0, 100, 1, 12, false}, {0, 0, 100, 12, 1, true},
		{0, 0, 3, 1, 3, false}, {0, 0, 3, 12, 10, true},
		{8, 0, 3, 9, 11, false}, {8, 0, 100, 12, 9, true},
		{0, 11, 2, 1, 2, false}, {0, 11, 2, 10, 9, true},
		{3, 6, 100, 4, 5, false}, {3, 6, 100, 5, 4, true},
		{-5, -5, 1, 1, 1, false},
	} {
		var want []event.Event
		for v := tt.from; v <= max(tt.from, tt.to) && v >= min(tt.from, tt.to); {
			want = append(want, batch[v-1])
			if tt.backward {
				v--
			} else {
				v++
			}
		}
		l.want(l.subject("post/a", tt.after, tt.before, tt.limit, tt.backward), want...)
	}
	for _, backward := range []bool{false, true} {
		l.want(l.subject("post/a", 12, 0, 10, backward))
		l.want(l.subject("post/a", 5, 6, 10, backward))
		l.want(l.subject("post/a", 9, 3, 10, backward))
		l.want(l.subject("post/a", 0, 1, 10, backward))
		l.want(l.subject("post/a", 0, 0, 0, backward))
		l.want(l.subject("post/a", 0, 0, -1, backward))
		l.want(l.subject("post/none", 0, 0, 10, backward))
	}
}

func (l *log) subjects(after string, limit int) []string {
	l.Helper()
	lister, ok := l.Log.(event.SubjectLister)
	if !ok {
		l.Fatalf("%T does not list its subjects", l.Log)
	}
	subjects, err := lister.Subjects(l.Context(), after, limit)
	if err != nil {
		l.Fatalf("subjects: %v", err)
	}
	return subjects
}

func listsSubjects(l *log) {
	if got := l.subjects("", 10); len(got) != 0 {
		l.Errorf("an empty log has %v", got)
	}
	all := []string{"post/", "post/10", "post/2", "post/B", "post/[", "post/a", "post/z", "post/ä", "post/€"}
	for i := range all { // in another order
		subject := all[i*5%len(all)]
		l.mustAppend(history(subject, 1, int64(i%3)+1)...)
	}
	for _, tt := range []struct {
		after    string
		limit    int
		from, to int
	}{
		{"", 100, 0, 9}, {"", 2, 0, 2}, {"post/10", 3, 2, 5}, {"post/15", 1, 2, 3}, {"post/€", 5, 9, 9}, {"", 0, 0, 0}, {"", -1, 0, 0}, {"\xff", 1, 9, 9},
	} {
		if got := l.subjects(tt.after, tt.limit); !slices.Equal(got, all[tt.from:tt.to]) {
			l.Errorf("after %q: %v, want %v", tt.after, got, all[tt.from:tt.to])
		}
	}
}

func hasBounds(l *log) {
	empty := l.bounds()
	if empty.ID == "" || empty.First != 1 || empty.Last != 0 {
		l.Errorf("an empty log has %+v", empty)
	}
	l.mustAppend(history("post/a", 1, 4)...)
	if got, want := l.bounds(), (event.Bounds{ID: empty.ID, First: 1, Last: 4}); got != want {
		l.Errorf("got %+v, want %+v", got, want)
	}
	other := &log{T: l.T}
	other.Log, other.Keeper = l.open(l.T) // beside the first one
	if got := other.bounds(); got.ID != empty.ID || got.Last != 4 {
		l.Errorf("another sees %+v", got)
	}
	if err := other.Keeper.Close(); err != nil {
		l.Error(err)
	}
	if _, err := event.ParseCursor(event.Cursor{Log: empty.ID, Position: 4}.String()); err != nil {
		l.Errorf("the id %q does not fit into a cursor: %v", empty.ID, err)
	}
}

func keepsSequences(l *log) {
	send := func(id string, version, sequence int64) int64 {
		l.Helper()
		e := made(id, "post/a", version)
		e.Sequence = sequence
		return l.mustAppend(e)
	}
	if got := l.mustAppend(); got != 0 {
		l.Errorf("a source that sent nothing has %d", got)
	}
	for i, step := range []struct{ got, want int64 }{
		{send("a", 1, 5), 5}, {send("b", 2, 0), 5}, {send("c", 3, 7), 7}, {send("a", 1, 5), 7}, {l.mustAppend(), 7}, {send("d", 4, 6), 7},
		{send("e", 5, 1<<53+1), 1<<53 + 1}, {l.mustAppend(), 1<<53 + 1},
	} {
		if step.got != step.want {
			l.Errorf("step %d: sequence %d, want %d", i, step.got, step.want)
		}
	}
	skipped := snapshot("s", "post/a", 2)
	skipped.Sequence = 1<<53 + 4
	if got := l.mustAppend(skipped); got != skipped.Sequence {
		l.Errorf("a skipped event leaves %d: the source would send it for ever", got)
	}
	for _, source := range []string{"user", "comment"} {
		if got, err := l.Append(l.Context(), source, nil); got != 0 || err != nil {
			l.Errorf("%s has sequence %d, %v", source, got, err)
		}
	}
	l.reopen()
	if got := l.mustAppend(); got != skipped.Sequence {
		l.Errorf("after a restart the sequence is %d", got)
	}
	l.want(l.subject("post/a", 4, 0, 1, false), func() event.Event {
		e := made("e", "post/a", 5)
		e.Sequence = 1<<53 + 1
		return e
	}())
}

func outlivesRestart(l *log) {
	id := l.bounds().ID
	l.mustAppend(append(history("post/a", 1, 5), snapshot("s", "post/b", 3))...)
	before := l.all()
	for range 2 {
		l.reopen()
		if got, want := l.bounds(), (event.Bounds{ID: id, First: 1, Last: 6}); got != want {
			l.Errorf("got %+v, want %+v", got, want)
		}
		l.want(l.all(), before...)
	}
	l.mustAppend(history("post/a", 4, 6)...) // two known ones
	l.mustRefuse(0, 4, made("x", "post/b", 5))
	if got := l.read(6, 10); len(got) != 1 || got[0].Position != 7 || got[0].ID != "post/a-6" {
		l.Errorf("after the restart it took %s", fmt.Sprint(got))
	}
}
