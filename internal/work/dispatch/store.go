package dispatch

import (
	"context"
	"errors"
	"time"
)

// KeptDeliveries is how many deliveries the log of one consumer keeps, the latest ones.
const KeptDeliveries = 1000

// Store keeps consumers and what was delivered to them. Its methods are safe for concurrent use, by several processes too. There are
// two: SQLite for a single process and Redis for replicas.
type Store interface {
	// Consumers returns all of them, in the order of their making.
	Consumers(ctx context.Context) ([]Consumer, error)
	// Change makes, changes or removes a consumer, all of it or nothing: change is called with the present one, nil where there is
	// none, again if somebody else was faster; it must not call the Store. What it returns is kept with the next Revision, and
	// returned; nil removes the consumer with its log and its lease. ID, Revision and Deliveries are the Store's to set. An error of
	// change is returned as it is and changes nothing.
	Change(ctx context.Context, id string, change func(*Consumer) (*Consumer, error)) (*Consumer, error)
	// Progress writes deliveries to the log of a consumer, setting their Numbers in the slice, and then moves its progress on, in one
	// step: LogID, Position, State, Reason, Attempts, FailingSince and RetryAt of next. ErrLeaseLost if the holder does not hold the
	// lease of the consumer, or the consumer's Revision is no longer that of next: nothing is kept then. An empty holder asks for no
	// lease and moves nothing: it only writes the deliveries, or returns ErrUnknown if there is no such consumer.
	Progress(ctx context.Context, holder string, next Consumer, deliveries []Delivery) error
	// Deliveries returns up to limit deliveries of a consumer with numbers below before (0: no bound), the latest first; none for
	// an unknown one.
	Deliveries(ctx context.Context, id string, before int64, limit int) ([]Delivery, error)
	// Lease takes or renews the leases of consumers for a time by the store's own clock, in milliseconds, and returns the ids of those
	// that the holder has now, in the order asked: those that nobody held, or whose lease has run out, or that were the holder's.
	// There is none of an unknown consumer. A ttl of 0 gives them back.
	Lease(ctx context.Context, holder string, ids []string, ttl time.Duration) (held []string, err error)
}

// ErrLeaseLost says that another process has taken a consumer over, or that the consumer was changed meanwhile.
var ErrLeaseLost = errors.New("the consumer is no longer this holder's")

// ErrUnknown says that there is no such consumer.
var ErrUnknown = errors.New("no such consumer")
