package resolvers

import (
	"context"
	"sync"
)

// effort is the read of a batch that only fields which began early have asked for. It is given up when all of them are dropped, and keys
// that anybody asks for later are read again. A nil effort is that of a batch which somebody wants in any case. It is safe for concurrent use.
type effort struct {
	whole  context.Context // of the response
	cancel context.CancelFunc
	mu     sync.Mutex
	wants  int  // fields that have not been dropped
	given  bool // up
	ended  bool
	stops  []func() bool
}

// effort is what reads the keys of these wishes, and the context to read in.
func (l *loader[K, V]) effort(wishes []*wish[K, V]) (context.Context, *effort) {
	for _, w := range wishes {
		if w.early == nil {
			return l.how.ctx, nil
		}
	}
	ctx, cancel := context.WithCancel(l.how.ctx)
	e := &effort{whole: l.how.ctx, cancel: cancel, wants: 1} // until all wishes have joined
	for _, w := range wishes {
		e.join(w.early)
	}
	e.leave()
	return ctx, e
}

// join has it go on for a field until early ends, or to its end when that is nil; false when it has been given up.
func (e *effort) join(early context.Context) bool {
	if e == nil {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.given || e.ended {
		return !e.given
	}
	e.wants++
	if early != nil {
		e.stops = append(e.stops, context.AfterFunc(early, e.leave))
	}
	return true
}

// leave is called when a field has been dropped. Where the whole response ends the read ends with it, for the same cause.
func (e *effort) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wants--; e.wants == 0 && !e.ended && e.whole.Err() == nil {
		e.given = true
		e.cancel()
	}
}

// end is called when the read has ended.
func (e *effort) end() {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	for _, stop := range e.stops {
		stop()
	}
	e.cancel()
}
