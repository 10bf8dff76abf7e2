package limit

import (
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const costSchema = Directives + `
directive @approx(tolerance: Float! @cost(weight: "-1.0")) on FIELD
directive @trace(level: Int = 1 @cost(weight: "0.2")) on FIELD

scalar Blob @cost(weight: "0.25")
enum Mood @cost(weight: "0.5") { GOOD BAD }
enum Mode { FAST DEEP }
interface Node { id: ID! }
union Thing = User | Post | Robot

type PageInfo @cost(weight: "0") { more: Boolean }
type PostEdge @cost(weight: "0") { cursor: String node: Post! }
type PostConnection { edges: [PostEdge!]! nodes: [Post!]! pageInfo: PageInfo! totalCount: Int! }

type Post implements Node {
  id: ID!
  title: String
  tags: [String!]!
  author: User
  similar: [Post!] @listSize(assumedSize: 3)
}

type User implements Node {
  id: ID!
  name: String
  age: Int @cost(weight: "2.0")
  mood: Mood
  best: User
  friends(first: Int): [User] @listSize(slicingArguments: ["first"])
  posts(first: Int, last: Int): PostConnection @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"])
  drafts: [Post]
}

type Robot implements Node @cost(weight: "5") {
  id: ID!
  name: String @cost(weight: "3")
  serial: String @cost(weight: "1.5")
}

input Filter {
  text: String @cost(weight: "1")
  approximate: Boolean @cost(weight: "-12.0")
  boost: Int = 2 @cost(weight: "0.5")
  and: [Filter!]
}
input FindInput { page: Page = {first: 5} }
input Page { first: Int last: Int }
type FindResult { page: FindPage }
type FindPage { items: [Post!]! total: Int }

type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]! @listSize(slicingArguments: ["ids"])
  things: [Thing!] @listSize(assumedSize: 2)
  user(id: ID): User
  users(max: Int = 10): [User] @listSize(slicingArguments: ["max"])
  top(limit: Int): [User] @listSize(assumedSize: 4, slicingArguments: ["limit"], requireOneSlicingArgument: false)
  open(limit: Int): [User] @listSize(slicingArguments: ["limit"], requireOneSlicingArgument: false)
  all: [User]
  matrix: [[User]] @listSize(assumedSize: 2)
  search(filter: Filter @cost(weight: "15.0"), mode: Mode = FAST @cost(weight: "1")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10)
  find(input: FindInput!): FindResult @listSize(slicingArguments: ["input.page.first", "input.page.last"], sizedFields: ["page.items"])
  blobs: [Blob] @listSize(assumedSize: 8)
  cheap: String @cost(weight: "-3")
}

type Mutation {
  touch: Boolean
  addPost(title: String): AddPostPayload
  heavy: User @cost(weight: "20")
}
type AddPostPayload { post: Post }
`

func loadSchema(t testing.TB, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// planner compiles the first operation of a text, which must be valid.
func planner(t testing.TB, sdl string) func(query string) *Plan { return plannerWith(t, sdl, nil) }

func plannerWith(t testing.TB, sdl string, overrides map[string]float64) func(query string) *Plan {
	t.Helper()
	schema := loadSchema(t, sdl)
	model, err := NewModel(schema, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return func(query string) *Plan {
		doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
		if errs != nil {
			t.Fatalf("%s: %v", query, errs)
		}
		plan, err := model.Plan(doc, doc.Operations[0])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return plan
	}
}
