package limit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// sizing is what @listSize says of a field.
type sizing struct {
	slicers  []slicer
	fallback int64      // the size when no slicing argument has a value
	sized    [][]string // paths from the field's type to the lists that have the size; none: the field itself has it
	known    bool       // the schema tells the size at all
}

// slicer is a slicing argument.
type slicer struct {
	argument string
	fallback *ast.Value // the argument's default
	path     []inputStep
	list     bool // its length is the size, not its value
}

// inputStep goes from an input object to one of its members.
type inputStep struct {
	name     string
	fallback *ast.Value
}

// readSizing reads @listSize of a field. It returns nil without one.
func (b *builder) readSizing(coordinate string, field *ast.FieldDefinition) *sizing {
	directive := field.Directives.ForName("listSize")
	if directive == nil {
		return nil
	}
	assumed, slicing, sized, requireOne := listSizeArguments(directive)
	s := &sizing{fallback: unknownListSize, known: assumed != nil || len(slicing) > 0}
	for _, path := range slicing {
		slicer, err := b.readSlicer(field, path)
		if err != nil {
			b.fail(coordinate, fmt.Errorf("slicingArguments: %w", err))
			continue
		}
		s.slicers = append(s.slicers, slicer)
	}
	for _, path := range sized {
		if err := b.checkSized(field, path); err != nil {
			b.fail(coordinate, fmt.Errorf("sizedFields: %w", err))
		}
		s.sized = append(s.sized, strings.Split(path, "."))
	}
	if assumed != nil {
		s.fallback = *assumed
	} else if requireOne && len(slicing) > 0 {
		s.fallback = 1
	}
	switch {
	case len(sized) == 0 && field.Type.Elem == nil:
		b.fail(coordinate, errors.New("@listSize stands on a field that is no list and has no sizedFields"))
	case s.fallback < 0:
		b.fail(coordinate, errors.New("assumedSize is negative"))
	case assumed != nil && len(slicing) > 0 && (requireOne || slices.ContainsFunc(s.slicers, slicer.hasDefault)):
		b.fail(coordinate, errors.New("assumedSize stands beside slicingArguments: that takes requireOneSlicingArgument: false and no slicing argument with a default"))
	}
	return s
}

func listSizeArguments(directive *ast.Directive) (assumed *int64, slicing, sized []string, requireOne bool) {
	requireOne = true
	for _, argument := range directive.Arguments {
		switch value := argument.Value; {
		case value.Kind == ast.NullValue:
		case argument.Name == "assumedSize":
			n, err := strconv.ParseInt(value.Raw, 10, 32)
			if err != nil {
				n = -1
			}
			assumed = &n
		case argument.Name == "slicingArguments":
			slicing = texts(value)
		case argument.Name == "sizedFields":
			sized = texts(value)
		case argument.Name == "requireOneSlicingArgument":
			requireOne = value.Raw == "true"
		}
	}
	return assumed, slicing, sized, requireOne
}

// texts reads a list of strings; a single one is a list of one.
func texts(value *ast.Value) []string {
	if value.Kind != ast.ListValue {
		return []string{value.Raw}
	}
	list := make([]string, len(value.Children))
	for i, child := range value.Children {
		list[i] = child.Value.Raw
	}
	return list
}

// readSlicer finds the argument, or the member of an input object in an argument, that a path such as "input.page.first" names.
func (b *builder) readSlicer(field *ast.FieldDefinition, path string) (slicer, error) {
	names := strings.Split(path, ".")
	argument := field.Arguments.ForName(names[0])
	if argument == nil {
		return slicer{}, fmt.Errorf("there is no argument %q", names[0])
	}
	s := slicer{argument: names[0], fallback: argument.DefaultValue}
	at := argument.Type
	for _, name := range names[1:] {
		def := b.schema.Types[at.NamedType] // none for a list, which has no members
		if def == nil || def.Kind != ast.InputObject || def.Fields.ForName(name) == nil {
			return slicer{}, fmt.Errorf("there is no %q in %q", name, path)
		}
		member := def.Fields.ForName(name)
		s.path = append(s.path, inputStep{name, member.DefaultValue})
		at = member.Type
	}
	s.list = at.Elem != nil
	if !s.list && at.NamedType != "Int" {
		return slicer{}, fmt.Errorf("%q is neither an Int nor a list", path)
	}
	return s, nil
}

// hasDefault says whether a default on the way to the slicing argument tells the size.
func (s slicer) hasDefault() bool {
	for {
		if _, given := (sizeSource{slicer: s}).size(nil); given || len(s.path) == 0 {
			return given
		}
		s.fallback, s.path = s.path[0].fallback, s.path[1:]
	}
}

// checkSized says what is wrong with a path to a sized field.
func (b *builder) checkSized(field *ast.FieldDefinition, path string) error {
	at := field.Type
	for _, name := range strings.Split(path, ".") {
		child := b.fieldOf(at.Name(), name)
		if child == nil {
			return fmt.Errorf("type %s has no field %q", at.Name(), name)
		}
		at = child.Type
	}
	if at.Elem == nil {
		return fmt.Errorf("%q is no list", path)
	}
	return nil
}

// fieldOf finds the field of a type, or of a member of a union.
func (b *builder) fieldOf(typeName, name string) *ast.FieldDefinition {
	def := b.schema.Types[typeName]
	if def == nil {
		return nil
	}
	if def.Kind != ast.Union {
		return def.Fields.ForName(name)
	}
	for _, member := range b.schema.GetPossibleTypes(def) {
		if field := member.Fields.ForName(name); field != nil {
			return field
		}
	}
	return nil
}
