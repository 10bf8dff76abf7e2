package demo

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what a service is made to suffer. The zero value is no fault. Several may come together.
type Fault struct {
	// Latency is added before every answer, up to ten minutes.
	Latency time.Duration
	// ErrorRate is the share of requests, 0 to 1, that are refused with Status without being carried out.
	ErrorRate float64
	// Status is that of refused requests, 400 to 599; 0 means 503.
	Status int
	// RetryAfter goes out with refusals, in whole seconds, rounded up; with 429 and 503 it is at least 1.
	RetryAfter time.Duration
	// Hang holds every request until the client leaves or the fault is lifted.
	Hang bool
	// Down refuses connections and breaks those that stand. Lifted, the service is back on the same port.
	Down bool
	// Body spoils answers after the request was carried out.
	Body BodyFault
	// For lifts the fault by itself after this time; 0 leaves it until Clear.
	For time.Duration
}

// BodyFault is a way to spoil the body of an answer.
type BodyFault string

// The ways to spoil a body.
const (
	BodyIntact    BodyFault = ""
	BodyReset     BodyFault = "reset"     // the connection is reset in the middle
	BodyTruncated BodyFault = "truncated" // half of the JSON, in a well-formed HTTP answer
	BodyNotJSON   BodyFault = "notJson"   // an HTML page that calls itself JSON
	BodyWrongType BodyFault = "wrongType" // the right body that calls itself HTML
	BodyHuge      BodyFault = "huge"      // 100 MB of it, streamed, well-formed JSON all the same
	BodyForeignID BodyFault = "foreignId" // one item, group or count more, under an id that was not asked for
	BodyMissingID BodyFault = "missingId" // one item, group or count less
)

// maxFaultTime bounds Latency and For.
const maxFaultTime = 24 * time.Hour

func (f Fault) check() error {
	switch {
	case f.Latency < 0 || f.Latency > 10*time.Minute:
		return errors.New("latency must lie between 0 and ten minutes")
	case !(f.ErrorRate >= 0 && f.ErrorRate <= 1):
		return errors.New("the error rate must lie between 0 and 1")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return errors.New("the status must lie between 400 and 599")
	case f.RetryAfter < 0 || f.RetryAfter > maxFaultTime:
		return errors.New("retry-after must lie between 0 and a day")
	case f.For < 0 || f.For > maxFaultTime:
		return errors.New("a fault can lift itself within a day")
	}
	switch f.Body {
	case BodyIntact, BodyReset, BodyTruncated, BodyNotJSON, BodyWrongType, BodyHuge, BodyForeignID, BodyMissingID:
		return nil
	}
	return fmt.Errorf("there is no body fault %q", f.Body)
}

// Faults is the fault switch of one service. Its methods may be called from many goroutines.
type Faults struct {
	current atomic.Pointer[activeFault] // nil: none

	mu       sync.Mutex
	door     *door
	timer    *time.Timer // lifts the current fault
	released chan struct{}
	over     bool // the service ends: requests are no longer held
}

// activeFault is a fault that is set; lifted is closed when it is no longer.
type activeFault struct {
	Fault
	faults *Faults
	lifted chan struct{}
}

func newFaults(d *door) *Faults { return &Faults{door: d, released: make(chan struct{})} }

// Set replaces the fault. When it returns, new requests meet it, and with Down connections are refused. It fails for
// values out of range, and, leaving Down, if the port cannot be taken again. The zero Fault is Clear.
func (f *Faults) Set(fault Fault) error {
	if err := fault.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.replace(fault)
}

// Clear lifts the fault. When it returns, connections are taken again. Without a fault it does nothing.
func (f *Faults) Clear() error { return f.Set(Fault{}) }

// Get returns the fault that is set, and false if there is none.
func (f *Faults) Get() (Fault, bool) {
	if a := f.current.Load(); a != nil {
		return a.Fault, true
	}
	return Fault{}, false
}

// replace needs the lock.
func (f *Faults) replace(fault Fault) error {
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
	var next *activeFault
	if fault != (Fault{}) {
		next = &activeFault{Fault: fault, faults: f, lifted: make(chan struct{})}
		if fault.For > 0 && !f.over {
			f.timer = time.AfterFunc(fault.For, func() { f.expire(next) })
		}
	}
	if before := f.current.Swap(next); before != nil {
		close(before.lifted)
	}
	if fault.Down {
		return f.door.shut()
	}
	return f.door.open()
}

// expire lifts a fault whose time is over, unless another took its place.
func (f *Faults) expire(a *activeFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current.Load() == a {
		f.replace(Fault{}) // the door stays shut until the next Clear
	}
}

// release lets go of requests that are held, now and later, because the service ends.
func (f *Faults) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over {
		f.over = true
		close(f.released)
	}
}

// close is release, and the end of the timer.
func (f *Faults) close() {
	f.release()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
	}
}
