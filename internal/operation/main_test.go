package operation

import (
	"bytes"
	"encoding/json"
	"testing"

	gqlparser "github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sdl is a schema with every kind of type that a variable can have.
const sdl = `
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
scalar Any
enum Colour { RED GREEN }
input Point { x: Int!, y: Int! = 3, label: String, tags: [String!], colour: Colour, next: Point }
interface Node { id: ID!, friends(first: Int): [User!]! }
type User implements Node { id: ID!, name(format: Colour): String!, friends(first: Int): [User!]! }
type Query {
  me: User
  echo(i: Int, f: Float, s: String, b: Boolean, id: ID, c: Colour, p: Point, l: [Int!], ll: [[Int]], a: Any): String
}
type Mutation { set(v: Int!): Int }
`

func testView(t testing.TB, name string) *View {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	view, err := NewView(name, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func testPreparer(t testing.TB) *Preparer {
	t.Helper()
	p, err := NewPreparer(1<<20, DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fromJSON decodes as transports do.
func fromJSON(t testing.TB, text string) (v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
