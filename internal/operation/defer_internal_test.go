package operation

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestOneSplitOfAnOperationIsKept(t *testing.T) {
	view, err := NewView("test", gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { a: Int b: Int }`}), nil)
	if err != nil {
		t.Fatal(err)
	}
	preparer, err := NewPreparer(16<<20, DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	split := func(first, second bool) *split {
		op, errs := preparer.Prepare(view, Request{
			Query:     `query($first: Boolean!, $second: Boolean!) { ... @defer(if: $first) { a } ... @defer(if: $second) { b } }`,
			Variables: map[string]any{"first": first, "second": second},
		})
		if errs != nil {
			t.Fatal(errs)
		}
		return op.split()
	}
	both := split(true, true)
	if split(true, true) != both || len(both.parts) != 3 {
		t.Errorf("%d parts, or split again", len(both.parts))
	}
	if one := split(true, false); len(one.parts) != 2 || split(true, true) == both {
		t.Errorf("%d parts, or two are kept", len(one.parts))
	}
}

func TestADocumentWithDeferWeighsItsParts(t *testing.T) {
	plain, deferring := document{textBytes: 100}, document{textBytes: 100, defers: true}
	if got := deferring.weight() - plain.weight(); plain.weight() != 6_400 || got != 1<<20 {
		t.Errorf("%d, and %d more", plain.weight(), got)
	}
}
