package operation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"
)

const beings = `
input Filter { a: [Int], b: String }
interface Being { name: String! nick: String friend: Being pack: [Being!]! tag(n: Int, in: Filter, of: [Int]): String }
type Dog implements Being { name: String! nick: String friend: Being pack: [Being!]! tag(n: Int, in: Filter, of: [Int]): String age: Int at: Human owner: Human row: [Int] code: Int! }
type Cat implements Being { name: String! nick: String friend: Being pack: [Being!]! tag(n: Int, in: Filter, of: [Int]): String age: Int at: String owner: Dog row: [Int]! code: Int }
type Human { name: String nick: String! friend: Human age: String at: Place owner: Being row: [Int!] }
enum Place { HOME AWAY }
union Any = Dog | Cat | Human
type Query { being: Being any: Any dog: Dog cat: Cat human: Human }
`

func beingsSchema(t testing.TB) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: beings})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// under walks a document for one rule alone.
func under(t testing.TB, rule core.RuleFunc, schema *ast.Schema, text string) (doc *ast.QueryDocument, errs gqlerror.List) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	observers := &core.Events{}
	rule(observers, func(options ...core.ErrorOption) {
		one := &gqlerror.Error{}
		for _, option := range options {
			option(one)
		}
		errs = append(errs, one)
	})
	core.Walk(schema, doc, observers)
	return doc, errs
}

func TestFieldsCanMerge(t *testing.T) {
	schema := beingsSchema(t)
	for _, tt := range []struct {
		name, query string
		want        string // part of the message; empty: valid
		gqlparser   string // how its verdict differs, if it does
	}{
		{"the same twice", `{ dog { name name } dog { name } }`, "", ""},
		{"different fields", `{ dog { a: name a: nick } }`, "", ""},
		{"the same arguments in another order", `{ dog { tag(n: 1, of: [2]) tag(of: [2], n: 1) } }`, "", ""},
		{"the same object in another order", `{ dog { tag(in: {a: 1, b: "c"}) tag(in: {b: "c", a: 1}) } }`, "", ""},
		{"other arguments", `{ dog { tag(n: 1) tag(n: 2) } }`, "arguments differ", ""},
		{"arguments and none", `{ dog { tag(n: 1) tag } }`, "arguments differ", ""},
		{"string and enum", `{ dog { tag(n: "A") tag(n: A) } }`, "arguments differ", ""},
		{"other variables", `query($a: Int, $b: Int) { dog { tag(n: $a) tag(n: $b) } }`, "arguments differ", ""},
		{"other lists", `{ dog { tag(of: [1]) tag(of: [2]) } }`, "arguments differ", "compares no members of lists"},
		{"lists split elsewhere", `{ dog { tag(of: [[1], [2]]) tag(of: [[1, 2]]) } }`, "arguments differ", "compares no members of lists"},
		{"other objects", `{ dog { tag(in: {b: "c"}) tag(in: {b: "d"}) } }`, "arguments differ", "compares no members of objects"},
		{"strings that look like two", `{ dog { tag(of: ["a", "b"]) tag(of: ["a,3.1.b"]) } }`, "arguments differ", "compares no members of lists"},
		{"different fields of exclusive types", `{ any { ... on Dog { x: name } ... on Cat { x: name } } }`, "", ""},
		{"other arguments of exclusive types", `{ any { ... on Dog { tag(n: 1) } ... on Cat { tag(n: 2) } } }`, "", ""},
		{"the interface excludes nobody", `{ being { x: nick ... on Dog { x: tag } } }`, "different fields", ""},
		{"an interface that the object has not", `{ any { ... on Being { x: name } ... on Human { x: nick } } }`, "different fields", ""},
		{"exclusive, but of other nullability", `{ any { ... on Dog { x: name } ... on Human { x: name } } }`, `"String!" and "String"`, ""},
		{"exclusive, but other leaves", `{ any { ... on Dog { age } ... on Human { age } } }`, `"Int" and "String"`, ""},
		{"exclusive, leaf and enum", `{ any { ... on Cat { at } ... on Human { at } } }`, `"String" and "Place"`, ""},
		{"exclusive, but object and leaf", `{ any { ... on Dog { at { age } } ... on Cat { at } } }`, `"Human" and "String"`, "compares leaves with leaves only"},
		{"exclusive, but list or not", `{ any { ... on Dog { x: friend { name } } ... on Cat { x: pack { name } } } }`, `conflict because they return`, ""},
		{"exclusive, but of other nullable lists", `{ any { ... on Dog { row } ... on Cat { row } } }`, `"[Int]" and "[Int]!"`, "ignores whether a list may be null"},
		{"exclusive, but of other nullable members", `{ any { ... on Dog { row } ... on Human { row } } }`, `"[Int]" and "[Int!]"`, ""},
		{"exclusive, but other shapes below", `{ any { ... on Dog { owner { age } } ... on Cat { owner { age } } } }`, `"String" and "Int"`, ""},
		{"exclusive, other fields below", `{ any { ... on Dog { owner { x: name } } ... on Cat { owner { x: nick } } } }`, "", ""},
		{"__typename cannot be null", `{ any { ... on Dog { x: __typename } ... on Cat { x: name } } }`, "", "takes __typename for nullable"},
		{"so it is no nullable String", `{ any { ... on Dog { x: __typename } ... on Cat { x: nick } } }`, `"String!" and "String"`, "takes __typename for nullable"},
		{"below, across three", `{ dog { friend { x: name } } dog { friend { y: name } } dog { friend { x: tag } } }`, `"String!" and "String"`, ""},
		{"through fragments", `{ dog { ...A } dog { ...B } } fragment A on Dog { owner { ...C } } fragment B on Dog { owner { x: age } } fragment C on Human { x: name }`, "different fields", ""},
		{"a fragment twice", `{ dog { ...A ...A } cat { ...A } } fragment A on Being { name friend { name } }`, "", ""},
		{"below abstract and object", `{ being { friend { x: name } ... on Dog { friend { x: tag } } } }`, `"String!" and "String"`, ""},
		{"below, not of the same object", `{ any { ... on Dog { friend { x: nick } } ... on Human { friend { x: name } } } }`, "", ""},
		{"below, of the same object", `{ being { friend { x: nick } ... on Dog { friend { x: tag } } } }`, "different fields", ""},
		{"objects of one type below abstract and object", `{ being { friend { ... on Dog { x: nick } } ... on Dog { friend { ... on Dog { x: tag } } } } }`, "different fields", ""},
		{"objects of two types below abstract and object", `{ being { friend { ... on Dog { x: nick } } ... on Dog { friend { ... on Cat { x: tag } } } } }`, "", ""},
		{"abstract and object below object and abstract", `{ being { ... on Dog { friend { x: nick } } friend { ... on Cat { x: tag } } } }`, "different fields", ""},
		{"object and abstract below object and abstract", `{ being { ... on Dog { friend { ... on Cat { x: nick } } } friend { x: tag y: nick } } }`, "different fields", ""},
		{"unknown fields are for others", `{ dog { x: nope x: name } y: nope y: dog { name } }`, "", "compares fields that there are not"},
		{"in a mutation that there is none", `mutation { x: a x: b }`, "", ""},
	} {
		_, errs := under(t, fieldsCanMerge, schema, tt.query)
		doc, theirs := under(t, rules.OverlappingFieldsCanBeMergedRule.RuleFunc, schema, tt.query)
		if want := specification(schema, doc); want != (errs == nil) {
			t.Errorf("%s: valid is %v, but %v by the specification: %v", tt.name, errs == nil, want, errs)
		}
		if tt.want != "" && (len(errs) == 0 || !strings.Contains(errs[0].Message, tt.want) || len(errs[0].Locations) != 2) {
			t.Errorf("%s: got %v, want two locations and %q", tt.name, errs, tt.want)
		}
		if (tt.gqlparser == "") != ((errs == nil) == (theirs == nil)) {
			t.Errorf("%s: gqlparser has %v, but stands in the table for %q", tt.name, theirs, tt.gqlparser)
		}
	}
}

// TestFieldsCanMergeAsTheSpecificationSays draws documents and compares the verdict with that of the specification's own words,
// and with gqlparser's, which may only be milder.
func TestFieldsCanMergeAsTheSpecificationSays(t *testing.T) {
	schema := beingsSchema(t)
	var valid, invalid int
	rapid.Check(t, func(rt *rapid.T) {
		text := drawDocument(rt, schema)
		doc, errs := under(t, fieldsCanMerge, schema, text)
		if specification(schema, doc) != (errs == nil) {
			rt.Fatalf("%s\nours %v, the specification says the contrary", text, errs)
		}
		if _, theirs := under(t, rules.OverlappingFieldsCanBeMergedRule.RuleFunc, schema, text); theirs != nil && errs == nil {
			rt.Fatalf("%s\ngqlparser refuses it: %v", text, theirs)
		}
		if errs == nil {
			valid++
		} else {
			invalid++
		}
	})
	if valid*10 < invalid || invalid*10 < valid {
		t.Errorf("%d documents were valid and %d were not: too much of one kind to tell", valid, invalid)
	}
}

// drawDocument draws a query with fragments that are all used: one in the query, each other in the one before.
func drawDocument(t *rapid.T, schema *ast.Schema) string {
	fragments := rapid.IntRange(0, 3).Draw(t, "fragments")
	var text strings.Builder
	writeBody := func(on *ast.Definition, depth, fragments int) {
		text.WriteString("{ ")
		if fragments > 0 {
			fmt.Fprintf(&text, "...F%d ", fragments)
		}
		text.WriteString("... ")
		writeSet(t, &text, schema, on, depth, fragments)
		text.WriteString("}")
	}
	writeBody(schema.Query, 3, fragments)
	for i := fragments; i > 0; i-- {
		on := rapid.SampledFrom([]string{"Dog", "Being", "Human", "Any", "Cat"}).Draw(t, "condition")
		fmt.Fprintf(&text, " fragment F%d on %s ", i, on)
		writeBody(schema.Types[on], 2, i-1)
	}
	return "query " + text.String()
}

// writeSet draws a selection on a type. It may spread fragments up to a number.
func writeSet(t *rapid.T, text *strings.Builder, schema *ast.Schema, on *ast.Definition, depth, fragments int) {
	text.WriteString("{ ")
	if spread := rapid.IntRange(0, fragments).Draw(t, "spread"); spread > 0 {
		fmt.Fprintf(text, "...F%d ", spread)
	}
	for range rapid.IntRange(1, 3).Draw(t, "selections") {
		fields := slices.DeleteFunc(slices.Clone(on.Fields), func(f *ast.FieldDefinition) bool {
			return strings.HasPrefix(f.Name, "__") || depth == 0 && schema.Types[f.Type.Name()].IsCompositeType()
		})
		if len(fields) == 0 || depth > 0 && rapid.IntRange(0, 3).Draw(t, "inline") == 0 {
			to := rapid.SampledFrom([]string{"Dog", "Cat", "Human", "Being"}).Draw(t, "inline on")
			fmt.Fprintf(text, "... on %s ", to)
			writeSet(t, text, schema, schema.Types[to], max(0, depth-1), fragments)
			continue
		}
		field := rapid.SampledFrom(fields).Draw(t, "field")
		text.WriteString(rapid.SampledFrom([]string{"", "", "", "x: "}).Draw(t, "alias") + field.Name)
		if field.Name == "tag" {
			text.WriteString(rapid.SampledFrom([]string{"", "(n: 1)", "(n: 2)", "(of: [1, 2])", "(of: [2, 1])", `(in: {a: 1, b: "1"})`, `(in: {b: "1", a: 1})`}).Draw(t, "arguments"))
		}
		text.WriteByte(' ')
		if next := schema.Types[field.Type.Name()]; next.IsCompositeType() {
			writeSet(t, text, schema, next, depth-1, fragments)
		}
	}
	text.WriteString("} ")
}

func TestMergingManyFieldsIsFast(t *testing.T) {
	schema := beingsSchema(t)
	for name, text := range map[string]string{
		"one field often":             "{" + strings.Repeat("being{name}", 50_000) + "}",
		"many aliases of one field":   "{ dog {" + strings.Join(slices.Collect(repeat(20_000, func(i int) string { return fmt.Sprintf("a%d:name", i) })), " ") + "}}",
		"abstract and object in turn": "{ being " + fork(10) + "}",
	} {
		start := processorTime(t)
		if _, errs := under(t, fieldsCanMerge, schema, text); errs != nil {
			t.Errorf("%s: %v", name, errs[0])
		}
		if took := processorTime(t) - start; took > 4*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Log(name, took)
		}
	}
}

// fork is a selection whose every two leaves may be one object and have to be compared.
func fork(depth int) string {
	if depth == 0 {
		return "{name}"
	}
	return "{friend" + fork(depth-1) + "...on Dog{friend" + fork(depth-1) + "}}"
}

func repeat(n int, text func(int) string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(text(i)) {
				return
			}
		}
	}
}
