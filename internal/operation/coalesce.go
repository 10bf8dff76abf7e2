package operation

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Coalescing lets identical queries that overlap share one run: the same operation of the same document, with equal variables, for
// callers with the same rights, none of whom knew of a later change when they came than the run did when it began. The zero value shares
// what is nobody's and never told of a change; its functions may be nil. It is safe for concurrent use.
type Coalescing struct {
	Version func() uint64                   // grows with every change that this replica makes or hears of, before whoever caused it is answered
	Shares  func(object, field string) bool // whether a field may be answered by a run of another request; nil: every field
	Alone   func(context.Context) bool      // whether somebody watches this one run, which is therefore its own; nil: nobody does
	Joined  func()                          // told of each operation that joins another one's run; must not block

	mu   sync.Mutex
	runs map[runKey]*sharedRun // as many as operations that lead one
}

// sharedRun is one execution and those who wait for it. The first of them, its leader, executes it on its own goroutine, also for the
// others when it has left itself.
type sharedRun struct {
	// Guarded by Coalescing.mu.
	waiters int
	done    chan struct{} // closed once result stands; nil while the leader is alone
	cancel  context.CancelFunc

	result *Result // nil after a run that did not come to its end; nobody changes it
}

// execution is what a run does.
type execution struct {
	executor Executor
	op       *Prepared
	denied   Denied
	deadline time.Time // of the caller
	request  string    // its id
}

// alone executes within the caller's own time. late says that this ended before the work did.
func (e *execution) alone(ctx context.Context) (result *Result, late bool) {
	ctx, cancel := context.WithDeadline(ctx, e.deadline)
	defer cancel()
	result = e.executor.Execute(ctx, e.op, e.denied)
	return result, ctx.Err() != nil
}

// run executes, or waits for a run under way. The result is the caller's own, but for Data and the single errors, which it shares.
func (c *Coalescing) run(ctx context.Context, key runKey, e *execution) (result *Result, late bool) {
	for {
		r, joined := c.join(key)
		if !joined {
			return c.lead(ctx, key, r, e)
		}
		if result, late = c.follow(ctx, key, r, e); result != nil {
			return result, late
		}
	}
}

// join finds the run of a key, or makes it; who gets false leads it.
func (c *Coalescing) join(key runKey) (r *sharedRun, joined bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, joined = c.runs[key]; joined {
		if r.done == nil {
			r.done = make(chan struct{})
		}
		r.waiters++
		return r, true
	}
	r = &sharedRun{waiters: 1}
	if c.runs == nil {
		c.runs = map[runKey]*sharedRun{}
	}
	c.runs[key] = r
	return r, false
}

// lead executes a run, under a context that has the leader's values but ends only when the last waiter has left, or in time: what the
// leader has left is also what a run may take.
func (c *Coalescing) lead(ctx context.Context, key runKey, r *sharedRun, e *execution) (result *Result, late bool) {
	own, cancel := context.WithDeadline(context.WithoutCancel(ctx), e.deadline)
	r.cancel = cancel // nobody calls it before the leader has left
	stop := context.AfterFunc(ctx, func() { c.leave(key, r) })
	defer func() { // also when the executor panics
		stop()
		if c.land(key, r) {
			if result != nil && !late {
				r.result = result
				result = result.own()
			}
			close(r.done)
		}
		cancel()
	}()
	runtime.Gosched() // a run that never waits meets nobody, while requests that would join wait for this very processor
	result = e.executor.Execute(own, e.op, e.denied)
	late = own.Err() != nil
	return result, late
}

// follow waits for a run. It returns nil after one that came to nothing, because its leader had less time or panicked: then somebody
// else has to lead. A caller whose own time ends leaves, and executes what can be done without any.
func (c *Coalescing) follow(ctx context.Context, key runKey, r *sharedRun, e *execution) (result *Result, late bool) {
	if c.Joined != nil {
		c.Joined()
	}
	own, cancel := context.WithDeadline(ctx, e.deadline)
	defer cancel()
	select {
	case <-r.done:
	case <-own.Done():
		select {
		case <-r.done: // both at once
		default:
			c.leave(key, r)
			return e.executor.Execute(own, e.op, e.denied), true
		}
	}
	if r.result == nil {
		return nil, false
	}
	result = r.result.own()
	result.renameRequest(e.request)
	return result, false
}

// renameRequest puts the id of this request into errors that name another's, which may be of another person's choosing.
func (r *Result) renameRequest(id string) {
	for i, err := range r.Errors {
		if _, named := err.Extensions["requestId"]; named {
			own := *err
			own.Extensions = maps.Clone(err.Extensions)
			own.Extensions["requestId"] = id
			r.Errors[i] = &own
		}
	}
}

// leave takes a waiter out. The last one ends the run, and nobody joins it any more.
func (c *Coalescing) leave(key runKey, r *sharedRun) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.waiters--; r.waiters == 0 {
		r.cancel()
		c.forgetLocked(key, r)
	}
}

// land lets nobody join any more, and says whether somebody has.
func (c *Coalescing) land(key runKey, r *sharedRun) (shared bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetLocked(key, r)
	return r.done != nil
}

func (c *Coalescing) forgetLocked(key runKey, r *sharedRun) {
	if c.runs[key] == r {
		delete(c.runs, key)
	}
}

// own is a copy that can be added to and cut.
func (r *Result) own() *Result {
	own := *r
	own.Header, own.Errors = slices.Clone(r.Header), slices.Clone(r.Errors)
	own.Extensions = maps.Clone(r.Extensions)
	own.Data = slices.Clip(r.Data)
	return &own
}
