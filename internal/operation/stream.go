package operation

import (
	"context"
	"errors"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Payload is one answer of a subscription.
type Payload struct {
	JSON   []byte // a whole GraphQL response; shared by all members of a stream and not to be changed
	Cursor string // behind which the subscription can go on; empty for an operation that has none
}

// EndReason says why a subscription ended.
type EndReason string

// The reasons of an end.
const (
	EndComplete        EndReason = "complete"        // there is nothing more to come
	EndError           EndReason = "error"           // it cannot go on
	EndSlow            EndReason = "slow"            // the member did not take what there was
	EndThrottled       EndReason = "throttled"       // its caller has spent too much
	EndUnauthenticated EndReason = "unauthenticated" // its caller's token has expired
	EndDraining        EndReason = "draining"        // this server stops
)

// The codes of errors that end a subscription.
const (
	CodeSubscriptionTooSlow = "SUBSCRIPTION_TOO_SLOW"
	CodeCursorExpired       = "CURSOR_EXPIRED"
	CodeTokenExpired        = "UNAUTHENTICATED"
	CodeDraining            = "SERVER_DRAINING"
	CodeStreamsFull         = "TOO_MANY_SUBSCRIPTIONS"
	CodeStreamFailed        = "INTERNAL"
	CodeNotASubscription    = "BAD_REQUEST"
)

// End is how a subscription ended. Errors are empty for EndComplete.
type End struct {
	Reason EndReason
	Errors gqlerror.List
	Cursor string // behind which it can go on elsewhere or later; empty when it cannot
}

// Member is a client that takes part in a stream: an operation of a websocket, or an SSE response. Its methods are called by one
// goroutine at a time.
type Member interface {
	// Deliver hands over the next payload. It must not block; false says that the member is too slow, and ends it.
	Deliver(Payload) bool
	// End says that nothing more comes. It is called at most once, and not after Subscription.Close.
	End(End)
}

// Item is one event of a feed.
type Item struct {
	Position int64                                 // grows along the feed, and is the same for all feeds of a source
	Cursor   string                                // behind it
	Enter    func(context.Context) context.Context // puts the event where the resolvers find it
}

// Feed gives the events that one subscription is about, in order. Next is called by one goroutine at a time.
type Feed struct {
	Next     func(context.Context) (Item, error)    // waits; an error ends the feed
	Position func() (position int64, cursor string) // up to which everything has been taken
	// Settled is Position for others than who calls Next: ok is false as long as that one may not be done with what Next gave.
	Settled func() (position int64, cursor string, ok bool)
	Close   func()
}

// ErrCursor is wrapped by the errors of a feed that cannot go on behind the cursor it was given.
var ErrCursor = errors.New("the cursor has expired")

// SlowFeedError ends a feed whose events were not taken in time.
type SlowFeedError struct{ Cursor string }

func (e *SlowFeedError) Error() string { return "events were not taken in time" }

// Source is where the feeds of subscriptions come from.
type Source struct {
	// Opening gives a context for the operation to run in once, so that its root field says what it wants to hear of and refuses what
	// it may not, and open, which then opens its feed: from now on, or resumed behind the cursor that the operation or else the
	// transport names, if one does.
	Opening func(context.Context) (opening context.Context, open func(ctx context.Context, resume bool, after string) (Feed, error))
}
