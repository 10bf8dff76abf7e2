package operation

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/engine"
	"tributary/internal/limit"
)

// TestActualIsByCountsWhereNothingFailed gives counts data that does not belong to them, to see which of the two was looked at.
func TestActualIsByCountsWhereNothingFailed(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: limit.Directives + `
		type Query { ts: [T!] @listSize(assumedSize: 5) }
		type T { a: Int }`})
	doc, errs := gqlparser.LoadQueryWithRules(schema, `{ts{a}}`, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	model, err := limit.NewModel(schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	cost, err := model.Plan(doc, doc.Operations[0])
	if err != nil {
		t.Fatal(err)
	}
	b := bill{pipeline: &Pipeline{}, op: &Prepared{Cost: cost}}
	counts := countsOfTwo(t, doc.Operations[0])
	failure := gqlerror.List{{Message: "no", Path: ast.Path{ast.PathName("ts")}}}
	for name, tt := range map[string]struct {
		result Result
		want   int64
	}{
		"counts":           {Result{Counts: counts, Data: []byte(`{"ts":[]}`)}, 2},
		"no counts":        {Result{Data: []byte(`{"ts":[{"a":1}]}`)}, 1},
		"counts and error": {Result{Counts: counts, Data: []byte(`{"ts":null}`), Errors: failure}, 5},
	} {
		if got := b.actual(b.op.Cost, &tt.result); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// countsOfTwo are those of an answer with two Ts.
func countsOfTwo(t *testing.T, op *ast.OperationDefinition) (counts engine.Counts) {
	tables := engine.NewTables("Query", "T")
	tables.Type("T").Fields = map[string]*engine.Field{"a": {Object: "T", Name: "a", Append: func(b []byte, _ any) ([]byte, bool) { return append(b, '1'), true }}}
	tables.Type("Query").Fields = map[string]*engine.Field{"ts": {
		Object: "Query", Name: "ts", List: true, ElemNonNull: true, Type: tables.Type("T"),
		Get:   func(context.Context, any, map[string]any) (any, error) { return 2, nil },
		Items: func(list any, into []any) ([]any, bool) { return append(into, list, list), true },
	}}
	plan, err := engine.NewPlans(tables, op).For(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := graphql.WithResponseContext(t.Context(), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	if data := plan.Execute(ctx, engine.Run{Counts: &counts}); string(data) != `{"ts":[{"a":1},{"a":1}]}` || len(counts) != 2 {
		t.Fatalf("%s, %v", data, counts)
	}
	return counts
}
