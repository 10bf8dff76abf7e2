package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// The codes of the graph's errors that are told otherwise here.
const (
	codeBadInput  = "BAD_USER_INPUT"
	codeTimeout   = "TIMEOUT"
	codeCancelled = "CANCELLED"
)

// marks say what of an answer is missing or old. They stand in none that is whole.
type marks struct {
	Partial  bool          `json:"partial,omitempty"` // something is null that is no answer: see Problems
	Problems []shortfall   `json:"problems,omitempty"`
	Degraded []degradation `json:"degraded,omitempty"` // what is there, from before its service failed
}

func (m *marks) mark(found marks) { *m = found }

// shortfall is why something is null. Path is a JSON pointer (RFC 6901) into the body. Beyond a bound, the last one stands for all that
// are not told: its path is empty, and Omitted is their number.
type shortfall struct {
	Path         string `json:"path"`
	Code         string `json:"code"`
	Detail       string `json:"detail"`
	Service      string `json:"service,omitempty"`
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"`
	Omitted      int    `json:"omitted,omitempty"`
}

// degradation is something as it was a while ago. Path is a JSON pointer; empty: the whole body.
type degradation struct {
	Path         string `json:"path"`
	Service      string `json:"service"`
	Reason       string `json:"reason"`
	AgeMs        int64  `json:"ageMs"`
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"`
}

// answer runs the operation of a question and answers with what it gave.
func (a *read) answer(view *operation.View, q question, call operation.Call) error {
	prepared, errs := a.Pipeline.Prepare(view, operation.Request{Query: q.document, Variables: q.variables})
	if errs != nil { // the document is ours: the server's bounds leave no room for it
		return fmt.Errorf("its document is refused: %w", errs)
	}
	result := a.Pipeline.Run(a.r.Context(), prepared, call)
	setFields(a.w.Header(), result.Header)
	root, err := q.rootOf(result)
	if err != nil {
		return err
	}
	problems, err := q.problems(result.Errors)
	if err != nil {
		return err
	}
	var made body
	switch {
	case root != nil:
		if made, err = q.shape(root); err != nil {
			return fmt.Errorf("the graph's answer has another form: %w", err)
		}
	case len(result.Errors) > 0:
		return a.failed(result.Errors[0])
	case q.none != nil:
		made = q.none
	default:
		return &requestError{http.StatusNotFound, "NOT_FOUND", "There is no such user."}
	}
	found := marks{Partial: len(problems) > 0, Problems: problems}
	if found.Degraded, err = q.degraded(result.Extensions["degraded"]); err != nil {
		return err
	}
	made.mark(found)
	return a.send(made, found.Partial || len(found.Degraded) > 0)
}

// rootOf is what the root field gave, nil for nothing. The error is the refusal of an operation that did not run.
func (q *question) rootOf(result *operation.Result) (json.RawMessage, error) {
	if result.Outcome != operation.Ran {
		first := result.Errors[0]
		code, _ := first.Extensions["code"].(string)
		if result.Outcome == operation.Throttled {
			return nil, &requestError{http.StatusTooManyRequests, code, "This costs more than may be spent now: come back later."}
		}
		return nil, &requestError{http.StatusBadRequest, code, sentence(first.Message)}
	}
	var data map[string]json.RawMessage // of one member
	if err := json.Unmarshal(result.Data, &data); err != nil {
		return nil, fmt.Errorf("the graph's answer is no object: %w", err)
	}
	if root := data[q.root]; string(root) != "null" {
		return root, nil
	}
	return nil, nil
}

// problems are the errors of an operation that ran. The error is the refusal of a parameter that the graph does not take.
func (q *question) problems(errs gqlerror.List) ([]shortfall, error) {
	var found []shortfall
	for _, e := range errs {
		code, _ := e.Extensions["code"].(string)
		service, _ := e.Extensions["service"].(string)
		at := q.pointer(e.Path)
		if wrong := q.blame[at]; code == codeBadInput && wrong != nil {
			return nil, wrong
		}
		omitted, _ := e.Extensions["omitted"].(int) // of operation.CodeTooManyErrors
		found = append(found, shortfall{at, code, sentence(e.Message), service, retryAfter(e), omitted})
	}
	return found, nil
}

// failed is the refusal when what was asked for is missing, for an error.
func (a *read) failed(e *gqlerror.Error) error {
	code, _ := e.Extensions["code"].(string)
	_, service := e.Extensions["service"]
	switch {
	case service || code == codeTimeout || code == codeCancelled:
		a.w.Header().Set("Retry-After", seconds(time.Duration(retryAfter(e))*time.Millisecond))
		return &requestError{http.StatusServiceUnavailable, code, sentence(e.Message)}
	case code == operation.CodeResponseTooLarge:
		return &requestError{http.StatusBadRequest, code, sentence(e.Message)}
	}
	return fmt.Errorf("the graph answers with %s", code)
}

// retryAfter is after how many milliseconds to come back; 0: nobody knows.
func retryAfter(e *gqlerror.Error) int64 {
	ms, _ := e.Extensions["retryAfterMs"].(int64)
	return ms
}

// pointer is where in the body stands what has a path in the graph's answer: the documents give its members the names of the body's.
func (q *question) pointer(path ast.Path) string {
	if len(path) == 0 {
		return ""
	}
	pointer := q.at
	for _, step := range path[1:] {
		pointer += fmt.Sprintf("/%v", step)
	}
	return pointer
}

// degraded reads extensions.degraded, as far as it tells of what is there; what is missing has a problem.
func (q *question) degraded(extension any) ([]degradation, error) {
	if extension == nil {
		return nil, nil
	}
	raw, err := json.Marshal(extension)
	if err != nil {
		return nil, fmt.Errorf("what is degraded: %w", err)
	}
	var entries []struct {
		degradation
		Path  ast.Path `json:"path"`
		Stale bool
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("what is degraded: %w", err)
	}
	var stale []degradation
	for _, e := range entries {
		if e.Stale {
			e.degradation.Path = q.pointer(e.Path)
			stale = append(stale, e.degradation)
		}
	}
	return stale, nil
}
