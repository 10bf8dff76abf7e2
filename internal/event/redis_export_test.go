package event

import "time"

// SetIDsKept shortens the time for which ids are known.
func (r *Redis) SetIDsKept(d time.Duration) { r.idsKept = d }
