package event

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStatuses(t *testing.T) {
	life := lineage("post/p", 1, "post.created", `{"status":"draft"}`, "post.published", `{"status":"published"}`, "post.updated", `{"title":"x"}`,
		"post.hidden", `{"status":"hidden"}`, "post.deleted", `{}`, "post.restored", `{"status":"published"}`)
	backwards := slices.Clone(life[:3])
	backwards[1].Time, backwards[2].Time = backwards[2].Time, backwards[1].Time
	snapshot := lineage("post/p", 4, "post.snapshot", `{"status":"published","createdAt":"2026-03-04T11:00:00Z","updatedAt":"2026-03-04T11:30:00Z"}`, "post.hidden", `{"status":"hidden"}`)
	long := []string{"post.created", `{"status":"published"}`}
	for range MaxHistory + 100 {
		long = append(long, "post.updated", `{"title":"x"}`)
	}
	for _, c := range []struct {
		name    string
		events  []Event
		minutes []float64 // from noon
		want    string
	}{
		{"a life", life, []float64{-0.5, 0, 0.5, 1, 2.5, 3, 4, 5, 100}, " draft draft published published hidden deleted published published"},
		{"in any order", life, []float64{3, 0, 100}, "hidden draft published"},
		{"a clock that went back", backwards, []float64{1, 2}, "draft published"},
		{"a snapshot", snapshot, []float64{-31, -30, 0, 1}, " published published hidden"},
		{"redacted", lineage("post/p", 1, "post.created", ``), []float64{1}, ""},
		{"a long one", lineage("post/p", 1, long...), []float64{10, 700}, " "}, // what came before is not known, nor is the status since
		{"nothing", nil, []float64{1}, ""},
		{"no times", life, nil, ""},
	} {
		var times []time.Time
		for _, m := range c.minutes {
			times = append(times, noon.Add(time.Duration(m*float64(time.Minute))))
		}
		log := newLedger(c.events...)
		got, err := Statuses(t.Context(), log, "post/p", times)
		if err != nil || strings.Join(got, " ") != c.want || len(got) != len(times) || log.reads != 1 {
			t.Errorf("%s: %q, %v, %d reads", c.name, got, err, log.reads)
		}
	}
	gone := errors.New("gone")
	if got, err := Statuses(t.Context(), &ledger{fail: gone}, "post/p", []time.Time{noon}); !errors.Is(err, gone) {
		t.Error(fmt.Sprint(got), err)
	}
}
