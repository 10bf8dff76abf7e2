package limit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Model is what the elements of one schema cost. It does not change and is safe for concurrent use.
type Model struct {
	types      map[string]*typeModel
	inputs     map[string]*inputModel
	directives map[string][]*inputValue // the arguments that cost
	roots      map[ast.Operation]*typeModel
	unsized    []string
}

// typeModel is a type that fields return.
type typeModel struct {
	name    string
	kind    ast.DefinitionKind
	weight  milli
	fields  map[string]*fieldModel // of an object
	members []*typeModel           // the possible types of a composite type: of an object itself
	is      map[string]bool        // the types that an object belongs to, itself among them
}

func (t *typeModel) leaf() bool { return t.kind == ast.Scalar || t.kind == ast.Enum }

// fieldModel is a field of an object type.
type fieldModel struct {
	weight    milli
	arguments []*inputValue // those that cost
	result    *typeModel
	lists     int     // how many lists are around the result: 2 for [[T]]
	sizing    *sizing // nil without @listSize
}

// builder reads a schema into a Model and gathers what is wrong with it.
type builder struct {
	schema    *ast.Schema
	overrides map[string]float64
	used      map[string]bool
	model     *Model
	errs      []error
}

// NewModel reads the directives @cost and @listSize of a schema. Overrides are weights, in points, in place of the schema's, by
// coordinate: "Post" (an object, a scalar or an enum), "Query.posts" (a field of an object), "Query.posts(first:)" (an
// argument), "CreatePostInput.title" (a member of an input object), "@approx(tolerance:)" (an argument of a directive). They
// are taken to the next thousandth. The error holds one for each thing that is wrong, each with its coordinate.
func NewModel(schema *ast.Schema, overrides map[string]float64) (*Model, error) {
	b := &builder{schema: schema, overrides: overrides, used: map[string]bool{}, model: &Model{
		types: map[string]*typeModel{}, inputs: map[string]*inputModel{}, directives: map[string][]*inputValue{}, roots: map[ast.Operation]*typeModel{},
	}}
	b.readTypes()
	b.readInputs()
	b.readFields()
	b.readDirectives()
	for _, coordinate := range slices.Sorted(maps.Keys(overrides)) {
		if !b.used[coordinate] {
			b.fail(coordinate, errors.New("the schema has nothing of this coordinate that can be weighed"))
		}
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	b.model.unsized = b.findUnsized()
	return b.model, nil
}

func (b *builder) fail(coordinate string, err error) {
	b.errs = append(b.errs, fmt.Errorf("%s: %w", coordinate, err))
}

// definitions gives the types of the schema by name, without those of introspection.
func (b *builder) definitions(kinds ...ast.DefinitionKind) []*ast.Definition {
	var found []*ast.Definition
	for _, name := range slices.Sorted(maps.Keys(b.schema.Types)) {
		if def := b.schema.Types[name]; !strings.HasPrefix(name, "__") && slices.Contains(kinds, def.Kind) {
			found = append(found, def)
		}
	}
	return found
}

// weigh finds the weight of an element: the override, else that of @cost, else the default.
func (b *builder) weigh(coordinate string, directives ast.DirectiveList, weight milli) milli {
	var err error
	if override, ok := b.overrides[coordinate]; ok {
		b.used[coordinate] = true
		weight, err = roundWeight(override)
	} else if cost := directives.ForName("cost"); cost != nil {
		text := ""
		if argument := cost.Arguments.ForName("weight"); argument != nil {
			text = argument.Value.Raw
		}
		weight, err = parseWeight(text)
	}
	if err != nil {
		b.fail(coordinate, err)
	}
	return weight
}

func (b *builder) readTypes() {
	types := b.model.types
	for _, def := range b.definitions(ast.Object, ast.Interface, ast.Union, ast.Scalar, ast.Enum) {
		t := &typeModel{name: def.Name, kind: def.Kind, is: map[string]bool{def.Name: true}}
		types[def.Name] = t
		switch def.Kind {
		case ast.Object:
			t.weight = b.weigh(def.Name, def.Directives, b.defaultWeight(def))
			t.members = []*typeModel{t}
		case ast.Scalar, ast.Enum:
			t.weight = b.weigh(def.Name, def.Directives, 0)
		}
		if t.weight < 0 {
			b.fail(def.Name, errors.New("a type cannot weigh less than nothing"))
		}
	}
	for _, def := range b.definitions(ast.Interface, ast.Union) {
		for _, possible := range b.schema.GetPossibleTypes(def) {
			if member := types[possible.Name]; member != nil && member.kind == ast.Object && !member.is[def.Name] {
				member.is[def.Name] = true
				types[def.Name].members = append(types[def.Name].members, member)
			}
		}
	}
	for operation, def := range map[ast.Operation]*ast.Definition{ast.Query: b.schema.Query, ast.Mutation: b.schema.Mutation, ast.Subscription: b.schema.Subscription} {
		if def != nil {
			b.model.roots[operation] = types[def.Name]
		}
	}
}

// defaultWeight is that of an object: nothing for the roots, which every operation has.
func (b *builder) defaultWeight(def *ast.Definition) milli {
	for _, root := range []*ast.Definition{b.schema.Query, b.schema.Mutation, b.schema.Subscription} {
		if root != nil && root.Name == def.Name {
			return 0
		}
	}
	return objectWeight
}

// readFields reads the fields of objects. Of those of interfaces it only checks the directives.
func (b *builder) readFields() {
	for _, def := range b.definitions(ast.Object, ast.Interface) {
		fields := make(map[string]*fieldModel, len(def.Fields))
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			coordinate := def.Name + "." + field.Name
			sizing := b.readSizing(coordinate, field)
			if def.Kind == ast.Interface {
				continue
			}
			weight := milli(0)
			if b.schema.Mutation != nil && def.Name == b.schema.Mutation.Name {
				weight = mutationWeight
			}
			fields[field.Name] = &fieldModel{
				weight:    b.weigh(coordinate, field.Directives, weight),
				arguments: b.readArguments(coordinate, field.Arguments),
				result:    b.model.types[field.Type.Name()],
				lists:     listDepth(field.Type),
				sizing:    sizing,
			}
		}
		b.model.types[def.Name].fields = fields
	}
}

func listDepth(t *ast.Type) int {
	depth := 0
	for ; t.Elem != nil; t = t.Elem {
		depth++
	}
	return depth
}

func (b *builder) readDirectives() {
	for _, name := range slices.Sorted(maps.Keys(b.schema.Directives)) {
		if arguments := b.readArguments("@"+name, b.schema.Directives[name].Arguments); arguments != nil {
			b.model.directives[name] = arguments
		}
	}
}

// readArguments gives those of the arguments that cost.
func (b *builder) readArguments(coordinate string, definitions ast.ArgumentDefinitionList) []*inputValue {
	var costly []*inputValue
	for _, def := range definitions {
		at := coordinate + "(" + def.Name + ":)"
		argument := &inputValue{
			name: def.Name, weight: b.weigh(at, def.Directives, 0), result: def.Type, fallback: def.DefaultValue,
		}
		if b.model.costly(argument) {
			b.settle(at, argument)
			costly = append(costly, argument)
		}
	}
	return costly
}
