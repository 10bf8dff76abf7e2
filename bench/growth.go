package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// grown is the server whose growth is shown.
const grown = "ours"

// growth shows how costs grow: with the list for one item, and with the connections for one query. It is empty where no two cells can
// be compared.
func growth(cells []cell, all *results) string {
	lists, crowds := listGrowth(cells, all), crowdGrowth(cells, all)
	if lists == "" && crowds == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Growth of `%s`\n", grown)
	if lists != "" {
		b.WriteString("\nProcessor time for one item of the list, in µs. It should not rise to the right.\n\n" + lists)
	}
	if crowds != "" {
		b.WriteString("\nFrom the fewest connections to the most: how far req/s falls behind its best, of which 75 % should be left, and the greatest p99 ÷ p50, which should be 6 or less.\n\n" + crowds)
	}
	return b.String()
}

// listGrowth compares timelines of several lengths, in one mode and on equally many connections.
func listGrowth(cells []cell, all *results) string {
	var lengths []int
	type line struct {
		mode        string
		connections int
	}
	var lines []line
	perItem := map[line]map[int]float64{}
	for _, c := range cells {
		own := all.of(c, grown)
		if !strings.HasPrefix(c.workload.name, "timeline-") || len(own) == 0 {
			continue
		}
		l := line{c.mode.name, c.connections}
		if perItem[l] == nil {
			perItem[l] = map[int]float64{}
			lines = append(lines, l)
		}
		perItem[l][c.workload.items] = medianOf(own, func(m measurement) float64 {
			return float64(m.CPU.Nanoseconds()) / 1e3 / float64(max(m.Requests, 1)) / float64(c.workload.items)
		})
		if !slices.Contains(lengths, c.workload.items) {
			lengths = append(lengths, c.workload.items)
		}
	}
	slices.Sort(lengths)
	header := []string{"mode", "connections"}
	for _, n := range lengths {
		header = append(header, fmt.Sprintf("of %d", n))
	}
	var rows [][]string
	for _, l := range lines {
		if len(perItem[l]) < 2 {
			continue
		}
		row := []string{l.mode, fmt.Sprint(l.connections)}
		for _, n := range lengths {
			row = append(row, number("%.2f", perItem[l][n]))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return ""
	}
	return table(header, 1, rows)
}

// crowdGrowth compares numbers of connections, for one query in one mode.
func crowdGrowth(cells []cell, all *results) string {
	var names []string
	of := map[string][]cell{}
	for _, c := range cells {
		if len(all.of(c, grown)) == 0 {
			continue
		}
		name := c.workload.name + "/" + c.mode.name
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], c)
	}
	var rows [][]string
	for _, name := range names {
		own := of[name]
		if len(own) < 2 {
			continue
		}
		slices.SortFunc(own, func(a, b cell) int { return cmp.Compare(a.connections, b.connections) })
		rateOf := func(c cell) float64 { return medianOf(all.of(c, grown), rate) }
		best := slices.MaxFunc(own, func(a, b cell) int { return cmp.Compare(rateOf(a), rateOf(b)) })
		left, spread := 1., 0.
		for _, c := range own {
			if c.connections >= best.connections { // fewer have not filled the server yet
				left = min(left, rateOf(c)/rateOf(best))
			}
			spread = max(spread, medianOf(all.of(c, grown), func(m measurement) float64 { return float64(m.P99) / float64(max(m.P50, 1)) }))
		}
		rows = append(rows, []string{
			own[0].workload.name, own[0].mode.name, fmt.Sprintf("%d–%d", own[0].connections, own[len(own)-1].connections),
			fmt.Sprintf("%.0f at %d", rateOf(best), best.connections), fmt.Sprintf("%.0f %%", 100*left), number("%.1f", spread),
		})
	}
	if len(rows) == 0 {
		return ""
	}
	return table([]string{"query", "mode", "connections", "best req/s", "left", "p99 ÷ p50"}, 2, rows)
}
