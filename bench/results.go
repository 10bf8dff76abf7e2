package main

import (
	"fmt"
	"slices"
	"time"

	"tributary/bench/load"
)

// measurement is what one server came to in one cell and round.
type measurement struct {
	load.Result
	peakRSS int64 // bytes; 0 where the system does not tell
}

func rate(m measurement) float64 { return float64(m.Requests) / m.Elapsed.Seconds() }

// share is a part of one core's time during a measurement.
func share(used time.Duration, m measurement) float64 { return used.Seconds() / m.Elapsed.Seconds() }

// What others may use of a core during a measurement before it counts as disturbed.
const (
	foreignShare = .05 // other processes
	stealShare   = .02 // other machines on the same hypervisor
)

func disturbed(m measurement) bool {
	return share(m.ForeignCPU, m) > foreignShare || share(m.Steal, m) > stealShare
}

// results are what all rounds came to.
type results struct {
	measurements map[string][]measurement // by cell and server
	failures     map[string]error         // likewise: what a server answered wrongly, or not at all; it is not measured there again
}

func resultKey(c cell, server string) string { return c.String() + " " + server }

// of gives the measurements of a server in a cell that count: the undisturbed ones, and all only where there are no such. A server that
// failed once has none: what it gained by that is not to be told.
func (r *results) of(c cell, server string) []measurement {
	key := resultKey(c, server)
	if r.failures[key] != nil {
		return nil
	}
	quiet := slices.DeleteFunc(slices.Clone(r.measurements[key]), disturbed)
	if len(quiet) == 0 {
		return r.measurements[key]
	}
	return quiet
}

// count says how many measurements a number is made of, with a mark where they were disturbed.
func count(measurements []measurement) string {
	if slices.ContainsFunc(measurements, disturbed) {
		return fmt.Sprintf("%d!", len(measurements))
	}
	return fmt.Sprint(len(measurements))
}

// disturbances says how far others were at work during the measurements.
func (r *results) disturbances() []string {
	var all, hit int
	var foreign, stolen float64
	for _, measurements := range r.measurements {
		for _, m := range measurements {
			all++
			if disturbed(m) {
				hit++
				foreign, stolen = max(foreign, share(m.ForeignCPU, m)), max(stolen, share(m.Steal, m))
			}
		}
	}
	if hit == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d measurements were disturbed: other processes used up to %.0f %% of a core, the hypervisor took up to %.0f %%. "+
		"They are left out where undisturbed ones are left; elsewhere a ! stands behind the number of rounds", hit, all, 100*foreign, 100*stolen)}
}
