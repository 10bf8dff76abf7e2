// Package limit says what an operation costs and how much a caller may spend.
//
// A Model holds the weights and list sizes of a schema, from the directives of
// https://ibm.github.io/graphql-specs/cost-spec.html. It compiles an operation into a Plan, which tells the cost before the
// operation runs, by the variables, and after it has run, by what was returned. Where the specification leaves room:
//
//   - There is one cost, the specification's type cost and field cost added up, in points. The root object weighs nothing.
//   - A field of the mutation type weighs 10 unless it has a weight of its own. Introspection costs 10 for each root field.
//   - Arguments and members of input objects weigh 0 by default. One that is null counts as not given; a default counts as
//     given.
//   - A list whose size nothing tells is taken to have 100 elements, so too every list inside a list. Where the schema demands
//     a slicing argument and there is none, the field will be refused: that counts as one element.
//   - A field that several selections merge into costs what the dearest of them does, with its directives.
//   - Weights of interfaces, unions and their fields do not exist: the dearest possible type counts.
package limit

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
)

// ErrTooLarge refuses an operation whose plan would be too large.
var ErrTooLarge = errors.New("the operation selects too many fields")

// Directives declares what a Model reads, in the schema definition language.
const Directives = `directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`

const (
	maxSteps        = 20_000 // selections that compiling a plan may visit, fragments counted each time
	maxFieldCosts   = 1_000  // entries that Fields returns
	unknownListSize = 100

	objectWeight        = 1 * point
	mutationWeight      = 10 * point
	introspectionWeight = 10 * point
)

// Failure is a field that ended in an error.
type Failure struct {
	Path ast.Path
	Free bool // it was refused before any work was done, and costs nothing
}

// FieldCost is what one field of an operation adds to its estimate. Every cost is in whole points, rounded up.
type FieldCost struct {
	Path                  []string `json:"path"`                  // response keys, without list indices
	DefinedCost           int64    `json:"definedCost"`           // of one execution that returns one value, without what is selected on it
	RequestedTotalCost    int64    `json:"requestedTotalCost"`    // over all executions, with what is selected below
	RequestedChildrenCost int64    `json:"requestedChildrenCost"` // the part of it that is due to the fields below
}
