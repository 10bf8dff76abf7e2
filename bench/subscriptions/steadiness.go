package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// steadiness says how evenly the machine computes while nothing is to be measured: a piece of work of the same size is done again and
// again for the time given. Where pieces take many times as long as others, times of the table are the machine's rather than the gateway's.
func steadiness(during time.Duration) string {
	const size = 1 << 20
	var pieces []time.Duration
	sum := uint64(0)
	for begin := time.Now(); time.Since(begin) < during; {
		start := time.Now()
		for i := range uint64(size) {
			sum = sum*31 + i
		}
		pieces = append(pieces, time.Since(start))
	}
	runtime.KeepAlive(sum)
	slices.Sort(pieces)
	median, slow := pieces[len(pieces)/2], time.Duration(0)
	for _, piece := range pieces {
		if piece > 2*median {
			slow += piece
		}
	}
	return fmt.Sprintf("Alone on the machine a piece of work of %.1f ms took up to %.1f ms; %.0f %% of the time went into pieces of more than twice that.",
		ms(median), ms(pieces[len(pieces)-1]), 100*slow.Seconds()/during.Seconds())
}
