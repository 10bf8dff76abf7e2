package engine

import (
	"testing"
	"time"
)

// TestAClockThatIsOverBeginsNothingNew has a clock fire when what it ran for has begun already and something else waits.
func TestAClockThatIsOverBeginsNothingNew(t *testing.T) {
	g := newGate(time.Hour)
	var begun []string
	wait := func(name string) { g.Later(func() { begun = append(begun, name) }) }
	wait("first")
	g.open() // its clock runs
	round := g.round
	g.leave()
	g.enter(1)
	wait("second")
	g.late(round)
	if len(begun) != 1 || begun[0] != "first" {
		t.Errorf("begun: %v", begun)
	}
	g.late(g.round)
	if len(begun) != 2 {
		t.Errorf("its own clock did not begin it: %v", begun)
	}
}
