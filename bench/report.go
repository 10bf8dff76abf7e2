package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// metric is one column of the tables.
type metric struct {
	name  string
	value func(measurement) float64 // 0: not known here
	form  string
	ratio bool // stands in the table of ratios
}

func metrics() []metric {
	milliseconds := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
	each := func(total float64, m measurement) float64 { return total / float64(max(m.Requests, 1)) }
	return []metric{
		{"req/s", rate, "%.0f", true},
		{"p50 ms", func(m measurement) float64 { return milliseconds(m.P50) }, "%.2f", true},
		{"p99 ms", func(m measurement) float64 { return milliseconds(m.P99) }, "%.2f", true},
		{"CPU µs/req", func(m measurement) float64 { return each(float64(m.CPU.Nanoseconds())/1e3, m) }, "%.1f", true},
		{"allocs/req", func(m measurement) float64 { return each(m.Mallocs, m) }, "%.0f", true},
		{"KiB/req", func(m measurement) float64 { return each(m.AllocBytes/1024, m) }, "%.1f", false},
		{"peak MiB", func(m measurement) float64 { return float64(m.peakRSS) / (1 << 20) }, "%.0f", true},
		{"calls/req", func(m measurement) float64 { return each(m.UpstreamCalls, m) }, "%.2f", false},
		{"busy %", func(m measurement) float64 { return 100 * share(m.CPU, m) }, "%.0f", false},
		{"rest %", func(m measurement) float64 { return 100 * share(m.UpstreamCPU+m.GeneratorCPU, m) }, "%.0f", false},
	}
}

func rate(m measurement) float64 { return float64(m.Requests) / m.Elapsed.Seconds() }

// share is a part of one core's time during a measurement.
func share(used time.Duration, m measurement) float64 { return used.Seconds() / m.Elapsed.Seconds() }

// report is the whole report in Markdown.
func report(f facts, cells []cell, all *results) string {
	var b strings.Builder
	b.WriteString("# Benchmark\n\n")
	for _, line := range f.lines {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, warning := range slices.Concat(f.warnings, disturbances(all)) {
		fmt.Fprintf(&b, "- **Warning:** %s\n", warning)
	}
	fmt.Fprintf(&b, "\n## Ratios to `%s`\n\nRounds: %d; each number is the ratio of two medians. req/s: higher is better; all else: lower is better.\n\n", baseline, rounds(all))
	b.WriteString(ratioTable(cells, all))
	b.WriteString("\n## Absolute numbers\n\nMedians; ± is half the distance between the best and the worst round.\n\n")
	b.WriteString(absoluteTable(cells, all))
	if len(all.failures) > 0 {
		b.WriteString("\n## Failed\n\nWho answers wrongly is not measured.\n\n")
		for _, key := range slices.Sorted(maps.Keys(all.failures)) {
			fmt.Fprintf(&b, "- %s: %.400s\n", key, strings.Join(strings.Fields(all.failures[key].Error()), " "))
		}
	}
	return b.String()
}

// rounds is how often everything was measured.
func rounds(all *results) int {
	for _, measurements := range all.measurements {
		return len(measurements)
	}
	return 0
}

func ratioTable(cells []cell, all *results) string {
	header := []string{"query", "mode", "connections", "server"}
	for _, column := range metrics() {
		if column.ratio {
			name, _, _ := strings.Cut(column.name, " ")
			header = append(header, name)
		}
	}
	var rows [][]string
	for _, c := range cells {
		base := all.of(c, baseline)
		for _, s := range servers() {
			own := all.of(c, s.name)
			if s.name == baseline || len(own) == 0 || len(base) == 0 {
				continue
			}
			row := []string{c.workload.name, c.mode.name, fmt.Sprint(c.connections), s.name}
			for _, column := range metrics() {
				if column.ratio {
					row = append(row, ratio(medianOf(own, column.value), medianOf(base, column.value)))
				}
			}
			rows = append(rows, row)
		}
	}
	return table(header, 4, rows)
}

func absoluteTable(cells []cell, all *results) string {
	header := []string{"query", "mode", "connections", "server"}
	for _, column := range metrics() {
		header = append(header, column.name)
	}
	header = slices.Insert(header, 5, "±")
	var rows [][]string
	for _, c := range cells {
		for _, s := range servers() {
			own := all.of(c, s.name)
			if len(own) == 0 {
				continue
			}
			row := []string{c.workload.name, c.mode.name, fmt.Sprint(c.connections), s.name}
			for _, column := range metrics() {
				row = append(row, number(column.form, medianOf(own, column.value)))
			}
			rows = append(rows, slices.Insert(row, 5, fmt.Sprintf("%.0f %%", 100*spread(values(own, rate)))))
		}
	}
	return table(header, 4, rows)
}

const (
	foreignShare = .05 // of a core during a measurement
	stealShare   = .02
)

// disturbances says whether others were at work during the measurements.
func disturbances(all *results) []string {
	var count, foreign, stolen int
	var worstForeign, worstStolen float64
	for _, measurements := range all.measurements {
		for _, m := range measurements {
			count++
			if s := share(m.ForeignCPU, m); s > foreignShare {
				foreign++
				worstForeign = max(worstForeign, s)
			}
			if s := share(m.Steal, m); s > stealShare {
				stolen++
				worstStolen = max(worstStolen, s)
			}
		}
	}
	var warnings []string
	if foreign > 0 {
		warnings = append(warnings, fmt.Sprintf("other processes disturbed %d of %d measurements: they used up to %.0f %% of a core", foreign, count, 100*worstForeign))
	}
	if stolen > 0 {
		warnings = append(warnings, fmt.Sprintf("the hypervisor took time away from %d of %d measurements: up to %.0f %% of a core", stolen, count, 100*worstStolen))
	}
	return warnings
}
