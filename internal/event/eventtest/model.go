package eventtest

import (
	"errors"
	"fmt"

	"pgregory.net/rapid"

	"tributary/internal/event"
)

// model is the contract of Append in the fewest words: what a log would hold if memory were endless and never failed.
type model struct {
	known    map[string]bool
	versions map[string]int64
	events   []event.Event
	sequence int64
}

// add returns nil for a batch that is taken.
func (m *model) add(batch []event.Event) *event.GapError {
	next := model{map[string]bool{}, map[string]int64{}, nil, m.sequence}
	for i, e := range batch {
		current, changed := next.versions[e.Subject]
		if !changed {
			current = m.versions[e.Subject]
		}
		next.sequence = max(next.sequence, e.Sequence)
		switch {
		case m.known[e.ID] || next.known[e.ID], e.Snapshot() && current > 0 && e.Version <= current:
			continue
		case e.Snapshot() && current == 0 && e.Version > 0, !e.Snapshot() && e.Version == current+1:
			next.known[e.ID], next.versions[e.Subject] = true, e.Version
			next.events = append(next.events, e)
		default:
			return &event.GapError{Index: i, Expected: current + 1}
		}
	}
	for id := range next.known {
		m.known[id] = true
	}
	for subject, version := range next.versions {
		m.versions[subject] = version
	}
	m.events, m.sequence = append(m.events, next.events...), next.sequence
	return nil
}

// agrees appends batches at random, most of which nearly follow, and compares every answer with the model's.
func agrees(l *log) {
	round := 0
	rapid.Check(l.T, func(t *rapid.T) {
		round++ // a source and subjects of its own, on the same log
		source, start := fmt.Sprintf("source%d", round), l.bounds().Last
		m := model{map[string]bool{}, map[string]int64{}, nil, 0}
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			batch := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Event {
				subject := fmt.Sprintf("post/%d-%d", round, rapid.IntRange(0, 2).Draw(t, "subject"))
				version := m.versions[subject] + rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 2, 3, 0, -1}).Draw(t, "step")
				e := made(fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "id")), subject, version)
				if e.Source = source; rapid.IntRange(0, 4).Draw(t, "snapshot") == 0 {
					e.Type = "post.snapshot"
				}
				e.Sequence = rapid.Int64Range(0, 100).Draw(t, "sequence")
				return e
			}), 1, 4).Draw(t, "batch")
			sequence, err := l.Append(l.Context(), source, batch)
			want := m.add(batch)
			gap, ok := errors.AsType[*event.GapError](err)
			switch {
			case want != nil && (!ok || *gap != *want):
				t.Fatalf("got %v, want %v", err, want)
			case want == nil && (err != nil || sequence != m.sequence):
				t.Fatalf("got sequence %d, %v, want %d", sequence, err, m.sequence)
			}
		}
		got := l.read(start, 1000)
		for i := range m.events {
			m.events[i].Position = start + int64(i) + 1
		}
		l.want(got, m.events...)
	})
}
