package operation

import (
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// TestErrorsNameTheCallersOwnRequest: the one that the run was made for keeps its errors as they are.
func TestErrorsNameTheCallersOwnRequest(t *testing.T) {
	shared := &Result{Errors: gqlerror.List{
		{Message: "a", Extensions: map[string]any{"code": "INTERNAL", "requestId": "first"}},
		{Message: "b", Extensions: map[string]any{"code": "FORBIDDEN"}},
	}}
	mine := shared.own()
	mine.renameRequest("second")
	if got := mine.Errors[0].Extensions; got["requestId"] != "second" || got["code"] != "INTERNAL" {
		t.Errorf("the joiner's error has %v", got)
	}
	if _, named := mine.Errors[1].Extensions["requestId"]; named {
		t.Error("an error without a request's id got one")
	}
	if got := shared.Errors[0].Extensions["requestId"]; got != "first" {
		t.Errorf("the run's own error names %v", got)
	}
}
