package event

import (
	"context"
	"slices"
	"time"
)

// Statuses returns the status that a subject had at each of some times, "deleted" where it was gone, and empty where it had none, was
// not made yet, or that is not known. It reads the log once: what was before the newest MaxHistory events is not known. The time
// of an event is taken as AsOf takes it.
func Statuses(ctx context.Context, log Log, subject string, times []time.Time) ([]string, error) {
	changes, _, err := History(ctx, log, subject, HistoryPage{Limit: MaxHistory, Backward: true})
	if err != nil {
		return nil, err
	}
	slices.Reverse(changes)
	statuses := make([]string, len(times))
	for i, at := range times {
		for n, c := range changes {
			since := c.Event.Time
			if n == 0 && c.Event.Snapshot() && !c.Event.compacted() {
				_, since = snapshotTimes(c.Event)
			}
			if since.After(at) {
				break
			}
			statuses[i] = c.Status
		}
	}
	return statuses, nil
}
