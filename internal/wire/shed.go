package wire

import (
	"context"
	"math"
	"net/http"
	"sync/atomic"
	"time"
)

// CodeOverloaded says that a request was refused before it was read, since this server has more to do than it can.
const CodeOverloaded = "SERVICE_OVERLOADED"

// overloaded is the refusal of what is shed.
var overloaded = refusal{http.StatusServiceUnavailable, CodeOverloaded, "this server has more to do than it can: come back in a moment"}

// overloadedBody is the refusal as it goes out. It is written once: refusing has to stay cheap when nothing else is.
var overloadedBody = marshal(refusalResponse(&overloaded))

// OverloadConfig is what an Overload goes by.
type OverloadConfig struct {
	MaxUnderWay int                  // requests at a time; 0: any number
	Delay       time.Duration        // how long goroutines may wait for a processor; 0: any time
	Least       int                  // requests at a time that are taken however long goroutines wait; 0: one
	Waited      func() time.Duration // how long they waited since the last call, see SchedulingDelay; it is called by Run alone. Needed with Delay
	Refused     func(code string)    // told of everything that is refused, from many goroutines; nil: nobody
}

// Overload bounds the requests under way. The bound is MaxUnderWay as long as the processor keeps up, whatever services take: who waits
// for them costs memory alone. When goroutines wait longer for the processor than they may, it comes down until they do not: see
// shedLimit. What is beyond it is refused at once and not queued, since a client that waits here has its work done late, and one that
// is sent away can go to another replica.
//
// A nil Overload takes everything. It is safe for concurrent use.
type Overload struct {
	config   OverloadConfig
	limit    atomic.Int64
	underWay atomic.Int64
	waited   atomic.Int64 // nanoseconds, in the last window
}

// NewOverload makes an Overload. Without Run it goes by MaxUnderWay alone.
func NewOverload(config OverloadConfig) *Overload {
	o := &Overload{config: config}
	if o.config.MaxUnderWay == 0 {
		o.config.MaxUnderWay = math.MaxInt32
	}
	o.limit.Store(int64(o.config.MaxUnderWay))
	return o
}

// Run looks every 100 ms how long goroutines wait, until ctx ends. It always returns nil.
func (o *Overload) Run(ctx context.Context) error {
	if o.config.Delay == 0 {
		return nil
	}
	limit := newShedLimit(o.config.Least, o.config.MaxUnderWay, o.config.Delay)
	ticker := time.NewTicker(shedWindow)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		waited := o.config.Waited()
		o.waited.Store(int64(waited))
		o.limit.Store(int64(limit.next(waited, o.UnderWay())))
	}
}

// UnderWay is how many requests have been taken and are not done.
func (o *Overload) UnderWay() int { return int(o.underWay.Load()) }

// Limit is how many may be, at this moment.
func (o *Overload) Limit() int { return int(o.limit.Load()) }

// Waited is how long goroutines waited for a processor when that was looked at last.
func (o *Overload) Waited() time.Duration { return time.Duration(o.waited.Load()) }

// Busy says whether goroutines wait more than half as long as they may.
func (o *Overload) Busy() bool { return o.config.Delay > 0 && o.Waited() > o.config.Delay/2 }

// enter takes one request more, which has to leave, or says that it is refused.
func (o *Overload) enter() bool {
	if o == nil {
		return true
	}
	if o.underWay.Add(1) <= o.limit.Load() {
		return true
	}
	o.underWay.Add(-1)
	if o.config.Refused != nil {
		o.config.Refused(CodeOverloaded)
	}
	return false
}

// Guard passes on to next what is taken, and has refused answer, under a Retry-After, what is not.
func (o *Overload) Guard(next, refused http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !o.enter() {
			w.Header().Set("Retry-After", "1")
			refused.ServeHTTP(w, r)
			return
		}
		defer o.leave()
		next.ServeHTTP(w, r)
	})
}

// leave ends what enter has taken.
func (o *Overload) leave() {
	if o != nil {
		o.underWay.Add(-1)
	}
}

// shed answers what is refused. The body is not read: net/http takes what little of it comes and keeps the connection.
func (x *exchange) shed() {
	x.w.Header().Set("Retry-After", "1")
	write(x.w, x.media, overloaded.status, overloadedBody)
}
