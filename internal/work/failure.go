package work

import (
	"context"
	"errors"
	"time"
)

// The codes of failures that the engine itself finds. Steps have their own, by Explain.
const (
	CodeInternal    = "INTERNAL"     // an error that nobody explained, or a panic
	CodeTimeout     = "TIMEOUT"      // a deadline passed
	CodeInterrupted = "INTERRUPTED"  // the process ended during the last attempt
	CodeUnknownWork = "UNKNOWN_WORK" // nothing with this name is registered
)

// Explain gives an error a code and a message that callers may see: without addresses, secrets or anything of a person. The error
// itself is for the log. nil stays nil.
func Explain(err error, code, message string) error {
	if err == nil {
		return nil
	}
	return &explainedError{err, code, message}
}

type explainedError struct {
	error
	code, message string
}

func (e *explainedError) Unwrap() error { return e.error }

// failureOf is what callers may know of an error.
func failureOf(err error, at time.Time) *Failure {
	if e, ok := errors.AsType[*explainedError](err); ok {
		return &Failure{Code: e.code, Message: e.message, At: at}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Failure{Code: CodeTimeout, Message: "it took too long", At: at}
	}
	return &Failure{Code: CodeInternal, Message: "it failed", At: at}
}

// errInterrupted is the failure of a last attempt that the end of its process cut short.
var errInterrupted = Explain(errors.New("interrupted"), CodeInterrupted, "it was interrupted, and may have been done")

// errUnregistered is the failure of work that no definition is registered for.
var errUnregistered = Explain(errors.New("not registered"), CodeUnknownWork, "this version does not know such work")
