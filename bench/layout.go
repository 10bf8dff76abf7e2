package main

import "fmt"

// layout says which cores what runs on.
type layout struct {
	server, others []int // nil: wherever the system puts it
}

// newLayout keeps one core for the server that is measured and gives all else the rest. With fewer than two cores nothing is pinned.
func newLayout(cores []int) layout {
	if len(cores) < 2 {
		return layout{}
	}
	return layout{server: cores[:1], others: cores[1:]}
}

// String is for the report.
func (l layout) String() string {
	if l.server == nil {
		return "not pinned: the server shares its core with everything else, so only CPU per request can be compared"
	}
	return fmt.Sprintf("server on core %d alone with GOMAXPROCS=1, load generator and upstream on %v", l.server[0], l.others)
}
