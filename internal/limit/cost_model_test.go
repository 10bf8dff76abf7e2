package limit

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNewModelRefuses(t *testing.T) {
	field := func(sdl string) string { return "type Query { " + sdl + " } " }
	tests := []struct {
		name, sdl string
		overrides map[string]float64
		want      string // the coordinate and part of the reason
	}{
		{"a word for a weight", field(`a: Int @cost(weight: "dear")`), nil, `Query.a: weight "dear"`},
		{"no weight", field(`a: Int @cost(weight: "")`), nil, `Query.a: weight ""`},
		{"an exponent", field(`a: Int @cost(weight: "1e3")`), nil, `Query.a: weight "1e3"`},
		{"a point too many", field(`a: Int @cost(weight: "1.")`), nil, `Query.a: weight "1."`},
		{"four decimals", field(`a: Int @cost(weight: "0.0001")`), nil, `Query.a: weight "0.0001"`},
		{"infinity", field(`a: Int @cost(weight: "Inf")`), nil, `Query.a: weight "Inf"`},
		{"more than a billion", field(`a: Int @cost(weight: "1000000000.001")`), nil, `Query.a: weight`},
		{"more than an int64", field(`a: Int @cost(weight: "99999999999999999999")`), nil, `Query.a: weight`},
		{"of an argument", field(`a(b: Int @cost(weight: "x")): Int`), nil, `Query.a(b:): weight "x"`},
		{"of a member", field(`a(i: I): Int`) + `input I { m: Int @cost(weight: "x") }`, nil, `I.m: weight "x"`},
		{"of a type", field(`a: T`) + `type T @cost(weight: "x") { b: Int }`, nil, `T: weight "x"`},
		{"a type below nothing", field(`a: T`) + `type T @cost(weight: "-1") { b: Int }`, nil, `T: a type cannot weigh less`},
		{"of a directive", field(`a: Int`) + `directive @d(x: Int @cost(weight: "x")) on FIELD`, nil, `@d(x:): weight "x"`},
		{"a default that holds itself", field(`a(i: I): Int`) + `input I { m: Int @cost(weight: "1") i: I = {} }`, nil, `I.i: its default holds itself`},

		{"an unknown type", field(`a: Int`), map[string]float64{"Pots": 1}, "Pots: the schema has nothing"},
		{"an unknown field", field(`a: Int`), map[string]float64{"Query.b": 1}, "Query.b: the schema has nothing"},
		{"an unknown argument", field(`a(b: Int): Int`), map[string]float64{"Query.a(c:)": 1}, "Query.a(c:): the schema has nothing"},
		{"an interface", field(`a: N`) + `interface N { b: Int }`, map[string]float64{"N": 1}, "N: the schema has nothing"},
		{"a field of an interface", field(`a: N`) + `interface N { b: Int }`, map[string]float64{"N.b": 1}, "N.b: the schema has nothing"},
		{"introspection", field(`a: Int`), map[string]float64{"__Type.name": 1}, "__Type.name: the schema has nothing"},
		{"no number", field(`a: Int`), map[string]float64{"Query.a": math.NaN()}, "Query.a: weight NaN"},
		{"an infinite override", field(`a: Int`), map[string]float64{"Query.a": math.Inf(1)}, "Query.a: weight +Inf"},
		{"a negative override of a type", field(`a: T`) + `type T { b: Int }`, map[string]float64{"T": -0.5}, "T: a type cannot weigh less"},

		{"no such slicing argument", field(`a: [Int] @listSize(slicingArguments: ["first"])`), nil, `Query.a: slicingArguments: there is no argument "first"`},
		{"a slicing argument that counts nothing", field(`a(s: String): [Int] @listSize(slicingArguments: ["s"])`), nil, `Query.a: slicingArguments: "s" is neither an Int nor a list`},
		{"no such member", field(`a(i: I): [Int] @listSize(slicingArguments: ["i.n"])`) + `input I { m: Int }`, nil, `Query.a: slicingArguments: there is no "n" in "i.n"`},
		{"a member of many", field(`a(i: [I]): [Int] @listSize(slicingArguments: ["i.m"])`) + `input I { m: Int }`, nil, `Query.a: slicingArguments: there is no "m" in "i.m"`},
		{"no such sized field", field(`a: T @listSize(assumedSize: 1, sizedFields: ["c"])`) + `type T { b: [T] }`, nil, `Query.a: sizedFields: type T has no field "c"`},
		{"a sized field that is no list", field(`a: T @listSize(assumedSize: 1, sizedFields: ["b"])`) + `type T { b: T }`, nil, `Query.a: sizedFields: "b" is no list`},
		{"a path to what is no list", field(`a: T @listSize(assumedSize: 1, sizedFields: ["b.c"])`) + `type T { b: T c: Int }`, nil, `Query.a: sizedFields: "b.c" is no list`},
		{"nothing to size", field(`a: Int @listSize(assumedSize: 1)`), nil, `Query.a: @listSize stands on a field that is no list`},
		{"a negative size", field(`a: [Int] @listSize(assumedSize: -1)`), nil, `Query.a: assumedSize is negative`},
		{"two sizes", field(`a(n: Int): [Int] @listSize(assumedSize: 1, slicingArguments: ["n"])`), nil, `Query.a: assumedSize stands beside`},
		{"two sizes, one by default", field(`a(n: Int = 1): [Int] @listSize(assumedSize: 1, slicingArguments: ["n"], requireOneSlicingArgument: false)`), nil, `Query.a: assumedSize stands beside`},
		{"two sizes, one by a default on the way", field(`a(i: I): [Int] @listSize(assumedSize: 1, slicingArguments: ["i.j.n"], requireOneSlicingArgument: false)`) + `input I { j: J = {n: 1} } input J { n: Int }`, nil, `Query.a: assumedSize stands beside`},
		{"on an interface", field(`a: N`) + `interface N { b: [Int] @listSize(slicingArguments: ["x"]) }`, nil, `N.b: slicingArguments`},
	}
	for _, test := range tests {
		_, err := NewModel(loadSchema(t, Directives+test.sdl), test.overrides)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestNewModelTellsAll(t *testing.T) {
	_, err := NewModel(loadSchema(t, Directives+`type Query { a: Int @cost(weight: "x") b: [Int] @listSize(assumedSize: -1) }`), map[string]float64{"C": 1})
	for _, want := range []string{"Query.a: ", "Query.b: ", "C: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v misses %s", err, want)
		}
	}
}

func TestOverrides(t *testing.T) {
	tests := []struct {
		coordinate string
		weight     float64
		query      string
		want       int64
	}{
		{"User", 4, `{user{id}}`, 4},
		{"Mood", 6, `{user{mood}}`, 1 + 6},
		{"Blob", 0, `{blobs}`, 0},
		{"Query", 2, `{cheap}`, 2},
		{"Query.cheap", 2.5, `{cheap}`, 3},
		{"Mutation.touch", 0, `mutation{touch}`, 0},
		{"User.age", 0.3339, `{user{age}}`, 2},
		{"Query.user(id:)", 7, `{user(id: "1"){id}}`, 8},
		{"Query.search(filter:)", -5, `{search(filter: {boost: null})}`, 1},
		{"FindInput.page", 3, `{find(input: {}){page{total}}}`, 5},
		{"@trace(level:)", 9, `{user @trace{id}}`, 10},
	}
	for _, test := range tests {
		plan := plannerWith(t, costSchema, map[string]float64{test.coordinate: test.weight})(test.query)
		if got := plan.Estimate(nil); got != test.want {
			t.Errorf("%s at %s = %v: %d, want %d", test.query, test.coordinate, test.weight, got, test.want)
		}
	}
}

func TestUnsized(t *testing.T) {
	tests := []struct {
		name, sdl string
		want      []string
	}{
		{"the schema of these tests", costSchema, []string{"Query.all", "User.drafts"}},
		{"lists of scalars", Directives + `type Query { a: [Int] b: [[E]] } enum E { X }`, nil},
		{"a page that one of two sizes", Directives + `
			type Query { a(first: Int): Page @listSize(slicingArguments: ["first"], sizedFields: ["edges"]) b: Page c: [Page] @listSize(assumedSize: 2) }
			type Page { edges: [Edge] } type Edge { id: ID }`, []string{"Query.b", "Query.c"}},
		{"a connection that nobody sizes", Directives + `
			type Query { a: EdgeConnection } type EdgeConnection { edges: [Edge] } type Edge { id: ID }`, []string{"Query.a"}},
		{"half of a connection", Directives + `
			type Query { a(n: Int): EdgeConnection @listSize(slicingArguments: ["n"], sizedFields: ["edges"]) } type EdgeConnection { edges: [Edge] nodes: [Edge] } type Edge { id: ID }`, []string{"Query.a"}},
		{"a directive that says no size", Directives + `
			type Query { a: [Edge] @listSize b: EdgeConnection @listSize(sizedFields: ["edges"]) } type EdgeConnection { edges: [Edge] } type Edge { id: ID }`, []string{"Query.a", "Query.b"}},
		{"behind an interface", Directives + `
			type Query { a: N @listSize(assumedSize: 2, sizedFields: ["es"]) } interface N { es: [E] } type A implements N { es: [E] } type B implements N { es: [E] fs: [E] } type E { id: ID }`, []string{"B.fs"}},
		{"a size given away by a list", Directives + `
			type Query { a: [Page] @listSize(assumedSize: 2, sizedFields: ["edges"]) } type Page { edges: [Edge] } type Edge { id: ID }`, []string{"Query.a"}},
	}
	for _, test := range tests {
		model, err := NewModel(loadSchema(t, test.sdl), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := model.Unsized(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
