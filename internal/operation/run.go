package operation

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/auth"
)

// Call is who asked, and how a request can be told from others.
type Call struct {
	Viewer         auth.Viewer
	RequestID      string
	IdempotencyKey string // of a mutation; empty when the caller gave none
}

// Result is the answer to an operation. Data is JSON; nil means that it did not run, "null" that it came to nothing.
type Result struct {
	Data       []byte
	Errors     gqlerror.List
	Extensions map[string]any
}

// Pipeline prepares and runs operations. It is safe for concurrent use.
type Pipeline struct {
	*Preparer
	Executor Executor
	Timeout  time.Duration                                            // of one operation
	Enter    func(context.Context, Call) context.Context              // puts what the resolvers need of the call into the context
	Observe  func(context.Context, *Prepared, *Result, time.Duration) // told of every operation that ran
}

// Run runs a prepared operation. Its work ends when ctx does or the timeout has passed; the result is never nil.
func (p *Pipeline) Run(ctx context.Context, op *Prepared, call Call) *Result {
	start := time.Now()
	ctx, cancel := context.WithTimeout(auth.WithViewer(ctx, call.Viewer), p.Timeout)
	defer cancel()
	result := p.Executor.Execute(p.Enter(ctx, call), op)
	p.Observe(ctx, op, result, time.Since(start))
	return result
}
