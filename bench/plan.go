package main

import (
	"fmt"
	"regexp"
	"time"
)

// mode is a way to run the gateway and what is below it.
type mode struct {
	name    string
	latency time.Duration // of every upstream call
	flags   []string      // of the gateway
	warmUp  time.Duration
	live    bool // the gateway hears of the services' events, as it should
}

// bare switches off whatever saves or repeats upstream calls: what is left is the work of answering.
var bare = []string{"--no-cache-enabled", "--no-coalesce", "--no-user-hedge", "--no-post-hedge", "--no-comment-hedge", "--no-follower-hedge"}

// upstreamLatency is that of the mode that has one.
const upstreamLatency = 5 * time.Millisecond

func modes() []mode {
	return []mode{
		{name: "cold", flags: bare, warmUp: 250 * time.Millisecond},
		{name: "warm", warmUp: 2500 * time.Millisecond, flags: withEvents(), live: true}, // until nearly all is in the cache
		{name: "5ms", latency: upstreamLatency, flags: bare, warmUp: 250 * time.Millisecond},
	}
}

// cell is one line of the table: every server in it does the same work.
type cell struct {
	workload    *workload
	mode        mode
	connections int
}

func (c cell) String() string {
	return fmt.Sprintf("%s/%s/%d", c.workload.name, c.mode.name, c.connections)
}

// maxItems bounds the list items under way at a time. Beyond it a gateway does not serve, it sheds load, as it should.
const maxItems = 100_000

// plan makes the cells whose names match. What needs nothing from upstream has one mode only. A quick plan has one size and one concurrency.
func plan(workloads []*workload, quick bool, names *regexp.Regexp) []cell {
	connections := []int{1, 16, 64, 256}
	if quick {
		connections = []int{16}
	}
	var cells []cell
	for _, w := range workloads {
		if quick && (w.name == "timeline-10" || w.name == "timeline-1000") {
			continue
		}
		for i, m := range modes() {
			if w.items == 0 && i > 0 {
				break
			}
			for _, n := range connections {
				if c := (cell{w, m, n}); n*w.items <= maxItems && names.MatchString(c.String()) {
					cells = append(cells, c)
				}
			}
		}
	}
	return cells
}
