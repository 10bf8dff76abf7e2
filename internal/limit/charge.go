package limit

import "context"

// Charge is what an operation that runs was charged.
type Charge struct {
	Requested int64     // points, estimated before it ran
	Decision  *Decision // nil where nothing is limited
}

type contextKey struct{}

// WithCharge puts the charge of an operation into its context.
func WithCharge(ctx context.Context, c Charge) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// ChargeFrom gives the charge of the operation, the zero Charge when none was put there.
func ChargeFrom(ctx context.Context) Charge {
	c, _ := ctx.Value(contextKey{}).(Charge)
	return c
}
