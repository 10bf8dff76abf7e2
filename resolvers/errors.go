package resolvers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/clients"
	"tributary/internal/auth"
	"tributary/internal/relay"
	"tributary/internal/usage"
)

// The codes of errors, in extensions.code. Those of a request that is refused before it runs are package operation's.
const (
	CodeUnauthenticated  = "UNAUTHENTICATED"
	CodeForbidden        = "FORBIDDEN"
	CodeBadUserInput     = "BAD_USER_INPUT"
	CodeTimeout          = "TIMEOUT"
	CodeCancelled        = "CANCELLED"
	CodeOutcomeUnknown   = "OUTCOME_UNKNOWN"
	CodeInternal         = "INTERNAL"
	CodeHistoryExpired   = "HISTORY_EXPIRED"
	CodeWorkDisabled     = "WORK_DISABLED"
	CodeUsageUnavailable = "USAGE_UNAVAILABLE"

	CodeUnknownEntityType      = "UNKNOWN_ENTITY_TYPE"
	CodeBadRepresentation      = "BAD_REPRESENTATION"
	CodeTooManyRepresentations = "TOO_MANY_REPRESENTATIONS"
)

// errHistoryExpired says that the log does not reach back to what was asked for.
var errHistoryExpired = errors.New("history expired")

// errPanic stands for a panic whose value and stack are in the log.
var errPanic = errors.New("panic in a resolver")

// Recover logs a panic and gives the error that stands for it. It is gqlgen's recover function.
func (r *Resolver) Recover(ctx context.Context, value any) error {
	r.Logger.ErrorContext(ctx, "panic", "request_id", clients.CallerFrom(ctx).RequestID, "value", fmt.Sprint(value), "stack", string(debug.Stack()))
	return errPanic
}

// Present turns an error of a resolver into the one that the caller sees: a sentence, a code and, for a failed service, which
// one and when to come back. The cause goes to the log. It is gqlgen's error presenter.
func (r *Resolver) Present(ctx context.Context, err error) *gqlerror.Error {
	presented := graphql.DefaultErrorPresenter(ctx, err)
	if presented.Extensions["code"] != nil {
		return presented
	}
	presented.Message, presented.Extensions = r.describe(ctx, presented, err)
	if presented.Extensions["code"] == CodeBadUserInput {
		presented.Path = fieldOf(ctx, presented.Path)
	}
	failed, ok := asServiceError(err)
	presented.Err = nil // which err may share, so that its cause is gone from here on
	if ok && failed.Outage != nil && failed.Outage.Unasked {
		presented.Err = errUnasked
	}
	return presented
}

// errUnasked stands behind a presented error whose service was not asked.
var errUnasked = errors.New("the service was not asked")

// fieldOf cuts off a path what gqlgen appends for an argument: a path leads through the response, and arguments are not there.
func fieldOf(ctx context.Context, path ast.Path) ast.Path {
	field := graphql.GetFieldContext(ctx)
	if field == nil {
		return path
	}
	if own := field.Path(); len(path) > len(own) && slices.Equal(path[:len(own)], own) {
		return own
	}
	return path
}

func (r *Resolver) describe(ctx context.Context, at *gqlerror.Error, err error) (string, map[string]any) {
	coded := func(code string) map[string]any { return map[string]any{"code": code} }
	failed, _ := asServiceError(err)
	if refused, ok := errors.AsType[*representationError](err); ok {
		return refused.message, coded(refused.code)
	}
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		return "this needs a token: send Authorization: Bearer …", coded(CodeUnauthenticated)
	case errors.Is(err, auth.ErrForbidden):
		return "this is not allowed to you", coded(CodeForbidden)
	case errors.Is(err, errInput), errors.Is(err, relay.ErrPaging), errors.Is(err, clients.ErrMalformedID), errors.Is(err, clients.ErrMalformedCursor):
		return cause(err).Error(), coded(CodeBadUserInput)
	case errors.Is(err, errHistoryExpired):
		return "the history of this does not reach back so far", coded(CodeHistoryExpired)
	case errors.Is(err, errWorkDisabled):
		return errWorkDisabled.Error(), coded(CodeWorkDisabled)
	case isCoercion(err):
		return "an argument has a value out of range", coded(CodeBadUserInput)
	case errors.Is(err, usage.ErrUnavailable):
		r.Logger.WarnContext(ctx, "use of deprecated elements unknown", "request_id", clients.CallerFrom(ctx).RequestID, "error", err)
		return usage.ErrUnavailable.Error() + ": come back in a moment", coded(CodeUsageUnavailable)
	case failed != nil:
		return r.describeService(ctx, at, failed)
	case errors.Is(err, context.DeadlineExceeded):
		return "the operation took longer than it may", coded(CodeTimeout)
	case errors.Is(err, context.Canceled):
		return "the operation was cancelled", coded(CodeCancelled)
	}
	return r.internal(ctx, at, err)
}

func (r *Resolver) describeService(ctx context.Context, at *gqlerror.Error, failed *clients.Error) (string, map[string]any) {
	id := clients.CallerFrom(ctx).RequestID
	switch failed.Kind {
	case clients.KindUnknownOutcome:
		r.Logger.WarnContext(ctx, "outcome unknown", "request_id", id, "service", failed.Service, "path", at.Path.String(), "error", failed)
		return fmt.Sprintf("the %s service did not say whether the write took effect: read before you try again, or repeat it with the same Idempotency-Key", failed.Service),
			map[string]any{"code": CodeOutcomeUnknown, "service": failed.Service}
	case clients.KindUnavailable:
		if s, ok := ctx.Value(scopeKey{}).(*scope); ok && s.report.missing(ctx, at.Path, failed.Outage) {
			r.Logger.WarnContext(ctx, "service failed", "request_id", id, "service", failed.Service, "path", at.Path.String(), "error", failed)
		}
		extensions := map[string]any{"code": string(failed.Outage.Reason), "service": failed.Service}
		if ms := failed.Outage.RetryAfter.Milliseconds(); ms > 0 {
			extensions["retryAfterMs"] = ms
		}
		return outageMessage(failed), extensions
	}
	return r.internal(ctx, at, failed)
}

// Free says whether a field failed without any work: its service was not asked, since its breaker was open or it had too many
// calls under way.
func Free(err *gqlerror.Error) bool {
	return errors.Is(err.Err, errUnasked)
}

func outageMessage(failed *clients.Error) string {
	switch failed.Outage.Reason {
	case clients.Timeout:
		return fmt.Sprintf("the %s service did not answer in time", failed.Service)
	case clients.CircuitOpen:
		return fmt.Sprintf("the %s service is failing and is given time to recover", failed.Service)
	default:
		return fmt.Sprintf("the %s service is not available", failed.Service)
	}
}

func (r *Resolver) internal(ctx context.Context, at *gqlerror.Error, err error) (string, map[string]any) {
	id := clients.CallerFrom(ctx).RequestID
	if !errors.Is(err, errPanic) { // logged where it was caught
		r.Logger.ErrorContext(ctx, "internal error", "request_id", id, "path", at.Path.String(), "error", err.Error(), slog.String("type", fmt.Sprintf("%T", cause(err))))
	}
	extensions := map[string]any{"code": CodeInternal}
	if id != "" {
		extensions["requestId"] = id
	}
	return "something went wrong on our side", extensions
}

// isCoercion says whether gqlgen refused an argument's value.
func isCoercion(err error) bool {
	var number *strconv.NumError
	var integer *graphql.IntegerError
	return errors.As(err, &number) || errors.As(err, &integer)
}

// cause strips the path that gqlgen puts around an error, whose text would stand in the message.
func cause(err error) error {
	var at *gqlerror.Error
	for errors.As(err, &at) && at.Err != nil {
		err = at.Err
	}
	return err
}

// errInput is wrapped by refusals of arguments that no more special error names; its text is for the caller.
var errInput = errors.New("bad argument")

// gqlErrorAt places an error, so that it is presented as one of that path.
func gqlErrorAt(path ast.Path, err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error(), Path: path}
}
