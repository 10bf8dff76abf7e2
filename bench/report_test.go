package main

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"tributary/bench/load"
)

func TestMedianAndSpread(t *testing.T) {
	tests := []struct {
		values         []float64
		median, spread float64
	}{
		{nil, 0, 0},
		{[]float64{5}, 5, 0},
		{[]float64{9, 1, 5}, 5, .8},
		{[]float64{8, 1, 2, 4}, 3, 3.5 / 3},
	}
	for _, test := range tests {
		if m, s := median(test.values), spread(test.values); m != test.median || s != test.spread {
			t.Errorf("%v: median %v, spread %v, want %v and %v", test.values, m, s, test.median, test.spread)
		}
	}
}

func TestTableIsAligned(t *testing.T) {
	got := table([]string{"a", "number"}, 1, [][]string{{"long name", "1"}, {"é", "–"}})
	want := "" +
		"| a         | number |\n" +
		"| --------- | -----: |\n" +
		"| long name |      1 |\n" +
		"| é         |      – |\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRatio(t *testing.T) {
	for want, pair := range map[string][2]float64{"0.21×": {21, 100}, "12.5×": {25, 2}, "250×": {250, 1}, "–": {0, 5}} {
		if got := ratio(pair[0], pair[1]); got != want {
			t.Errorf("%v to %v is %s, want %s", pair[0], pair[1], got, want)
		}
	}
	if got := ratio(5, 0); got != "–" {
		t.Errorf("a ratio to nothing is %s", got)
	}
}

// made is a measurement of so many requests in a second.
func made(requests uint64, readings load.Readings) measurement {
	return measurement{Result: load.Result{Requests: requests, Elapsed: time.Second, P50: time.Millisecond, P99: 2 * time.Millisecond, Readings: readings}, peakRSS: 20 << 20}
}

func TestReport(t *testing.T) {
	c := plan([]*workload{{name: "profile", items: 20}}, true, regexp.MustCompile("cold"))[0]
	all := &results{
		measurements: map[string][]measurement{
			resultKey(c, "static"): {made(9000, load.Readings{})},
			resultKey(c, "hand"):   {made(10, load.Readings{CPU: time.Second, Steal: 30 * time.Millisecond}), made(900, load.Readings{CPU: time.Second}), made(1000, load.Readings{CPU: time.Second, Mallocs: 5000}), made(1100, load.Readings{CPU: time.Second})},
			resultKey(c, "stock"):  {made(250, load.Readings{CPU: time.Second, UpstreamCalls: 2000, ForeignCPU: 400 * time.Millisecond})},
		},
		failures: map[string]error{resultKey(c, "static"): errors.New("it lied\nto us")},
	}
	text := report(facts{lines: []string{"Machine: one"}, warnings: []string{"it rains"}}, []cell{c}, all)
	ratios, absolute, found := strings.Cut(text, "## Absolute")
	if !found {
		t.Fatal(text)
	}
	if got := rowOf(ratios, "profile cold 16 stock"); got == nil || got[4] != "0.25×" || got[7] != "4.00×" || got[8] != "–" || got[9] != "1.00×" || got[10] != "1!/3" {
		t.Errorf("ratios of stock: %v", got)
	}
	if rowOf(ratios, "profile cold 16 hand") != nil || rowOf(text, "profile cold 16 static") != nil {
		t.Error("the baseline is compared with itself, or who failed is shown")
	}
	if got := rowOf(absolute, "profile cold 16 hand"); got == nil || got[4] != "1000" || got[5] != "10%" || got[8] != "1000.0" || got[15] != "3" {
		t.Errorf("numbers of hand: %v", got)
	}
	if got := rowOf(absolute, "profile cold 16 stock"); got == nil || got[5] != "–" {
		t.Errorf("one round has a spread: %v", got)
	}
	for _, want := range []string{"Machine: one", "**Warning:** it rains", "2 of 6 measurements were disturbed", "up to 40 % of a core", "took up to 3 %", "profile/cold/16 static: it lied to us"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
}
