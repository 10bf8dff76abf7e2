package webhook

// Error is a request that was refused for what it asked. Its message is for the caller.
type Error struct {
	Field   string // of the request, as the graph names it: url, eventTypes, secret, description, id, delivery, from or to; empty: all of it
	Code    string // one of the codes below
	Message string
}

// The codes of refusals.
const (
	CodeInvalid          = "INVALID"
	CodeTargetNotAllowed = "TARGET_NOT_ALLOWED"
	CodeUnknownEventType = "UNKNOWN_EVENT_TYPE"
	CodeTooMany          = "TOO_MANY"
	CodeNotFound         = "NOT_FOUND"
	CodeBusy             = "BUSY" // a replay is under way already
	CodeKeyReused        = "IDEMPOTENCY_KEY_REUSED"
)

// Error is the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(field, code, message string) *Error { return &Error{field, code, message} }

func unknownEndpoint() *Error {
	return refuse("id", CodeNotFound, "There is no such webhook.")
}
