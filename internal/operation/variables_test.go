package operation

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"
)

// looseJSON is nil for what is no JSON.
func looseJSON(text string) (v any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&v)
	return v
}

func TestVariablesAreCoerced(t *testing.T) {
	many := func(v ...any) any { return v }
	object := func(v map[string]any) any { return v }
	refused := errWanted{}
	for _, tt := range []struct {
		typ, given string
		want       any
	}{
		{"Int", "1", int64(1)}, {"Int", "-2147483648", int64(-1 << 31)}, {"Int", "2147483647", int64(1<<31 - 1)}, {"Int", "1.0", int64(1)}, {"Int", "1e3", int64(1000)}, {"Int", "null", nil},
		{"Int", "2147483648", refused}, {"Int", "-2147483649", refused}, {"Int", "1.5", refused}, {"Int", `"1"`, refused}, {"Int", "true", refused}, {"Int", "1e999", refused}, {"Int", "[1]", refused}, {"Int", "{}", refused},
		{"Int!", "0", int64(0)}, {"Int!", "null", refused},
		{"Float", "1", 1.0}, {"Float", "1.5", 1.5}, {"Float", "-1e-3", -0.001}, {"Float", "1e999", refused}, {"Float", `"1.5"`, refused}, {"Float", "false", refused},
		{"String", `"a"`, "a"}, {"String", `""`, ""}, {"String", "1", refused}, {"String", "true", refused}, {"String", "{}", refused}, {"String", "[]", refused}, {"String!", "null", refused},
		{"Boolean", "true", true}, {"Boolean", "false", false}, {"Boolean", "0", refused}, {"Boolean", `"true"`, refused},
		{"ID", `"a"`, "a"}, {"ID", "1", "1"}, {"ID", "12345678901234567890123", "12345678901234567890123"}, {"ID", "-1", "-1"}, {"ID", "1.0", refused}, {"ID", "1e3", refused}, {"ID", "true", refused},
		{"Colour", `"RED"`, "RED"}, {"Colour", `"red"`, refused}, {"Colour", `"BLUE"`, refused}, {"Colour", "0", refused}, {"Colour", `["RED"]`, refused}, {"Colour", "null", nil},
		{"[Int!]", "[1,2]", many(int64(1), int64(2))}, {"[Int!]", "[]", []any{}}, {"[Int!]", "1", many(int64(1))}, {"[Int!]", "null", nil}, {"[Int!]", "[null]", refused}, {"[Int!]", `["1"]`, refused}, {"[Int!]", `"1"`, refused}, {"[Int!]!", "null", refused}, {"[Int!]", "[[1]]", refused},
		{"[[Int]]", "[[1],[null],null]", many(many(int64(1)), many(nil), nil)}, {"[[Int]]", "1", many(many(int64(1)))}, {"[[Int]]", "[1,2]", many(many(int64(1)), many(int64(2)))}, {"[[Int]]", "[[[1]]]", refused},
		{"Point", `{"x":1}`, object(map[string]any{"x": int64(1)})},
		{"Point", `{"x":1,"y":2,"label":null,"tags":"a","colour":"GREEN","next":{"x":3}}`, object(map[string]any{
			"x": int64(1), "y": int64(2), "label": nil, "tags": many("a"), "colour": "GREEN", "next": map[string]any{"x": int64(3)},
		})},
		{"Point", `{}`, refused}, {"Point", `{"x":null}`, refused}, {"Point", `{"x":1,"y":null}`, refused}, {"Point", `{"x":1,"z":2}`, refused}, {"Point", `{"X":1}`, refused}, {"Point", `{"x":1,"next":{}}`, refused}, {"Point", `{"x":1,"label":5}`, refused}, {"Point", `{"x":1,"tags":[null]}`, refused}, {"Point", `{"x":1,"__typename":"Point"}`, refused}, {"Point", `"x"`, refused}, {"Point", `[{"x":1}]`, refused},
		{"[Point!]", `{"x":1}`, many(map[string]any{"x": int64(1)})},
		{"Any", `{"n":12345678901234567890,"f":1.50}`, object(map[string]any{"n": json.Number("12345678901234567890"), "f": json.Number("1.50")})}, {"Any", `[1]`, many(json.Number("1"))}, {"Any!", "null", refused},
	} {
		given := map[string]any{"v": fromJSON(t, tt.given)}
		got, err := coerceOne(t, tt.typ, "", given)
		if !reflect.DeepEqual(given["v"], fromJSON(t, tt.given)) {
			t.Errorf("%s for %s: what was given became %#v", tt.given, tt.typ, given["v"])
		}
		if _, wantErr := tt.want.(errWanted); wantErr != (err != nil) {
			t.Errorf("%s for %s: %#v, error %v", tt.given, tt.typ, got, err)
		} else if err == nil && !reflect.DeepEqual(got, map[string]any{"v": tt.want}) {
			t.Errorf("%s for %s: %#v, want %#v", tt.given, tt.typ, got["v"], tt.want)
		}
	}
}

type errWanted struct{}

// coerceOne coerces the variables of an operation with one variable $v.
func coerceOne(t testing.TB, typ, defaultValue string, given map[string]any) (map[string]any, error) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: "\n query($v: " + typ + defaultValue + ") { echo(a: $v) }"})
	if err != nil {
		t.Fatal(err)
	}
	view := testView(t, "v")
	for _, v := range doc.Operations[0].VariableDefinitions {
		v.Definition = view.Schema.Types[v.Type.Name()]
	}
	values, refusal := coerceVariables(view.Schema, doc.Operations[0], given)
	if refusal != nil {
		return nil, refusal
	}
	return values, nil
}

func TestAbsentVariables(t *testing.T) {
	for _, tt := range []struct {
		typ, defaultValue string
		given             map[string]any
		want              map[string]any
	}{
		{"Int", "", nil, map[string]any{}},                                  // absent, which is not null
		{"Int", "", map[string]any{"v": nil}, map[string]any{"v": nil}},     // null, which is not absent
		{"Int", "", map[string]any{"w": "x"}, map[string]any{}},             // what the operation does not have is ignored
		{"Int!", " = 5", nil, map[string]any{"v": int64(5)}},                // default
		{"Int", " = 5", map[string]any{"v": nil}, map[string]any{"v": nil}}, // null stands
		{"Int", " = 5", map[string]any{"v": int64(6)}, map[string]any{"v": int64(6)}},
		{"Float", " = 5", nil, map[string]any{"v": 5.0}},
		{"Colour", " = RED", nil, map[string]any{"v": "RED"}},
		{"ID", " = 7", nil, map[string]any{"v": "7"}},
		{"[[Int]]", " = 1", nil, map[string]any{"v": []any{[]any{int64(1)}}}},
		{"Point", ` = {x: 1, tags: ["a"], next: {x: 2}}`, nil, map[string]any{"v": map[string]any{"x": int64(1), "tags": []any{"a"}, "next": map[string]any{"x": int64(2)}}}},
		{"Int", " = null", nil, map[string]any{"v": nil}},
	} {
		got, err := coerceOne(t, tt.typ, tt.defaultValue, tt.given)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("$v: %s%s of %v: %#v, %v, want %#v", tt.typ, tt.defaultValue, tt.given, got, err, tt.want)
		}
	}
	for _, typ := range []string{"Int!", "[Int]!", "Point!"} {
		if got, err := coerceOne(t, typ, "", nil); err == nil {
			t.Errorf("$v: %s may be left out: %v", typ, got)
		}
	}
	for _, typ := range []string{"Int", "ID"} {
		if got, err := coerceOne(t, typ, " = 99999999999999999999", nil); err == nil {
			t.Errorf("a default that no number can hold becomes %v", got)
		}
	}
}

func TestRefusalsOfVariablesSayWhereAndQuoteNothing(t *testing.T) {
	for _, tt := range []struct{ typ, given, want string }{
		{"Int", `"SECRET"`, "variable $v: want an integer of 32 bits"},
		{"Int!", `null`, "variable $v: want a value: null is none"},
		{"[[Int]]", `[[1], [2, "SECRET"]]`, "variable $v[1][1]: want an integer of 32 bits"},
		{"Point!", `{"x": 1, "next": {"x": 1, "tags": ["a", {"SECRET": 1}]}}`, "variable $v.next.tags[1]: want a string"},
		{"Point", `{"x": 1, "colour": "SECRET"}`, "variable $v.colour: want one of the values of Colour"},
		{"Point", `{"x": 1, "SECRET": 1}`, "variable $v: want only members that Point has: x, y, label, tags, colour, next"},
		{"Point", `{"next": {"x": 1}}`, "variable $v.x: want a value: it has no default"},
		{"Point", `"SECRET"`, "variable $v: want an object of type Point"},
		{"Boolean", `"SECRET"`, "variable $v: want true or false"},
		{"ID", `{"SECRET": 1}`, "variable $v: want a string or an integer"},
		{"Float", `"SECRET"`, "variable $v: want a finite number"},
	} {
		_, errs := testPreparer(t).Prepare(testView(t, "v"), Request{
			Query:     "query(\n  $v: " + tt.typ + ") { " + use(tt.typ) + " }",
			Variables: map[string]any{"v": fromJSON(t, tt.given)},
		})
		if len(errs) != 1 || errs[0].Message != tt.want || errs[0].Extensions["code"] != CodeValidationFailed {
			t.Errorf("%s for %s: %v, want %q", tt.given, tt.typ, errs, tt.want)
			continue
		}
		if len(errs[0].Locations) != 1 || errs[0].Locations[0].Line != 2 {
			t.Errorf("locations %v: want the line of the variable", errs[0].Locations)
		}
	}
}

// use is a field that takes a variable of the type.
func use(typ string) string {
	argument := map[string]string{"Int": "i", "Float": "f", "Boolean": "b", "ID": "id", "Point": "p", "[[Int]]": "ll"}[strings.TrimSuffix(typ, "!")]
	return "echo(" + argument + ": $v)"
}

// TestCoercionIsSafe draws JSON of any form for any type: what comes out fits the type, is left alone by a second
// coercion, and what was given stays as it was.
func TestCoercionIsSafe(t *testing.T) {
	types := []string{"Int", "Int!", "Float", "String", "Boolean!", "ID", "Colour", "Point", "[Point!]!", "[[Int]]", "[Colour]", "Any"}
	rapid.Check(t, func(rt *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(rt, "type")
		given := map[string]any{"v": anyJSON(3).Draw(rt, "value")}
		before := deepCopy(given)
		got, err := coerceOne(t, typ, "", given)
		if !reflect.DeepEqual(given, before) {
			rt.Fatalf("what was given became %v", given)
		}
		if err != nil {
			return
		}
		again, err := coerceOne(t, typ, "", got)
		if err != nil || !reflect.DeepEqual(got, again) {
			rt.Fatalf("%v coerced again: %v, %v", got, again, err)
		}
		if !fits(typ, got["v"]) {
			rt.Fatalf("%s is given %#v", typ, got["v"])
		}
	})
}

func anyJSON(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.SampledFrom([]any{json.Number("1"), json.Number("-0"), json.Number("1.5"), json.Number("1e2"), json.Number("99999999999"), json.Number("1e400"), "RED", "red", "", "1", int64(3), 2.5}),
	)
	if depth == 0 {
		return leaf
	}
	key := rapid.SampledFrom([]string{"x", "y", "label", "tags", "colour", "next", "z", ""})
	return rapid.OneOf(leaf,
		rapid.SliceOfN(anyJSON(depth-1), 0, 3).AsAny(),
		rapid.MapOfN(key, anyJSON(depth-1), 0, 4).AsAny(),
	)
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for key := range c {
			c[key] = deepCopy(c[key])
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = deepCopy(v[i])
		}
		return c
	}
	return v
}

// fits says whether executors may rely on the Go type of a value.
func fits(typ string, v any) bool {
	if inner, ok := strings.CutSuffix(typ, "!"); ok {
		return v != nil && fits(inner, v)
	}
	if v == nil || typ == "Any" {
		return true
	}
	if strings.HasPrefix(typ, "[") {
		list, ok := v.([]any)
		for _, member := range list {
			ok = ok && fits(typ[1:len(typ)-1], member)
		}
		return ok
	}
	switch v := v.(type) {
	case int64:
		return typ == "Int" && v == int64(int32(v))
	case float64:
		return typ == "Float"
	case bool:
		return typ == "Boolean"
	case string:
		return typ == "String" || typ == "ID" || (typ == "Colour" && (v == "RED" || v == "GREEN"))
	case map[string]any:
		members := map[string]string{"x": "Int!", "y": "Int!", "label": "String", "tags": "[String!]", "colour": "Colour", "next": "Point"}
		_, hasX := v["x"]
		for name, member := range v {
			hasX = hasX && members[name] != "" && fits(members[name], member)
		}
		return typ == "Point" && hasX
	}
	return false
}
