package operation

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
	"tributary/internal/limit"
)

// leaseEvents is for how many events a member pays at a time.
const leaseEvents = 20

// Subscription is a member's part in a stream. There are many: the operation and its call are held by the group, once.
type Subscription struct {
	streams *Streams
	member  Member
	payer   limit.Caller
	view    *View
	expires time.Time // of the caller's token; zero for never
	cost    int64     // of one event
	waits   *group    // that it catches up with; guarded by the streams' mu

	mu       sync.Mutex // held while the member is called, so that after Close it is not
	gone     bool
	cancel   context.CancelFunc // ends catching up; nil once it has joined its group
	group    *group             // nil while it catches up
	position int64              // up to which the member has everything
	cursor   string             // behind it
	leased   int64              // points paid and not used
	decision *limit.Decision
}

// Close ends the part of the member: after it returns neither Deliver nor End is called. It must not be called from within them.
// A second call does nothing.
func (s *Subscription) Close() {
	s.depart(nil)
}

// Bookmark is the cursor up to which the member has everything that concerns it; empty if that is not known.
func (s *Subscription) Bookmark() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.group != nil {
		if position, cursor, ok := s.group.feed.Settled(); ok && position > s.position {
			s.position, s.cursor = position, cursor
		}
	}
	return s.cursor
}

// end tells the member why there is no more, and lets it go.
func (s *Subscription) end(reason EndReason, err *gqlerror.Error) {
	s.depart(func() {
		if s.streams.observe.Ended != nil {
			s.streams.observe.Ended(reason)
		}
		s.member.End(End{Reason: reason, Errors: gqlerror.List{s.resumable(err)}, Cursor: s.cursor})
	})
}

// resumable puts the cursor beside the code.
func (s *Subscription) resumable(err *gqlerror.Error) *gqlerror.Error {
	if s.cursor != "" {
		err.Extensions["cursor"] = s.cursor
	}
	return err
}

// depart takes the member out of everything; last is called before, unless somebody else was first.
func (s *Subscription) depart(last func()) {
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return
	}
	if last != nil {
		last()
	}
	s.gone = true
	group, cancel := s.group, s.cancel
	s.settleLocked()
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if group != nil {
		group.remove(s)
	}
	s.streams.mu.Lock()
	delete(s.streams.members, s)
	s.streams.mu.Unlock()
	s.streams.count(-1)
}

// deliver hands a payload over that stands at a position. It says whether the member is still there.
func (s *Subscription) deliver(position int64, p Payload) bool {
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return false
	}
	if position <= s.position { // it had that while it caught up
		s.mu.Unlock()
		return true
	}
	if wait, short := s.pay(); short {
		s.mu.Unlock()
		err := refuse(CodeThrottled, "the events cost more than may be spent: go on behind the cursor after retryAfterMs")
		err.Extensions["retryAfterMs"] = (wait + time.Millisecond - 1).Milliseconds()
		s.end(EndThrottled, err)
		return false
	}
	if !s.member.Deliver(p) {
		s.mu.Unlock()
		s.end(EndSlow, refuse(CodeSubscriptionTooSlow, "events came faster than they were taken: go on behind the cursor"))
		return false
	}
	s.position, s.cursor = position, p.Cursor
	s.mu.Unlock()
	if s.streams.observe.Delivered != nil {
		s.streams.observe.Delivered(1)
	}
	return true
}

// pass notes an event that there is nothing to say of.
func (s *Subscription) pass(position int64, cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if position > s.position {
		s.position, s.cursor = position, cursor
	}
}

// lease pays for the first events. A Result says why it cannot.
func (s *Subscription) lease(ctx context.Context, op *Prepared, call Call) *Result {
	bill := s.streams.pipeline.open(op, call)
	if result := bill.admit(ctx); result != nil {
		return result
	}
	s.payer, s.decision, s.leased = bill.payer(), bill.decision, s.cost
	return nil
}

// pay takes the price of one event off the lease, and leases more when it is used up.
func (s *Subscription) pay() (wait time.Duration, short bool) {
	limiter := s.streams.pipeline.Limiter
	if limiter == nil || s.cost == 0 || len(s.decision.Buckets) == 0 {
		return 0, false
	}
	if s.leased < s.cost {
		ctx := context.Background() // the limiter has a budget of its own
		block := s.cost * leaseEvents
		d := limiter.Admit(ctx, s.payer, block)
		if !d.Allowed {
			block = s.cost
			if d = limiter.Admit(ctx, s.payer, block); !d.Allowed {
				return d.RetryAfter, true
			}
		}
		s.decision, s.leased = d, s.leased+block
	}
	s.leased -= s.cost
	return 0, false
}

// settle gives back what was leased and not used.
func (s *Subscription) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleLocked()
}

func (s *Subscription) settleLocked() {
	if s.decision != nil && s.leased > 0 {
		s.streams.pipeline.Limiter.Refund(s.decision, s.leased)
	}
	s.leased = 0
}

// payload runs the operation for one event. said is false for an event that the subscription says nothing of.
func (s *Streams) payload(ctx context.Context, op *Prepared, call Call, item Item) (payload Payload, said bool) {
	p := s.pipeline
	start := time.Now()
	ctx, cancel := context.WithTimeout(auth.WithViewer(ctx, call.Viewer), p.Timeout)
	defer cancel()
	result := p.Executor.Execute(item.Enter(p.Enter(ctx, call)), op, op.protected.denied(call.Viewer))
	if s.observe.Executed != nil {
		s.observe.Executed()
	}
	if result.Outcome == Skipped && len(result.Errors) == 0 {
		return Payload{}, false
	}
	p.bound(result)
	op.tell(result)
	p.Observe(ctx, op, result, time.Since(start))
	data := result.Data
	if data == nil {
		data = []byte("null")
	}
	raw, err := json.Marshal(struct {
		Errors     gqlerror.List   `json:"errors,omitempty"`
		Data       json.RawMessage `json:"data"`
		Extensions map[string]any  `json:"extensions,omitempty"`
	}{result.Errors, data, result.Extensions})
	if err != nil { // data was written by the executor and extensions are ours
		raw = []byte(`{"data":null,"errors":[{"message":"something went wrong on our side","extensions":{"code":"INTERNAL"}}]}`)
	}
	return Payload{JSON: raw, Cursor: item.Cursor}, true
}

// failed says how a feed's error ends a subscription.
func failed(err error) (EndReason, *gqlerror.Error) {
	var slow *SlowFeedError
	switch {
	case errors.As(err, &slow):
		return EndSlow, refuse(CodeSubscriptionTooSlow, "events came faster than this server could answer them: go on behind the cursor")
	case errors.Is(err, ErrCursor):
		return EndError, refuse(CodeCursorExpired, "events that come next are no longer kept: read anew and subscribe without a cursor")
	}
	return EndError, refuse(CodeStreamFailed, "events cannot be had now: subscribe again behind the cursor")
}
