package oracle

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/operation"
)

// answers is an executor that says always the same.
type answers operation.Result

func (a answers) Execute(context.Context, *operation.Prepared, operation.Denied) *operation.Result {
	r := operation.Result(a)
	return &r
}

func failure(message string, path ...ast.PathElement) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Path: path, Extensions: map[string]any{"code": "X"}}
}

func TestCompare(t *testing.T) {
	one := failure("one", ast.PathName("a"), ast.PathIndex(1))
	two := failure("two")
	other := failure("one", ast.PathName("a"), ast.PathIndex(1))
	other.Extensions = map[string]any{"code": "Y"}
	tests := map[string]struct {
		stock, other answers
		says         []string // none: they are alike
	}{
		"the same":            {answers{Data: []byte(`{"a":1}`)}, answers{Data: []byte(`{"a":1}`)}, nil},
		"a value":             {answers{Data: []byte(`{"a":[{"b":1},{"b":2}]}`)}, answers{Data: []byte(`{"a":[{"b":1},{"b":3}]}`)}, []string{"in data at $.a[1].b:", "stock 2 ", "other 3 "}},
		"a nested list":       {answers{Data: []byte(`{"a":[[1],[2,3]],"c":4}`)}, answers{Data: []byte(`{"a":[[1],[2,3]],"c":5}`)}, []string{"at $.c:"}},
		"order of members":    {answers{Data: []byte(`{"a":1,"b":2}`)}, answers{Data: []byte(`{"b":2,"a":1}`)}, []string{`the member "a"`, `the member "b"`}},
		"a shorter list":      {answers{Data: []byte(`{"a":[1,2]}`)}, answers{Data: []byte(`{"a":[1]}`)}, []string{"at $.a[1]:", "other ]"}},
		"a type":              {answers{Data: []byte(`{"a":1}`)}, answers{Data: []byte(`{"a":"1"}`)}, []string{"at $.a:", `other "1"`}},
		"space":               {answers{Data: []byte(`{"a":1}`)}, answers{Data: []byte(`{"a": 1}`)}, []string{"at byte 5"}},
		"escapes":             {answers{Data: []byte(`{"a":"<"}`)}, answers{Data: []byte(`{"a":"\u003c"}`)}, []string{"at byte 6"}},
		"what is finished":    {answers{Data: []byte(`{"a": "<"}`)}, answers{Data: []byte(`{"a":"\u003c"}`), Finished: true}, nil},
		"what is not":         {answers{Data: []byte(`{"a":"<"}`)}, answers{Data: []byte(`{"a":"<"}`), Finished: true}, []string{"at byte 6"}},
		"nothing":             {answers{Data: []byte(`null`)}, answers{}, []string{"the end"}},
		"no JSON":             {answers{Data: []byte(`{"a":1}`)}, answers{Data: []byte(`{"a":}`)}, []string{"what is no JSON"}},
		"both no JSON":        {answers{Data: []byte(`{`)}, answers{Data: []byte(`{`)}, []string{"data is no JSON"}},
		"order of errors":     {answers{Errors: gqlerror.List{one, two}}, answers{Errors: gqlerror.List{two, one}}, nil},
		"number of errors":    {answers{Errors: gqlerror.List{one, one}}, answers{Errors: gqlerror.List{one}}, []string{"stock has 2, the other 1", `stock alone {"path":["a",1],"message":"one"`}},
		"extensions of one":   {answers{Errors: gqlerror.List{one}}, answers{Errors: gqlerror.List{other}}, []string{`stock alone {`, `other alone {`, `"code":"Y"`}},
		"path of one":         {answers{Errors: gqlerror.List{failure("x", ast.PathName("1"))}}, answers{Errors: gqlerror.List{failure("x", ast.PathIndex(1))}}, []string{`["1"]`, `[1]`}},
		"extensions":          {answers{Extensions: map[string]any{"d": []int{1, 2}}}, answers{Extensions: map[string]any{"d": []int{1, 3}}}, []string{"in extensions at $.d[1]"}},
		"no extensions":       {answers{Extensions: map[string]any{"d": 1}}, answers{}, []string{"in extensions"}},
		"no and empty":        {answers{Extensions: map[string]any{}}, answers{}, nil},
		"the outcome":         {answers{Outcome: operation.Skipped}, answers{}, []string{"in the outcome"}},
		"what cannot be JSON": {answers{Extensions: map[string]any{"f": func() {}}}, answers{}, []string{"stock's extensions"}},
		"data and errors":     {answers{Data: []byte(`1`), Errors: gqlerror.List{one}}, answers{Data: []byte(`2`)}, []string{"in data", "in errors"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := Compare(t.Context(), test.stock, test.other, nil, nil)
			if (err == nil) != (test.says == nil) {
				t.Fatalf("said %v", err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in\n%v", part, err)
				}
			}
			if err != nil && !errors.Is(err, ErrDifferent) && !strings.Contains(name, "JSON") {
				t.Errorf("%v is no ErrDifferent", err)
			}
		})
	}
}
