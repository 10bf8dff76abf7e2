package clients

import (
	"context"
	"time"
)

// Caller is whom the gateway calls a service for.
type Caller struct {
	Actor     UserID // sent as X-Actor; empty for anonymous callers
	RequestID string // sent as X-Request-Id; left out when empty or not 1 to 128 printable ASCII characters

	// IdempotencyKey is what each write derives its own key from, together with the service, the endpoint and the target.
	// Two writes of the same operation to the same endpoint, such as two posts created, must therefore be given different
	// keys by whoever starts them. Empty: every write draws a random key.
	IdempotencyKey string
}

// Call is one upstream attempt, or one piece of work that needed none.
type Call struct {
	Service  string
	Method   string
	Endpoint string // the path, with an id in it replaced by {id}
	Target   string // path and query as sent
	Keys     int    // keys asked for, 1 for a write
	Attempt  int    // 1 for the first; retries and hedges count on
	Status   int    // 0 without an answer
	Bytes    int    // of the body read
	Start    time.Time
	Duration time.Duration
	Cached   bool // Keys fresh values came from the cache; nothing was sent
	Joined   bool // the answer of an identical read already under way was shared; nothing was sent
	Stale    bool // Keys stale values came from the cache because of Err
	Err      error
}

type (
	callerKey   struct{}
	recorderKey struct{}
)

// WithCaller makes every call under the context one for the given caller.
func WithCaller(ctx context.Context, caller Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, caller)
}

// CallerFrom gives the caller that WithCaller put there, the zero Caller when none was.
func CallerFrom(ctx context.Context) Caller {
	caller, _ := ctx.Value(callerKey{}).(Caller)
	return caller
}

// WithRecorder has record called for every upstream attempt and every cached, joined or stale answer under the context.
// It must be safe for concurrent use, and may still be called shortly after a read has returned: for an attempt that lost
// against a hedge, or for one that other readers were waiting for as well.
func WithRecorder(ctx context.Context, record func(Call)) context.Context {
	return context.WithValue(ctx, recorderKey{}, record)
}

func recorderOf(ctx context.Context) func(Call) {
	record, _ := ctx.Value(recorderKey{}).(func(Call))
	return record
}
