package oracle

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"go.uber.org/goleak"

	"tributary/internal/operation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zoo has one of everything that operations are drawn from.
const zoo = `
type Query {
  animal(id: ID!): Animal
  animals(ids: [ID!]!, kind: Kind = CAT, filter: Filter, deep: [[Int]]): [Animal!]!
  thing(ratio: Float, on: Boolean! = true): Thing
  time: Time
}
type Mutation { name(input: NameInput!): Cat }
interface Animal { id: ID! name(long: Boolean): String friends(first: Int): [Animal] }
interface Named implements Animal { id: ID! name(long: Boolean): String friends(first: Int): [Animal] nick: String! }
type Cat implements Animal & Named { id: ID! name(long: Boolean): String friends(first: Int): [Animal] nick: String! kind: Kind! sound: String }
type Dog implements Animal { id: ID! name(long: Boolean): String friends(first: Int): [Animal] sound: String barks: Int }
type Stone { weight: Float! sound: Int }
union Thing = Cat | Stone
enum Kind { CAT DOG }
input Filter { kinds: [Kind!] and: Filter size: Int = 3 }
input NameInput { id: ID! name: String before: Time }
scalar Time
`

// prepared makes the judge of operations on a schema.
func prepared(t testing.TB, text string) (*ast.Schema, func(operation.Request) (*operation.Prepared, gqlerror.List)) {
	t.Helper()
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Input: text})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		t.Fatal(err)
	}
	view, err := operation.NewView("zoo", schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	preparer, err := operation.NewPreparer(1<<20, operation.DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	return schema, func(r operation.Request) (*operation.Prepared, gqlerror.List) { return preparer.Prepare(view, r) }
}
