package wire

import "time"

const (
	shedWindow   = 100 * time.Millisecond // over which waiting is looked at: CoDel's interval (RFC 8289, section 4.2)
	shedSustain  = 2                      // so many windows in a row have to be bad: one is what a pause of the machine does
	shedGrowth   = .1                     // of the bound, in each good window
	shedDecrease = .2                     // of the bound, for each Delay that goroutines wait too long
	shedMost     = .5                     // that the bound comes down by at a time
)

// shedLimit is a bound on requests under way that holds a delay below a target. It grows by a share as long as the delay is below, and
// else comes down in proportion to how far the delay is beyond, as the credits of Breakwater do (Cho et al., "Overload Control
// for µs-scale RPCs with Breakwater", OSDI 2020, section 4.1). The delay is that of the processor alone and not the latency of requests: by
// latency, as Vegas and its kind go, a slow service would look like an overloaded gateway. It is not safe for concurrent use.
type shedLimit struct {
	least, most float64
	target      time.Duration
	value       float64
	bad         int // windows in a row
	hold        int // windows in which the last decrease does not show yet
}

func newShedLimit(least, most int, target time.Duration) *shedLimit {
	return &shedLimit{least: float64(min(max(least, 1), most)), most: float64(most), target: target, value: float64(most)}
}

// next gives the bound for the next window by what the last one was like.
func (l *shedLimit) next(delay time.Duration, underWay int) float64 {
	if delay <= l.target {
		l.bad, l.hold = 0, 0
		l.value = min(l.most, l.value*(1+shedGrowth)+1)
		return l.value
	}
	if l.bad++; l.bad < shedSustain {
		return l.value
	}
	if l.hold > 0 {
		l.hold--
		return l.value
	}
	excess := float64(delay-l.target) / float64(l.target)
	from := min(l.value, max(float64(underWay), l.least)) // a bound that nobody reaches comes down to where it means something
	l.value = max(l.least, from*(1-min(shedMost, shedDecrease*excess)))
	l.hold = int(delay / shedWindow) // who is seen waiting until then was waiting before
	return l.value
}
