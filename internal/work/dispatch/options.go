package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Options are the bounds of a Dispatcher, and who is told what it does. What is zero has its default.
type Options struct {
	Scale        float64       // multiplies the schedule of retries and GiveUp; default 1, smaller for tests
	GiveUp       time.Duration // how long a consumer may fail before it is disabled; default 5 days
	Window       int           // deliveries of one consumer under way; default 8
	Shared       int           // deliveries under way, of all consumers together, beside the first of each and repetitions by hand; default 64
	MaxConsumers int           // at a time, the first made; default 1,000
	Lease        time.Duration // for how long a consumer is held; renewed three times meanwhile; default 10 s
	Grace        time.Duration // for deliveries under way when Run is to end; default half of Lease, which it has to stay below

	// Durable tells the consumers that are never disabled: reactions of the gateway itself. nil: there are none.
	Durable func(Consumer) bool
	// OnDisabled is called before it is written that a consumer gets nothing any more because of its failures, at least once, again
	// after an error or a crash. The consumer is as it will be written. Replays just end. nil: nobody is told.
	OnDisabled func(ctx context.Context, c Consumer) error
	Observer   Observer
	Logger     *slog.Logger // default: none
}

// Observer is told what a dispatcher does. Any of its functions may be nil; they are called concurrently and must not block.
type Observer struct {
	Attempted func(c Consumer, d Delivery) // an attempt has ended, in whichever way; it may not be written down yet
	Disabled  func(c Consumer)             // written down
	Refreshed func(o Overview)             // every few seconds
}

// Overview is how a dispatcher stands.
type Overview struct {
	Consumers, Failing, Disabled int   // of all processes
	Held                         int   // by this dispatcher
	Lag                          int64 // events between the end of the log and the last of those held
}

func (o Options) withDefaults() Options {
	o.Scale = cmp.Or(o.Scale, 1)
	o.GiveUp = cmp.Or(o.GiveUp, 5*24*time.Hour)
	o.Window = cmp.Or(o.Window, 8)
	o.Shared = cmp.Or(o.Shared, 64)
	o.MaxConsumers = cmp.Or(o.MaxConsumers, 1000)
	o.Lease = cmp.Or(o.Lease, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, o.Lease/2)
	if o.Durable == nil {
		o.Durable = func(Consumer) bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
