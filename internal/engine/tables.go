// Package engine executes GraphQL operations breadth-first, from tables that its gqlgen plugin (package gen) generates beside
// gqlgen's own code. It knows no type of any schema and depends on gqlgen and gqlparser alone.
//
// A document is compiled once into a plan (plan.go). Running one (run.go) fills columns: all objects of one type that stand at one
// place of the query, over all lists. A field's parents are resolved by one call as soon as they are there. Then the answer is
// written once, in the order of the query, into one buffer (write.go), where errors are placed and nulls rise.
package engine

import (
	"context"
	"slices"
)

// Tables say how the values of a schema are come by. They are made once and never changed afterwards.
type Tables struct{ types map[string]*Type }

// Type is an object, or an interface or union.
type Type struct {
	Name     string
	hidden   bool                         // see Tables.Hide
	Abstract []string                     // the interfaces and unions that an object belongs to
	Fields   map[string]*Field            // of an object
	Of       func(value any) (*Type, any) // of an interface or union: the object type of a value and the value as that type has it; nil, nil for none
}

// Field is a field of an object. Exactly one of Append, Get, Resolve and Batch is set.
type Field struct {
	Object, Name string
	NonNull      bool
	List         bool  // a list of objects; lists of leaves are leaves
	ElemNonNull  bool  // of a list of objects
	Type         *Type // nil: a leaf

	// Args coerces the arguments of a field; nil when it has none. The map is shared by all who run a plan: nobody may change it.
	Args func(ctx context.Context, raw map[string]any) (map[string]any, error)
	// Append appends the JSON of a leaf that stands in its object; false, and b as it was, for null.
	Append func(b []byte, obj any) ([]byte, bool)
	// Get reads objects that stand in their parent, without waiting for anything.
	Get func(ctx context.Context, obj any, args map[string]any) (any, error)
	// Resolve calls the resolver for one parent.
	Resolve func(ctx context.Context, obj any, args map[string]any) (any, error)
	// Batch calls the resolver for many parents; an error that is a graphql.BatchErrorList has a place for each.
	Batch func(ctx context.Context, objs []any, args map[string]any) ([]any, error)
	// Value appends the JSON of a leaf that Resolve or Batch gave, as Append does.
	Value func(b []byte, value any) ([]byte, bool)
	// Items appends the elements of a list to into, nil for null; false when the list itself is nil.
	Items func(list any, into []any) ([]any, bool)
	// Early makes the object of a root field with nothing but its key, see Tables.Early; nil when that cannot be told before.
	Early func(ctx context.Context, args map[string]any) (any, bool)
	ByKey bool // the resolver needs nothing of its parent but the key, see Tables.ByKey
}

// NewTables makes tables with empty types of these names.
func NewTables(names ...string) *Tables {
	t := &Tables{make(map[string]*Type, len(names))}
	for _, name := range names {
		t.types[name] = &Type{Name: name}
	}
	return t
}

// Implement notes that an object belongs to an interface or union.
func (t *Tables) Implement(object, abstract string) {
	if typ := t.types[object]; !slices.Contains(typ.Abstract, abstract) {
		typ.Abstract = append(typ.Abstract, abstract)
	}
}

// Hide has objects of these types be null wherever an interface or union stands for them: whoever sees this schema knows no such types.
func (t *Tables) Hide(names ...string) {
	for _, name := range names {
		if typ := t.types[name]; typ != nil {
			typ.hidden = true
		}
	}
}

// Type is the type of a name, nil when there is none.
func (t *Tables) Type(name string) *Type { return t.types[name] }

// Values makes a column of what a batch resolver gave.
func Values[T any](values []T) []any {
	column := make([]any, len(values))
	for i := range values {
		column[i] = values[i]
	}
	return column
}

// Pointers makes a column of what a batch resolver gave; a nil pointer is nil.
func Pointers[T any](values []*T) []any {
	column := make([]any, len(values))
	for i, value := range values {
		if value != nil {
			column[i] = value
		}
	}
	return column
}

// Pointer is what a resolver gave; a nil pointer is nil.
func Pointer[T any](value *T, err error) (any, error) {
	if value == nil {
		return nil, err
	}
	return value, err
}
