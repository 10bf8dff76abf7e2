// Package tuning sets Go's garbage collector for a server: how much memory it may take, and how small a heap is not worth collecting.
package tuning

import "math"

const (
	goPercent = 100           // what Go does when nothing is set
	noLimit   = math.MaxInt64 // likewise
	// limitShare is how much of the memory that there is Go may take, in percent. The rest is for what Go does not manage: the program's
	// code, SQLite's pages, buffers of the kernel.
	limitShare = 90
)

// DefaultHeadroom is that of the program's flag, in bytes: what it costs in memory and what it spares is in docs/design.md.
const DefaultHeadroom = 32 << 20

// Settings are what was asked for. Nil leaves a setting to the environment variable that Go reads for it and, without one, to the default.
type Settings struct {
	Percent  *int   // growth of the heap from one collection to the next, in percent of what is live, as GOGC; 0: no collection but at the limit
	Headroom uint64 // bytes of garbage that the heap may hold beyond what Percent allows, unless the limit is near
	Limit    *int64 // bytes of all memory that Go manages, as GOMEMLIMIT; 0: no limit
}

// Choice is what came of Settings.
type Choice struct {
	Percent  int    // negative: no collection but at the limit; 0: GOGC stands, and there is no headroom
	Headroom uint64 // in bytes
	Limit    int64  // in bytes, math.MaxInt64 for none; 0: GOMEMLIMIT stands
	From     string // what Limit was taken from: flag, environment, or what memory said
}

// Choose settles the collector: what is given wins over the environment, which lookup reads as os.LookupEnv does, and that wins over
// the defaults: Go's 100 %, and a share of the memory there is.
func Choose(set Settings, lookup func(string) (string, bool), memory func() (bytes uint64, from string)) Choice {
	var c Choice
	gogc, _ := lookup("GOGC") // Go takes an empty one for none
	switch {
	case set.Percent != nil && *set.Percent == 0:
		c.Percent = -1
	case set.Percent != nil:
		c.Percent, c.Headroom = *set.Percent, set.Headroom
	case gogc == "":
		c.Percent, c.Headroom = goPercent, set.Headroom
	}
	limit, _ := lookup("GOMEMLIMIT")
	switch {
	case set.Limit != nil:
		c.Limit, c.From = *set.Limit, "flag"
	case limit != "":
		c.From = "environment"
	default:
		var bytes uint64
		bytes, c.From = memory()
		c.Limit = int64(min(bytes, noLimit) / 100 * limitShare)
	}
	if c.Limit == 0 && c.From != "environment" {
		c.Limit = noLimit
	}
	return c
}
