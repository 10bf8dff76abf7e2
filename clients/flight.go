package clients

import (
	"context"
	"fmt"
	"sync"
)

// flights lets identical reads that overlap share one answer. Its size is bounded by the number of readers waiting.
type flights struct {
	mu sync.Mutex
	m  map[flightKey]*flight
}

// flightKey names what is read, and the last invalidation of any part of it: a read never joins one from before a write.
type flightKey struct {
	target     string
	generation uint64
}

type flight struct {
	done    chan struct{} // closed once value and err stand
	value   any
	err     error
	waiters int // guarded by flights.mu
	cancel  context.CancelFunc
}

// fly runs a read, or joins an identical one under way. The read runs under a context of its own that has the first
// reader's values and ends when the last reader has left; the service's gate waits for its goroutine. The error is the
// reader's own context error, or says that the service's client is closed.
func fly[T any](ctx context.Context, s *service, key flightKey, read func(context.Context) T) (value T, joined bool, err error) {
	if err := ctx.Err(); err != nil {
		return value, false, err
	}
	if s.coalesceOff {
		return read(ctx), false, nil
	}
	f, joined := s.flights.join(key)
	if !joined {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f.cancel = cancel
		if !s.gate.enter() {
			f.err = s.closed()
			s.flights.land(key, f)
		} else {
			go func() {
				defer s.gate.leave()
				defer s.flights.land(key, f)
				defer func() {
					if r := recover(); r != nil {
						f.err = &Error{Kind: KindInternal, Service: s.name, err: fmt.Errorf("panic: %v", r)}
					}
				}()
				GrowStack()
				f.value = read(own)
			}()
		}
	}
	select {
	case <-f.done:
		if f.err != nil {
			return value, joined, f.err
		}
		return f.value.(T), joined, nil
	case <-ctx.Done():
		s.flights.leave(key, f)
		return value, joined, ctx.Err()
	}
}

// join finds the flight of a key, or makes it; whoever gets false must run it.
func (fs *flights) join(key flightKey) (f *flight, joined bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f, joined = fs.m[key]; joined {
		f.waiters++
		return f, true
	}
	f = &flight{done: make(chan struct{}), waiters: 1}
	if fs.m == nil {
		fs.m = make(map[flightKey]*flight)
	}
	fs.m[key] = f
	return f, false
}

// leave takes a reader out. The last one to leave ends the flight, and nobody joins it any more.
func (fs *flights) leave(key flightKey, f *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		if fs.m[key] == f {
			delete(fs.m, key)
		}
	}
}

// land publishes the result of a flight.
func (fs *flights) land(key flightKey, f *flight) {
	fs.mu.Lock()
	if fs.m[key] == f {
		delete(fs.m, key)
	}
	fs.mu.Unlock()
	f.cancel()
	close(f.done)
}

// gate counts the work under way, so that closing can wait for it.
type gate struct {
	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

// enter admits a piece of work unless the gate is closed. Who is admitted must leave.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Add(1)
	return true
}

func (g *gate) leave() { g.work.Done() }

// close admits nothing any more and waits for what is under way.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.work.Wait()
}
