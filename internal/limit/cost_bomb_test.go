package limit

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// bomb is a query that expands to far more fields than it has: a chain of fragments, each of which a level writes around the
// spread of the next one.
func bomb(levels int, level func(next string) string, leaf string) string {
	var b strings.Builder
	b.WriteString("query{user{...F0}}")
	for i := range levels {
		fmt.Fprintf(&b, " fragment F%d on User{%s}", i, level(fmt.Sprintf("...F%d", i+1)))
	}
	fmt.Fprintf(&b, " fragment F%d on User{%s}", levels, leaf)
	return b.String()
}

// TestBombs counts steps and visited selections: what compiling takes, whatever the machine.
func TestBombs(t *testing.T) {
	twice := func(format string) func(string) string {
		return func(next string) string { return fmt.Sprintf(format, next, next) }
	}
	tests := []struct {
		name, query string
		steps       int // at most; 0: too large
		want        int64
	}{
		{"spread twice", bomb(30, twice("%s %s"), "age"), 2, 1 + 2},
		{"two aliases", bomb(30, twice("a: best{%s} b: best{%s}"), "id"), 64, 1<<31 - 1},
		{"two aliases, a hundred levels", bomb(100, twice("a: best{%s} b: best{%s}"), "id"), 204, math.MaxInt64},
		{"two sizes", bomb(30, twice("a: posts(first: 1){nodes{author{%s}}} b: posts(first: 2){nodes{author{%s}}}"), "id"), 250, 823_564_528_378_593}, // 4 × (3³⁰ - 1) + 1,
		{"one key through two fragments", bomb(30, twice("best{%s} best{%s}"), "id"), 64, 31},
		{"fragments of fragments", bomb(500, twice("best{...on User{%s}} best{...on User{%s}}"), "id"), 1002, 501},
		{"conditions that differ at every level", condition30(), 0, 0},
		{"100,000 fields", "{" + strings.Repeat("__typename ", 100_000) + "}", 0, 0},
		{"100,000 aliases", "{" + aliases(100_000) + "}", 0, 0},
		{"10,000 aliases", "{" + aliases(10_000) + "}", 10_000, 0},
	}
	model, err := NewModel(loadSchema(t, costSchema), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		doc, err := parser.ParseQuery(&ast.Source{Input: test.query})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := model.Plan(doc, doc.Operations[0])
		if test.steps == 0 {
			if !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v, want ErrTooLarge", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if len(plan.steps) > test.steps || len(plan.selections) > test.steps {
			t.Errorf("%s: %d steps in %d selections, want at most %d", test.name, len(plan.steps), len(plan.selections), test.steps)
		}
		if got := plan.Estimate(nil); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
		if got := len(plan.Fields(nil)); got > maxFieldCosts {
			t.Errorf("%s: %d fields", test.name, got)
		}
	}
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:__typename ", i)
	}
	return b.String()
}

// condition30 doubles the ways to a fragment at each of 30 levels, each way under variables of its own.
func condition30() string {
	i := 0
	return bomb(30, func(next string) string {
		i++
		return fmt.Sprintf("%s @include(if: $a%d) %s @include(if: $b%d)", next, i, next, i)
	}, "age")
}

// TestMembersShareSelections holds that types which select the same share it.
func TestMembersShareSelections(t *testing.T) {
	var sdl strings.Builder
	sdl.WriteString(Directives + "type Query { n: N } interface N { id: ID n: N }")
	for i := range 50 {
		fmt.Fprintf(&sdl, " type T%d implements N { id: ID n: N }", i)
	}
	plan := planner(t, sdl.String())(`{n{id n{id n{id n{id}}}}}`)
	if len(plan.selections) != 5 {
		t.Errorf("%d selections, want 5", len(plan.selections))
	}
}
