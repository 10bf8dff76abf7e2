package federation_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/federation"
)

const full = `
directive @ours(why: String) on FIELD_DEFINITION | ARGUMENT_DEFINITION | ENUM_VALUE | INPUT_FIELD_DEFINITION | OBJECT | UNION
directive @key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
scalar federation__FieldSet
scalar _Any
union _Entity = Thing
type _Service { sdl: String! }
"A thing."
type Thing @key(fields: "id") @ours {
  id: ID! @ours
  "How it was called."
  old(
    "Which."
    kind: Kind = ROUND @ours @deprecated
  ): String @deprecated(reason: "say id") @ours
}
type Edge @shareable { cursor: String! }
enum Kind { ROUND @ours SQUARE @deprecated(reason: "too sharp") @ours }
input Filter { kind: Kind @ours @deprecated(reason: "gone") }
union Both @ours = Thing | Edge
type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! thing(filter: Filter): Thing both: Both }
type Mutation { make: Thing }
type Subscription { made: Thing }
`

const subgraph = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])

union Both = Thing | Edge
type Edge @shareable {
  cursor: String!
}
input Filter {
  kind: Kind @deprecated(reason: "gone")
}
enum Kind {
  ROUND
  SQUARE @deprecated(reason: "too sharp")
}
type Mutation {
  make: Thing
}
type Query {
  thing(filter: Filter): Thing
  both: Both
}
type Subscription {
  made: Thing
}
"""
A thing.
"""
type Thing @key(fields: "id") {
  id: ID!
  """
  How it was called.
  """
  old(
    """
    Which.
    """
    kind: Kind = ROUND @deprecated
  ): String @deprecated(reason: "say id")
}
`

func TestSDLTellsWhatCompositionNeedsAndNothingElse(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: full})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the schema is left as it is
		if got := federation.SDL(schema); got != subgraph {
			t.Errorf("got\n%s", got)
		}
	}
	if schema.Types["Thing"].Directives.ForName("ours") == nil || schema.Query.Fields.ForName("_service") == nil {
		t.Error("the schema has changed")
	}
}
