package operation

import (
	"fmt"
	"reflect"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes of a request that is beyond a bound. Their errors carry the bound in extensions.limit.
const (
	CodeTooManyTokens        = "TOO_MANY_TOKENS"
	CodeNameTooLong          = "NAME_TOO_LONG"
	CodeTooManyOperations    = "TOO_MANY_OPERATIONS"
	CodeTooDeep              = "TOO_DEEP"
	CodeTooManyAliases       = "TOO_MANY_ALIASES"
	CodeTooManyRootFields    = "TOO_MANY_ROOT_FIELDS"
	CodeTooManyDirectives    = "TOO_MANY_DIRECTIVES"
	CodeTooManyFields        = "TOO_MANY_FIELDS"
	CodeTooManyArguments     = "TOO_MANY_ARGUMENTS"
	CodeFragmentsTooDeep     = "FRAGMENTS_TOO_DEEP"
	CodeFragmentCycle        = "FRAGMENT_CYCLE" // has no limit: none is allowed
	CodeIntrospectionTooDeep = "INTROSPECTION_TOO_DEEP"
	CodeVariablesTooLarge    = "VARIABLES_TOO_LARGE"
)

// Bounds are how much a document and its variables may hold; as much as a bound says is allowed. They are counted before
// anything is validated, in a time that grows with the text alone, and cover all definitions of a document, used or not.
type Bounds struct {
	Tokens          int // of a document; each comment is one
	NameBytes       int // of one name
	Operations      int // of a document
	Depth           int // fields one inside the other, through fragments
	ValueDepth      int // lists and objects one inside the other: in a literal, in the type of a variable, in its value
	Aliases         int // of a document, as written
	RootFields      int // of one operation, those of its fragments among them
	Directives      int // of a document, as written
	Fields          int // fields and fragments of all operations, a fragment's counted wherever it is spread
	Arguments       int // values in arguments, once more for each list or object around them; counted as fields are
	FragmentNesting int // fragments one inside the other, named or inline, through fields
	ListNesting     int // of fields, interfaces, possibleTypes and inputFields below __schema and __type
	VariableValues  int // scalars, lists and objects in the variables that were sent
	Errors          int // of validation in one answer
}

// DefaultBounds leave room for what people and their tools write: GraphiQL's introspection query is 15 fields and 3 fragments
// deep, Relay's compiled operations have hundreds of fragments. Depth and fragments stay low because they multiply. ListNesting
// refuses what graphql-js does: a third list inside two.
func DefaultBounds() Bounds {
	return Bounds{
		Tokens: 10_000, NameBytes: 256, Operations: 20,
		Depth: 20, ValueDepth: 20,
		Aliases: 100, RootFields: 50, Directives: 100,
		Fields: 5_000, Arguments: 10_000, FragmentNesting: 30, ListNesting: 2,
		VariableValues: 10_000, Errors: 20,
	}
}

// check refuses bounds that nothing could keep.
func (b Bounds) check() error {
	values := reflect.ValueOf(b)
	for field, value := range values.Fields() {
		if value.Int() < 1 {
			return fmt.Errorf("the bound %s is %d: it must be at least 1", field.Name, value.Int())
		}
	}
	return nil
}

// exceeded refuses what is beyond a bound. The format says what to do about it, and holds the bound.
func exceeded(code string, most int, format string) *gqlerror.Error {
	err := refuse(code, fmt.Sprintf(format, most))
	err.Extensions["limit"] = most
	return err
}

// variables refuses values that are too many or too deep, looking no further than it must.
func (b Bounds) variables(given map[string]any) *gqlerror.Error {
	left := b.VariableValues
	for _, value := range given {
		if refused := b.value(value, 0, &left); refused != nil {
			return refused
		}
	}
	return nil
}

func (b Bounds) value(v any, depth int, left *int) *gqlerror.Error {
	if *left--; *left < 0 {
		return exceeded(CodeVariablesTooLarge, b.VariableValues, "the variables hold more than %d values: send them in several requests")
	}
	if depth > b.ValueDepth {
		return exceeded(CodeVariablesTooLarge, b.ValueDepth, "the variables hold lists or objects more than %d deep: make them flatter")
	}
	switch v := v.(type) {
	case []any:
		for _, member := range v {
			if refused := b.value(member, depth+1, left); refused != nil {
				return refused
			}
		}
	case map[string]any:
		for _, member := range v {
			if refused := b.value(member, depth+1, left); refused != nil {
				return refused
			}
		}
	}
	return nil
}
