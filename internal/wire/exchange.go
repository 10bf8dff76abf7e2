package wire

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/auth"
	"tributary/internal/operation"
)

// answer is what one operation, or the refusal of it, gives: a response with its status and fields for the header.
type answer struct {
	status int
	header []operation.Field
	ran    bool
	response
}

// identify tells for whom and how the operations of a request run.
func (x *exchange) identify() (operation.Call, *refusal) {
	var debug operation.CostDebug
	switch x.r.Header.Get("Graphql-Cost-Debug") { // as net/http writes it: any other way costs an allocation
	case "":
	case "1":
		debug = operation.CostDebugFields
	case "dry-run":
		debug = operation.CostDebugDryRun
	default:
		return operation.Call{}, badRequest("GraphQL-Cost-Debug must be 1 or dry-run")
	}
	viewer, ip, err := x.who()
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		x.w.Header().Set("Retry-After", "1")
		return operation.Call{}, &refusal{http.StatusServiceUnavailable, CodeServiceUnavailable, "who calls cannot be checked now: come back in a moment"}
	case err != nil:
		x.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		return operation.Call{}, &refusal{http.StatusUnauthorized, CodeUnauthenticated, "the token or key is not valid here: get a new one"}
	}
	client, version := Client(x.r.Header)
	return operation.Call{
		Viewer: viewer, IP: ip, Client: client, ClientVersion: version, CostDebug: debug, RequestID: RequestID(x.r.Context()), IdempotencyKey: x.r.Header.Get("Idempotency-Key"),
	}, nil
}

// run answers one operation that is no subscription.
func (x *exchange) run(req request, call operation.Call) answer {
	prepared, refused := x.prepare(req, call)
	if refused != nil {
		return *refused
	}
	return x.runPrepared(prepared, call)
}

func (x *exchange) runPrepared(prepared *operation.Prepared, call operation.Call) answer {
	if prepared.Kind() == ast.Subscription {
		return x.refusalAnswer(&refusal{http.StatusNotAcceptable, CodeNotAcceptable, "a subscription is answered as " + mediaEvents + ", by itself, or over a websocket"})
	}
	return x.framed(x.Pipeline.Run(x.r.Context(), prepared, call))
}

// prepare gets one operation ready, or gives the answer that refuses it.
func (x *exchange) prepare(req request, call operation.Call) (*operation.Prepared, *answer) {
	refuse := func(refused *refusal, header ...operation.Field) (*operation.Prepared, *answer) {
		a := x.refusalAnswer(refused)
		a.header = header
		return nil, &a
	}
	if req.refused != nil {
		return refuse(req.refused)
	}
	ctx := x.r.Context()
	registration, refused := x.Persisted.Resolve(ctx, &req.Request, req.named, x.FreeDocuments != nil && x.FreeDocuments(call.Viewer))
	switch {
	case refused != nil:
		return refuse(refused)
	case req.Query == "":
		return refuse(badRequest("query must be a string with a GraphQL document"))
	}
	prepared, errs := x.Pipeline.Prepare(x.view, req.Request)
	if errs != nil {
		return nil, &answer{status: refusedStatus(x.media), response: response{Errors: errs}}
	}
	if !x.takesMethod(prepared.Kind()) {
		return refuse(&refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "send this operation by POST"}, operation.Field{Name: "Allow", Value: http.MethodPost})
	}
	x.Persisted.Accept(ctx, registration)
	return prepared, nil
}

// takesMethod says whether the request's method may ask for an operation: a mutation needs POST, and a stream has a body.
func (x *exchange) takesMethod(kind ast.Operation) bool {
	switch x.r.Method {
	case http.MethodPost:
		return true
	case http.MethodGet:
		return kind != ast.Mutation
	}
	return kind == ast.Query
}

// framed gives a result the status that its outcome has in the media type of the answer. Only what ran has data.
func (x *exchange) framed(result *operation.Result) answer {
	framed := answer{header: result.Header, response: response{Errors: result.Errors, Extensions: result.Extensions}}
	switch result.Outcome {
	case operation.Throttled:
		framed.status = http.StatusTooManyRequests
	case operation.Refused:
		framed.status = refusedStatus(x.media)
	default:
		framed.status, framed.ran, framed.Data, framed.finished = http.StatusOK, true, result.Data, result.Finished
	}
	return framed
}

func (x *exchange) refusalAnswer(refused *refusal) answer {
	status := refused.status
	if status == statusOfRequestError {
		status = refusedStatus(x.media)
	}
	return answer{status: status, response: refusalResponse(refused)}
}

// refusedStatus is that of a well-formed request whose operation cannot run. In plain JSON it is 200: other programs on the way
// answer in JSON too, and only 200 says that this is GraphQL's own answer.
func refusedStatus(media string) int {
	if media == mediaJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// setFields sets fields, of which several may have the same name.
func setFields(header http.Header, fields []operation.Field) {
	for i, field := range fields {
		name := http.CanonicalHeaderKey(field.Name)
		if !slices.ContainsFunc(fields[:i], func(before operation.Field) bool { return strings.EqualFold(before.Name, name) }) {
			header[name] = nil
		}
		header[name] = append(header[name], field.Value)
	}
}
