package clients

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Answer is what one key of a read came to. A key that does not exist has no Answer in the map.
type Answer[V any] struct {
	Value V
	Stale *Outage // non-nil: Value is from the cache, because the service failed
	Err   error   // the key could not be read: an *Error, or the caller's own context error
}

// Outage says why a service's answer is missing or stale. It names no address and carries no text of the service.
type Outage struct {
	Service    string // user, post, comment or follower
	Reason     Reason
	Age        time.Duration // age of the stale value; 0 when there is none
	RetryAfter time.Duration // when it is worth asking again; 0 when that is not known
	Unasked    bool          // the call was not made: the breaker was open, or there was no room for it
}

// Reason is an outage as the graph's clients see it.
type Reason string

// The reasons of an outage.
const (
	Unavailable Reason = "SERVICE_UNAVAILABLE" // refused, reset, 5xx, 429, nonsense, or no room for the call
	Timeout     Reason = "TIMEOUT"             // no answer in time
	CircuitOpen Reason = "CIRCUIT_OPEN"        // not asked at all, because it has been failing
)

// ErrorKind says what a failed call means to its caller.
type ErrorKind string

// The kinds of an Error.
const (
	KindNotFound       ErrorKind = "not found"       // the target of a write does not exist
	KindInvalid        ErrorKind = "invalid"         // 400, 422: what was sent is wrong, see Fields and Code
	KindConflict       ErrorKind = "conflict"        // 409, 412: the state or the version forbids it
	KindUnavailable    ErrorKind = "unavailable"     // an outage; of a write: certainly not done
	KindUnknownOutcome ErrorKind = "unknown outcome" // an outage during a write that may have been done
	KindInternal       ErrorKind = "internal"        // any other answer, such as 401: the two sides disagree about the contract
)

// ErrContract is wrapped by errors about answers that break the services' contract.
var ErrContract = errors.New("answer breaks the contract")

// Error is a failed call. Its text is for the log, not for the graph's clients.
type Error struct {
	Kind    ErrorKind
	Service string
	Outage  *Outage      // non-nil for KindUnavailable and KindUnknownOutcome
	Status  int          // of the answer; 0 when there was none
	Code    string       // the problem document's code, "" without one
	Fields  []FieldError // what a 422 complains about
	Version int          // the current version, where a 412 names it; else 0

	err       error
	abandoned bool // another attempt within this call would be pointless
	applied   bool // a write that may have been done all the same
}

// FieldError is one complaint of a 422: the member, the contract's field code and the service's words.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error describes the failure for the log.
func (e *Error) Error() string {
	text := e.Service + " service: " + string(e.Kind)
	if e.Status != 0 {
		text += ", status " + strconv.Itoa(e.Status)
	}
	if e.Code != "" {
		text += ", code " + strconv.Quote(e.Code)
	}
	if e.Outage != nil && e.Outage.Reason != Unavailable {
		text += ", " + string(e.Outage.Reason)
	}
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return e.err }

// unavailable is an outage of a service for the given reason.
func unavailable(service string, reason Reason, err error) *Error {
	return &Error{Kind: KindUnavailable, Service: service, Outage: &Outage{Service: service, Reason: reason}, err: err}
}

// breach is an outage that consists of an answer nobody can use. It wraps ErrContract.
func breach(service, format string, args ...any) *Error {
	return unavailable(service, Unavailable, fmt.Errorf("%w: %s", ErrContract, fmt.Sprintf(format, args...)))
}

// invalid is a request that is refused without asking the service.
func invalid(service string, err error) *Error {
	return &Error{Kind: KindInvalid, Service: service, Code: "BAD_REQUEST", err: err}
}

// kindOf is the kind of a failed call; empty for a caller's own context error.
func kindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
