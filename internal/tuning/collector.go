package tuning

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
)

// Apply makes the choice that of this process. Stop, which the caller owes, gives everything back to Go's own defaults.
func (c Choice) Apply() (stop func()) {
	var ballast strings.Builder // whose memory is not zeroed: zeroing would make all of it resident
	ballast.Grow(int(c.ballast()))
	if c.Limit != 0 {
		debug.SetMemoryLimit(c.Limit + min(int64(ballast.Cap()), noLimit-c.Limit))
	}
	if c.Percent != 0 {
		debug.SetGCPercent(c.Percent)
	}
	return func() {
		if c.Limit != 0 {
			debug.SetMemoryLimit(noLimit)
		}
		if c.Percent != 0 {
			debug.SetGCPercent(goPercent)
		}
		runtime.KeepAlive(&ballast)
	}
}

// ballast is how much memory is to be there that is live and never used, so that a heap of a few megabytes may hold the headroom in
// garbage: Go collects at (live + ballast) · (1 + percent / 100), and has no setting for the least heap. Nobody writes to
// it, so its pages do not become resident; Go's limit and metrics of the heap count it all the same.
//
// To raise the percentage instead while the heap is small, behind each collection, is too late when the heap grows: what lives went
// from 2 to 10 MB in one cycle of a start, and the next collection came at 270 MB.
func (c Choice) ballast() uint64 {
	if c.Percent <= 0 {
		return 0
	}
	size := min(c.Headroom, maxBallast) * 100 / uint64(c.Percent)
	if c.Limit != 0 {
		size = min(size, uint64(c.Limit))
	}
	return min(size, maxBallast)
}

// maxBallast bounds it, and the limit does too: a system may refuse addresses far beyond its memory.
const maxBallast = 4 << 30

// LogValue lists what was chosen, sizes in bytes, without what is left to the environment.
func (c Choice) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("limit_from", c.From)}
	if c.Limit != 0 && c.Limit != noLimit {
		attrs = append(attrs, slog.Int64("limit_bytes", c.Limit))
	}
	if c.Percent != 0 {
		attrs = append(attrs, slog.Int("percent", c.Percent), slog.Uint64("headroom_bytes", c.Headroom))
	}
	return slog.GroupValue(attrs...)
}
