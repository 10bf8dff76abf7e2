package main

import (
	"fmt"
	"time"
)

// row is one line of the table.
type row struct {
	scenario
	outcome
	best       float64       // requests answered in a second without overload
	answering  time.Duration // processor time of the gateway for one answer without overload
	refusing   time.Duration // and for one 503: what the overload used beyond its answers
	rest, peak int64         // most memory of the gateway without overload and with it, in bytes; 0: not known
}

const heading = `| short of | best req/s | sent | answered | of the best | bound | p50 ms | p99 ms | 503 | p99 of 503 ms | other | CPU µs of an answer | of a 503 | peak MiB before | peak MiB |
| -------- | ---------: | ---: | -------: | ----------: | ----: | -----: | -----: | --: | ------------: | ----: | ------------------: | -------: | --------------: | -------: |
`

const footnote = `
best: the better of 16 and 64 connections that ask again when they are answered. sent: at a rate that does not depend on the answers.
other: answers with errors in them, and other statuses.
`

// String is the line in Markdown.
func (r row) String() string {
	share := func(n int) float64 { return 100 * float64(n) / float64(max(1, r.Good+r.Shed+r.Partial+r.Failed)) }
	return fmt.Sprintf("| %s | %.0f | %.0f | %.0f | %.0f %% | %.0f %% | %.0f | %.0f | %.0f %% | %.0f | %.0f %% | %d | %d | %d | %d |\n",
		r.name, r.best, float64(r.Sent)/r.Elapsed.Seconds(), r.rate(), 100*r.rate()/r.best, 100*r.bound, 1e3*r.P50.Seconds(), 1e3*r.P99.Seconds(),
		share(r.Shed), 1e3*r.ShedP99.Seconds(), share(r.Partial+r.Failed), r.answering.Microseconds(), r.refusing.Microseconds(), r.rest>>20, r.peak>>20)
}
