package event

import "context"

// Opening is what the root field of a subscription says it wants to hear of.
type Opening struct {
	Topics []string // see Topics
	After  string   // the cursor that the operation names; empty for from now on
}

type (
	openingKey  struct{}
	deliveryKey struct{}
)

// WithOpening has a subscription's root field write down what it wants instead of answering.
func WithOpening(ctx context.Context, o *Opening) context.Context {
	return context.WithValue(ctx, openingKey{}, o)
}

// OpeningFrom gives what to write down into, nil when the operation answers an event.
func OpeningFrom(ctx context.Context) *Opening {
	o, _ := ctx.Value(openingKey{}).(*Opening)
	return o
}

// Delivery is an event that an operation answers.
type Delivery struct {
	Event
	Cursor string // behind the event
}

// WithDelivery has an operation answer an event.
func WithDelivery(ctx context.Context, d Delivery) context.Context {
	return context.WithValue(ctx, deliveryKey{}, d)
}

// DeliveryFrom gives the event that the operation answers; ok is false when there is none.
func DeliveryFrom(ctx context.Context) (d Delivery, ok bool) {
	d, ok = ctx.Value(deliveryKey{}).(Delivery)
	return d, ok
}
