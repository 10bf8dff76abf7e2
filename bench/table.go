package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// table writes Markdown whose columns are aligned in the source too: the first so many to the left, the others, numbers, to the right.
func table(header []string, left int, rows [][]string) string {
	widths := make([]int, len(header))
	for _, row := range slices.Concat([][]string{header}, rows) {
		for i, text := range row {
			widths[i] = max(widths[i], 3, utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, text := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i < left {
				text += pad
			} else {
				text = pad + text
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString("|\n")
	}
	line(header)
	for i, width := range widths {
		dashes := strings.Repeat("-", width)
		if i >= left {
			dashes = dashes[1:] + ":"
		}
		b.WriteString("| " + dashes + " ")
	}
	b.WriteString("|\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// median is the middle value, between two of them their mean; 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is half the distance between the least and the greatest value, as a share of the median.
func spread(values []float64) float64 {
	m := median(values)
	if m == 0 {
		return 0
	}
	return (slices.Max(values) - slices.Min(values)) / 2 / m
}

func values(measurements []measurement, value func(measurement) float64) []float64 {
	all := make([]float64, len(measurements))
	for i, m := range measurements {
		all[i] = value(m)
	}
	return all
}

func medianOf(measurements []measurement, value func(measurement) float64) float64 {
	return median(values(measurements, value))
}

// number is a dash for zero: what costs nothing at all was not to be read here.
func number(form string, value float64) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf(form, value)
}

// ratio has two or three significant digits; a dash where one of both is not known.
func ratio(value, base float64) string {
	switch r := value / base; {
	case value == 0 || base == 0:
		return "–"
	case r < 10:
		return fmt.Sprintf("%.2f×", r)
	case r < 100:
		return fmt.Sprintf("%.1f×", r)
	default:
		return fmt.Sprintf("%.0f×", r)
	}
}
