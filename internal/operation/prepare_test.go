package operation

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

func TestPrepareRefuses(t *testing.T) {
	const deep = 1 << 18
	tests := []struct {
		name     string
		request  Request
		code     string
		contains string
	}{
		{"syntax error", Request{Query: "{ me { "}, CodeParseFailed, "Expected"},
		{"no GraphQL", Request{Query: "<html>"}, CodeParseFailed, ""},
		{"nothing", Request{Query: ""}, CodeParseFailed, "empty"},
		{"blank", Request{Query: " \n\t,"}, CodeParseFailed, "empty"},
		{"only a comment", Request{Query: "# { me { id } }"}, CodeParseFailed, "empty"},
		{"a schema", Request{Query: "type Query { a: Int }"}, CodeParseFailed, ""},
		{"unclosed string", Request{Query: `{ echo(s: "a) }`}, CodeParseFailed, ""},
		{"deep lists", Request{Query: "{ echo(ll: " + strings.Repeat("[", deep)}, CodeTooDeep, "deep"},
		{"deep selections", Request{Query: strings.Repeat("{me", deep)}, CodeTooDeep, "deep"},
		{"deep types", Request{Query: "query($a: " + strings.Repeat("[", deep)}, CodeTooDeep, "deep"},
		{"deep objects", Request{Query: "{ echo(p: " + strings.Repeat("{next:", deep)}, CodeTooDeep, "deep"},
		{"deep fragments", Request{Query: strings.Repeat("{...", deep)}, CodeTooDeep, "deep"},

		{"unknown field", Request{Query: "{ you }"}, CodeValidationFailed, `"you"`},
		{"unknown argument", Request{Query: "{ echo(z: 1) }"}, CodeValidationFailed, `"z"`},
		{"unknown type", Request{Query: "query($a: Nope) { echo(a: $a) }"}, CodeValidationFailed, "Nope"},
		{"no selection", Request{Query: "{ me }"}, CodeValidationFailed, "selection"},
		{"undefined variable", Request{Query: "{ echo(i: $i) }"}, CodeValidationFailed, "$i"},
		{"unused variable", Request{Query: "query($i: Int) { me { id } }"}, CodeValidationFailed, "$i"},
		{"variable in the wrong place", Request{Query: "query($s: String) { echo(i: $s) }"}, CodeValidationFailed, "$s"},
		{"unused fragment", Request{Query: "{ me { id } } fragment F on User { id }"}, CodeValidationFailed, "F"},
		{"fragment without operation", Request{Query: "fragment F on User { id }"}, CodeValidationFailed, ""},
		{"fragment cycle", Request{Query: "{ me { ...F } } fragment F on User { friends { ...F } }"}, CodeFragmentCycle, "itself"},
		{"conflicting fields", Request{Query: "{ a: me { id } a: echo }"}, CodeValidationFailed, "a"},
		{"wrong literal", Request{Query: `{ echo(i: "1") }`}, CodeValidationFailed, "Int"},
		{"literal over 32 bits", Request{Query: "{ echo(i: 2147483648) }"}, CodeValidationFailed, "32-bit"},
		{"literal under 32 bits", Request{Query: "{ echo(l: [1, -2147483649]) }"}, CodeValidationFailed, "32-bit"},
		{"default over 32 bits", Request{Query: "query($i: Int = 2147483648) { echo(i: $i) }"}, CodeValidationFailed, "32-bit"},
		{"unknown enum value", Request{Query: "{ echo(c: BLUE) }"}, CodeValidationFailed, "BLUE"},
		{"subscription where there is none", Request{Query: "subscription { me { id } }"}, CodeValidationFailed, "subscription"},
		{"@defer on a field", Request{Query: "{ echo @defer }"}, CodeValidationFailed, "@defer"},
		{"@defer with a label from a variable", Request{Query: "query($s: String) { ... @defer(label: $s) { echo } }"}, CodeValidationFailed, "static string"},
		{"@defer with one label twice", Request{Query: `{ ... @defer(label: "x") { echo } me { ... @defer(label: "x") { id } } }`}, CodeValidationFailed, "unique"},
		{"@defer among the fields of a mutation", Request{Query: "mutation { ... @defer { set(v: 1) } }"}, CodeValidationFailed, "root"},
		{"unknown directive", Request{Query: "{ echo @nope }"}, CodeValidationFailed, "@nope"},
		{"anonymous beside a named one", Request{Query: "{ echo } query A { echo }", OperationName: "A"}, CodeValidationFailed, "anonymous"},
		{"two of one name", Request{Query: "query A { echo } query A { echo }", OperationName: "A"}, CodeValidationFailed, "A"},

		{"unknown operation", Request{Query: "query A { echo }", OperationName: "SECRET"}, CodeValidationFailed, "operationName"},
		{"operation named as a fragment", Request{Query: "query A { ...SECRET } fragment SECRET on Query { echo }", OperationName: "SECRET"}, CodeValidationFailed, "operationName"},
		{"name of another case", Request{Query: "query A { echo }", OperationName: "a"}, CodeValidationFailed, "operationName"},
		{"several operations, no name", Request{Query: "query A { echo } query B { echo }"}, CodeValidationFailed, "several operations"},
		{"missing variable", Request{Query: "mutation($v: Int!) { set(v: $v) }"}, CodeValidationFailed, "$v"},
		{"wrong variable", Request{Query: "mutation($v: Int!) { set(v: $v) }", Variables: map[string]any{"v": "SECRET"}}, CodeValidationFailed, "$v"},
	}
	p, view := testPreparer(t), testView(t, "v")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // what is refused is not kept
				prepared, errs := p.Prepare(view, tt.request)
				if prepared != nil || len(errs) == 0 {
					t.Fatalf("prepared %v, errors %v", prepared, errs)
				}
				for _, err := range errs {
					if _, bounded := err.Extensions["limit"]; err.Extensions["code"] != tt.code || bounded != (tt.code == CodeTooDeep) {
						t.Errorf("extensions %v, want code %s, and a limit only with a bound", err.Extensions, tt.code)
					}
					if err.Message == "" || err.Path != nil || err.Unwrap() != nil {
						t.Errorf("error %#v: want a message, and neither a path of no response nor a cause", err)
					}
					if strings.Contains(err.Message, "SECRET") && tt.code != CodeParseFailed {
						t.Errorf("the message quotes the request: %s", err.Message)
					}
				}
				if !strings.Contains(errs.Error(), tt.contains) {
					t.Errorf("errors %v do not mention %q", errs, tt.contains)
				}
			}
		})
	}
}

func TestPrepareChoosesTheOperation(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	for _, tt := range []struct {
		query, name string
		kind        ast.Operation
		chosen      string
	}{
		{"{ echo }", "", ast.Query, ""},
		{"query A { echo }", "", ast.Query, "A"},
		{"query A { echo }", "A", ast.Query, "A"},
		{"query A { echo } mutation B { set(v: 1) } query C { echo }", "B", ast.Mutation, "B"},
		{"query A { echo } mutation B { set(v: 2147483647) } query C { echo(i: -2147483648) }", "C", ast.Query, "C"},
	} {
		prepared, errs := p.Prepare(view, Request{Query: tt.query, OperationName: tt.name})
		if errs != nil {
			t.Fatalf("%s: %v", tt.query, errs)
		}
		if prepared.Kind() != tt.kind || prepared.Operation.Name != tt.chosen || prepared.View != view || prepared.Query != tt.query {
			t.Errorf("%s %q: got %s %q in %s", tt.query, tt.name, prepared.Kind(), prepared.Operation.Name, prepared.View.Name)
		}
	}
}

func TestDocumentsAreShared(t *testing.T) {
	p, view, other := testPreparer(t), testView(t, "v"), testView(t, "w")
	document := func(v *View, query, name string) *ast.QueryDocument {
		t.Helper()
		prepared, errs := p.Prepare(v, Request{Query: query, OperationName: name})
		if errs != nil {
			t.Fatal(errs)
		}
		return prepared.Document
	}
	const text = "query A { echo } query B { me { id } }"
	first := document(view, text, "A")
	if document(view, text, "A") != first || document(view, text, "B") != first {
		t.Error("the same text was parsed twice in one view")
	}
	if document(other, text, "A") == first {
		t.Error("two views share a document, which was validated in one of them only")
	}
	if document(view, text+" ", "A") == first {
		t.Error("two texts share a document")
	}
}

func TestPrepareConcurrently(t *testing.T) {
	p, view := testPreparer(t), testView(t, "v")
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 20 {
				query := fmt.Sprintf("query($i: Int! = %d) { echo(i: $i) ...F } fragment F on Query { me { friends { id } } }", j%5)
				prepared, errs := p.Prepare(view, Request{Query: query, Variables: map[string]any{"i": int64(i)}})
				if errs != nil || prepared.Variables["i"] != int64(i) {
					t.Errorf("got %v, %v", prepared, errs)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestTheCacheIsBounded(t *testing.T) {
	view := testView(t, "v")
	query := func(i int) string { return fmt.Sprintf("{ a%04d: echo }", i) }
	const room = 10
	p, err := NewPreparer(uint64(room*astFactor*len(query(0))), DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	documents := make([]*ast.QueryDocument, 200)
	for i := range documents {
		prepared, errs := p.Prepare(view, Request{Query: query(i)})
		if errs != nil {
			t.Fatal(errs)
		}
		documents[i] = prepared.Document
	}
	p.documents.CleanUp()
	kept := 0
	for i, document := range documents {
		key := documentKey{view.Name, sha256.Sum256([]byte(query(i)))}
		if cached, ok := p.documents.GetIfPresent(key); ok && cached.QueryDocument == document {
			kept++
		}
	}
	if kept == 0 || kept > room {
		t.Errorf("%d documents are kept where there is room for %d", kept, room)
	}
	large := "{ echo " + strings.Repeat("#", 500) + "\n}"
	first, _ := p.Prepare(view, Request{Query: large})
	p.documents.CleanUp()
	if second, errs := p.Prepare(view, Request{Query: large}); errs != nil || second.Document == first.Document {
		t.Errorf("a document larger than the cache is kept (errors %v)", errs)
	}
	if _, err := NewPreparer(0, DefaultBounds()); err == nil {
		t.Error("a cache without bound is made")
	}
}

func TestViewsHideAndLeaveTheSchemaAsItIs(t *testing.T) {
	full, err := gqlparser.LoadSchema(&ast.Source{Input: sdl + `
		directive @goField(name: String) on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
		directive @shown on FIELD_DEFINITION
		union Any2 = User
		extend type Query { hidden: User @goField(name: "x") @shown }
		extend input Point { z: Int @goField(name: "y") }`})
	if err != nil {
		t.Fatal(err)
	}
	before := formatted(full)
	view, err := NewView("v", full, nil)
	if err != nil {
		t.Fatal(err)
	}
	if formatted(full) != before {
		t.Error("the schema was changed")
	}
	text := formatted(view.Schema)
	if strings.Contains(text, "@goField") || view.Schema.Directives["goField"] != nil || view.Schema.Directives["defer"] == nil {
		t.Errorf("the view shows what it should hide:\n%s", text)
	}
	for _, want := range []string{"hidden: User @shown", "z: Int", "@shown on"} {
		if !strings.Contains(text, want) {
			t.Errorf("the view lacks %q:\n%s", want, text)
		}
	}
	if view.Schema.Query != view.Schema.Types["Query"] || view.Schema.Subscription != nil || view.Schema.PossibleTypes["Any2"][0] != view.Schema.Types["User"] {
		t.Error("the view mixes its own types with those of the schema")
	}
}

func formatted(schema *ast.Schema) string {
	var out strings.Builder
	formatter.NewFormatter(&out).FormatSchema(schema)
	return out.String()
}

// FuzzPrepare holds that no text brings the pipeline down or keeps it long, and that every refusal has a code.
func FuzzPrepare(f *testing.F) {
	p, view := testPreparer(f), testView(f, "v")
	for _, query := range []string{
		"{ me { id name friends(first: 3) { ...F } } } fragment F on User { id ... @include(if: true) { name(format: RED) } }",
		"query Q($p: Point = {x: 1, next: {x: 2, colour: GREEN}}, $ll: [[Int]] = [[1], null]) { echo(p: $p, ll: $ll) }",
		"mutation { set(v: 99999999999999999999) }", `{ echo(s: """block""", f: 1e400, a: {b: [null, $c]}) }`, "{ __schema { types { name } } __typename }",
		"query($a: Point!) { echo(p: $a) @skip(if: $a) }", "fragment F on F { ...F } { ...F ... on Any { x } }", "{echo(c:{})}", "{echo(p:{x:1,x:2})}", "{ ... on Nope { id } }",
	} {
		f.Add(query, "", `{"p":{"x":1}}`)
	}
	f.Fuzz(func(t *testing.T, query, name, variables string) {
		given, _ := looseJSON(variables).(map[string]any)
		start := time.Now()
		prepared, errs := p.Prepare(view, Request{Query: query, OperationName: name, Variables: given})
		if took := time.Since(start); took > 3*time.Second { // the machine may be busy with other fuzzing
			t.Fatalf("took %v", took)
		}
		if (prepared == nil) == (errs == nil) {
			t.Fatalf("prepared %v and errors %v", prepared, errs)
		}
		for _, err := range errs {
			if err.Extensions["code"] == nil || err.Message == "" {
				t.Fatalf("error without code or message: %#v", err)
			}
		}
	})
}
