package breaking

import (
	"slices"
	"testing"
)

type difference struct {
	before, after string
	want          []string // "KIND coordinate"
}

func texts(changes []Change) (all []string) {
	for _, change := range changes {
		all = append(all, string(change.Kind)+" "+change.Coordinate)
	}
	return all
}

func TestBetween(t *testing.T) {
	const query = "type Query { a: Int }\n"
	for name, d := range map[string]difference{
		"type removed":               {query + "type T { a: Int }", query, []string{"TYPE_REMOVED T"}},
		"type of another kind":       {query + "type T { a: Int }", query + "interface T { a: Int }", []string{"TYPE_CHANGED_KIND T"}},
		"member removed":             {query + "union U = Query | T type T { a: Int }", query + "union U = Query type T { a: Int }", []string{"TYPE_REMOVED_FROM_UNION U"}},
		"value removed":              {query + "enum E { A B }", query + "enum E { B }", []string{"VALUE_REMOVED_FROM_ENUM E.A"}},
		"required input field":       {query + "input I { a: Int }", query + "input I { a: Int b: Int! }", []string{"REQUIRED_INPUT_FIELD_ADDED I.b"}},
		"input field removed":        {query + "input I { a: Int b: Int }", query + "input I { b: Int }", []string{"FIELD_REMOVED I.a"}},
		"input field of other type":  {query + "input I { a: Int }", query + "input I { a: Int! }", []string{"FIELD_CHANGED_KIND I.a"}},
		"input field without a gift": {query + "input I { a: Int! = 1 }", query + "input I { a: Int! }", []string{"INPUT_FIELD_BECAME_REQUIRED I.a"}},
		"input of exactly one":       {query + "input I { a: Int b: Int }", query + "input I @oneOf { a: Int b: Int }", []string{"INPUT_BECAME_ONE_OF I"}},
		"interface removed": {"interface N { a: Int } type Query implements N { a: Int }", "interface N { a: Int } type Query { a: Int }",
			[]string{"IMPLEMENTED_INTERFACE_REMOVED Query"}},
		"field removed":       {query + "type T { a: Int b: Int }", query + "type T { b: Int }", []string{"FIELD_REMOVED T.a"}},
		"field of other type": {query + "type T { a: Int! }", query + "type T { a: Int }", []string{"FIELD_CHANGED_KIND T.a"}},
		"required argument":   {query, "type Query { a(b: Int!): Int }", []string{"REQUIRED_ARG_ADDED Query.a(b:)"}},
		"argument removed":    {"type Query { a(b: Int): Int }", query, []string{"ARG_REMOVED Query.a(b:)"}},
		"argument of another": {"type Query { a(b: Int): Int }", "type Query { a(b: Int!): Int }", []string{"ARG_CHANGED_KIND Query.a(b:)"}},
		"argument, no gift":   {"type Query { a(b: Int! = 1): Int }", "type Query { a(b: Int!): Int }", []string{"ARG_BECAME_REQUIRED Query.a(b:)"}},
		"directive removed":   {query + "directive @d on FIELD", query, []string{"DIRECTIVE_REMOVED @d"}},
		"directive argument":  {query + "directive @d(a: Int) on FIELD", query + "directive @d on FIELD", []string{"DIRECTIVE_ARG_REMOVED @d(a:)"}},
		"required in directive": {query + "directive @d on FIELD", query + "directive @d(a: Int!) on FIELD",
			[]string{"REQUIRED_DIRECTIVE_ARG_ADDED @d(a:)"}},
		"directive argument changed": {query + "directive @d(a: Int b: Int! = 1) on FIELD", query + "directive @d(a: Int! b: Int!) on FIELD",
			[]string{"DIRECTIVE_ARG_CHANGED_KIND @d(a:)", "DIRECTIVE_ARG_CHANGED_KIND @d(b:)"}},
		"the schema's own directive": {query + "directive @d(a: Int) on OBJECT", query + "directive @d(a: String) on OBJECT", nil},
		"directive once":             {query + "directive @d repeatable on FIELD", query + "directive @d on FIELD", []string{"DIRECTIVE_REPEATABLE_REMOVED @d"}},
		"directive elsewhere":        {query + "directive @d on FIELD | QUERY", query + "directive @d on QUERY", []string{"DIRECTIVE_LOCATION_REMOVED @d"}},
		"no mutations": {query + "type Mutation { a: Int }", "schema { query: Query } " + query + "type Mutation { a: Int }",
			[]string{"ROOT_TYPE_CHANGED Mutation"}},
		"queries elsewhere": {query + "type Other { a: Int }", "schema { query: Other } " + query + "type Other { a: Int }",
			[]string{"ROOT_TYPE_CHANGED Query"}},
		"queries elsewhere, for good": {query, "schema { query: Other } type Other { a: Int }", []string{"TYPE_REMOVED Query"}},
		"a scalar out of use":         {"type Query { a: Float }", "type Query { a: Float! }", nil},
		"order":                       {query + "enum E { B A C } type T { a: Int }", query + "enum E { C }", []string{"TYPE_REMOVED T", "VALUE_REMOVED_FROM_ENUM E.A", "VALUE_REMOVED_FROM_ENUM E.B"}},
		"prices": {query + `directive @cost(weight: String!) on OBJECT | FIELD_DEFINITION type T @cost(weight: "1") { a: Int @cost(weight: "1") }`,
			query + `directive @cost(weight: String!) on OBJECT | FIELD_DEFINITION type T { a: Int @cost(weight: "9") }`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := texts(Between(load(t, "before", d.before), load(t, "after", d.after)))
			slices.Sort(got)
			if !slices.Equal(got, d.want) {
				t.Errorf("got %q, want %q", got, d.want)
			}
		})
	}
}

func TestDangerous(t *testing.T) {
	const query = "directive @authenticated on FIELD_DEFINITION directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION type Query { a: Int }\n"
	for name, d := range map[string]difference{
		"value added":           {"enum E { A }", "enum E { A B }", []string{"VALUE_ADDED_TO_ENUM E.B"}},
		"member added":          {"union U = Query type T { a: Int }", "union U = T | Query type T { a: Int }", []string{"TYPE_ADDED_TO_UNION U"}},
		"optional input field":  {"input I { a: Int }", "input I { a: Int b: Int! = 1 }", []string{"OPTIONAL_INPUT_FIELD_ADDED I.b"}},
		"optional argument":     {"type T { a: Int }", "type T { a(b: Int): Int }", []string{"OPTIONAL_ARG_ADDED T.a(b:)"}},
		"interface added":       {"interface N { a: Int } type T { a: Int }", "interface N { a: Int } type T implements N { a: Int }", []string{"IMPLEMENTED_INTERFACE_ADDED T"}},
		"another default":       {"type T { a(b: Int = 1): Int }", "type T { a(b: Int = 2): Int }", []string{"ARG_DEFAULT_VALUE_CHANGE T.a(b:)"}},
		"no default":            {"type T { a(b: Int = 1): Int }", "type T { a(b: Int): Int }", []string{"ARG_DEFAULT_VALUE_CHANGE T.a(b:)"}},
		"a default":             {"type T { a(b: Int): Int }", "type T { a(b: Int = 1): Int }", nil},
		"another input default": {"input I { a: Int = 1 }", "input I { a: Int = 2 }", []string{"INPUT_FIELD_DEFAULT_VALUE_CHANGE I.a"}},
		"required, no default":  {"input I { a: Int! = 1 }", "input I { a: Int! }", nil},
		"the same default": {"input I { a: [I] b: Float = 1 c: ID = 1 } type T { a(b: I = {a: {}, b: 1}): Int }",
			`input I { c: ID = "1" b: Float = 1.0 a: [I] } type T { a(b: I = {b: 1.0, a: [{}]}): Int }`, nil},
		"known callers only": {"type T { a: Int b: Int @authenticated }", `type T { a: Int @authenticated b: Int @requiresScopes(scopes: [["b"]]) }`,
			[]string{"ACCESS_CHANGED T.a", "ACCESS_CHANGED T.b"}},
		"what breaks is not dangerous": {"enum E { A }", "enum E { B }", []string{"VALUE_ADDED_TO_ENUM E.B"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(Dangerous(load(t, "before", query+d.before), load(t, "after", query+d.after))); !slices.Equal(got, d.want) {
				t.Errorf("got %q, want %q", got, d.want)
			}
		})
	}
}

// Default values that contain one another come to an end.
func TestDefaultsWithoutEnd(t *testing.T) {
	const endless = "type Query { a(i: I = {}): Int } input I { a: I = {} b: I = {} c: I = {} d: I = {} e: I = {} n: Int = "
	before, after := load(t, "before", endless+"1 }"), load(t, "after", endless+"2 }")
	if got := Dangerous(before, load(t, "again", endless+"1 }")); got != nil {
		t.Error(texts(got))
	}
	if got := texts(Dangerous(before, after)); !slices.Contains(got, "ARG_DEFAULT_VALUE_CHANGE Query.a(i:)") {
		t.Error(got)
	}
}

func TestAdditions(t *testing.T) {
	before := load(t, "before", "directive @d on FIELD type Query { a: Int } enum E { A } input I { a: Int }")
	after := load(t, "after", `directive @d(x: Int) on FIELD directive @e on FIELD
		type Query { a(b: Int): Int c(d: Int): Int } enum E { A B } input I { a: Int b: Int } type New { a(b: Int): Int }`)
	want := []string{"@d(x:)", "@e", "E.B", "I.b", "New", "Query.a(b:)", "Query.c"}
	if got := Additions(before, after); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Additions(after, before); got != nil {
		t.Errorf("nothing was added, but: %q", got)
	}
}
