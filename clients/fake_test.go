package clients

import (
	"context"

	"github.com/failsafe-go/failsafe-go"
)

// fakeAttempt is what failsafe tells the functions that choose delays.
type fakeAttempt struct {
	failsafe.ExecutionAttempt[any]
	ctx     context.Context
	retries int
}

func (a fakeAttempt) Context() context.Context { return a.ctx }
func (a fakeAttempt) Retries() int             { return a.retries }
