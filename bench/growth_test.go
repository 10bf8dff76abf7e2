package main

import (
	"strings"
	"testing"
	"time"

	"tributary/bench/load"
)

func TestGrowth(t *testing.T) {
	m := modes()[0]
	small, large := &workload{name: "timeline-10", items: 10}, &workload{name: "timeline-100", items: 100}
	all := &results{measurements: map[string][]measurement{}}
	var cells []cell
	for w, rates := range map[*workload][]uint64{small: {1000, 4000, 3000}, large: {100, 500, 500}} {
		for i, n := range []int{1, 16, 64} {
			c := cell{w, m, n}
			cells = append(cells, c)
			all.measurements[resultKey(c, "ours")] = []measurement{made(rates[i], load.Readings{CPU: time.Second})}
		}
	}
	text := growth(cells, all)
	lists, crowds, _ := strings.Cut(text, "From the fewest")
	if rowOf(lists, "cold 16 25.00 20.00") == nil {
		t.Errorf("of 4,000 × 10 and 500 × 100 items in a second one takes 25 and 20 µs:\n%s", lists)
	}
	if got := rowOf(crowds, "timeline-10 cold 1–64 4000at16"); got == nil || got[4] != "75%" || got[5] != "2.0" {
		t.Errorf("from 4,000 to 3,000: %v", got)
	}
	if got := rowOf(crowds, "timeline-100 cold 1–64 500at16"); got == nil || got[4] != "100%" {
		t.Errorf("from 500 to 500: %v", got)
	}
	if text := growth(cells[:1], all); text != "" {
		t.Errorf("one cell has grown: %s", text)
	}
}
