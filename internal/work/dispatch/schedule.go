package dispatch

import (
	"math/rand/v2"
	"time"
)

// schedule is how long a failed delivery rests, by how often it has failed; the last one goes on. It is the one that Standard
// Webhooks suggests.
var schedule = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// rest is how long a delivery rests that has failed so many times, from 1, jittered by a fifth either way so that those that failed
// together do not come back together. What the receiver asked for counts when it is longer, up to the schedule's last.
func (o Options) rest(attempts int, asked time.Duration) time.Duration {
	jitter := 0.8 + 0.4*rand.Float64()
	rest := time.Duration(float64(schedule[min(attempts, len(schedule))-1]) * o.Scale * jitter)
	return max(rest, min(asked, o.scaled(schedule[len(schedule)-1])))
}

func (o Options) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) * o.Scale) }
