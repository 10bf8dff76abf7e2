package resolvers

import (
	"context"
	"errors"

	"tributary/clients"
	"tributary/graph"
)

// problem is a userError about one member of the input; no member is the request as a whole.
func problem(code graph.UserErrorCode, message string, member ...string) []*graph.UserError {
	var field []string
	if len(member) > 0 {
		field = append([]string{"input"}, member...)
	}
	return []*graph.UserError{{Field: field, Message: message, Code: code}}
}

// none is the userErrors of what went well: the list is never null.
func none() []*graph.UserError { return []*graph.UserError{} }

// written is the outcome of a write: what it gave, or what of it the person who asked can mend, or an error.
func written[V any](v *V, err error) (*V, []*graph.UserError, error) {
	if err != nil {
		userErrors, err := problems(err)
		return nil, userErrors, err
	}
	return v, none(), nil
}

// asServiceError finds the failed call in err.
func asServiceError(err error) (*clients.Error, bool) { return errors.AsType[*clients.Error](err) }

// problems tells what of a failed write the person who asked can mend; any other failure stays an error.
func problems(err error) ([]*graph.UserError, error) {
	failed, ok := asServiceError(err)
	if !ok {
		return nil, err
	}
	switch failed.Kind {
	case clients.KindNotFound:
		return problem(graph.UserErrorCodeNotFound, "it does not exist"), nil
	case clients.KindConflict:
		return problem(graph.UserErrorCodeConflict, "it has changed meanwhile: read it again"), nil
	case clients.KindInvalid:
		return invalid(failed), nil
	}
	return nil, err
}

// fieldCodes are the contract's codes of 422 that the graph knows too; any other is INVALID.
var fieldCodes = map[string]graph.UserErrorCode{
	"REQUIRED": graph.UserErrorCodeRequired, "TOO_SHORT": graph.UserErrorCodeTooShort,
	"TOO_LONG": graph.UserErrorCodeTooLong, "TAKEN": graph.UserErrorCodeTaken,
}

func invalid(failed *clients.Error) []*graph.UserError {
	if failed.Code == string(graph.UserErrorCodeIdempotencyKeyReused) {
		return problem(graph.UserErrorCodeIdempotencyKeyReused, "this Idempotency-Key was used for another request")
	}
	if len(failed.Fields) == 0 {
		return problem(graph.UserErrorCodeInvalid, "it was refused as invalid")
	}
	list := make([]*graph.UserError, 0, len(failed.Fields))
	for _, f := range failed.Fields {
		code, ok := fieldCodes[f.Code]
		if !ok {
			code = graph.UserErrorCodeInvalid
		}
		list = append(list, &graph.UserError{Field: []string{"input", f.Field}, Message: f.Message, Code: code})
	}
	return list
}

// current reads one entity for a command, which must not act on what may no longer be so: a stale answer counts as none.
func current[K comparable, V any](ctx context.Context, fetch func(context.Context, []K) map[K]clients.Answer[V], key K) (value V, ok bool, err error) {
	answer, ok := fetch(ctx, []K{key})[key]
	switch {
	case !ok:
		return value, false, nil
	case answer.Err != nil:
		return value, false, answer.Err
	case answer.Stale != nil:
		return value, false, &clients.Error{Kind: clients.KindUnavailable, Service: answer.Stale.Service, Outage: answer.Stale}
	}
	return answer.Value, true, nil
}
