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

// report is the whole report in Markdown.
func report(f facts, cells []cell, all *results) string {
	var b strings.Builder
	b.WriteString("# Benchmark\n\n")
	for _, line := range f.lines {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, warning := range slices.Concat(f.warnings, all.disturbances()) {
		fmt.Fprintf(&b, "- **Warning:** %s\n", warning)
	}
	fmt.Fprintf(&b, "\n## Ratios to `%s`\n\nEach number is the ratio of two medians. req/s: higher is better; all else: lower is better.\n\n", baseline)
	b.WriteString(ratioTable(cells, all))
	b.WriteString("\n## Absolute numbers\n\nMedians; ± is half the distance between the best and the worst round.\n\n")
	b.WriteString(absoluteTable(cells, all))
	b.WriteString(growth(cells, all))
	if len(all.failures) > 0 {
		b.WriteString("\n## Failed\n\nWho answers wrongly is not measured.\n\n")
		for _, key := range slices.Sorted(maps.Keys(all.failures)) {
			fmt.Fprintf(&b, "- %s: %.400s\n", key, strings.Join(strings.Fields(all.failures[key].Error()), " "))
		}
	}
	return b.String()
}

func ratioTable(cells []cell, all *results) string {
	header := []string{"query", "mode", "connections", "server"}
	for _, column := range metrics() {
		if column.ratio {
			name, _, _ := strings.Cut(column.name, " ")
			header = append(header, name)
		}
	}
	header = append(header, "rounds")
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
			rows = append(rows, append(row, count(own)+"/"+count(base)))
		}
	}
	return table(header, 4, rows)
}

func absoluteTable(cells []cell, all *results) string {
	header := []string{"query", "mode", "connections", "server"}
	for _, column := range metrics() {
		header = append(header, column.name)
	}
	header = append(slices.Insert(header, 5, "±"), "rounds")
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
			between := "–"
			if len(own) > 1 {
				between = fmt.Sprintf("%.0f %%", 100*spread(values(own, rate)))
			}
			row = slices.Insert(row, 5, between)
			rows = append(rows, append(row, count(own)))
		}
	}
	return table(header, 4, rows)
}
