package operation

import "github.com/vektah/gqlparser/v2/ast"

// specification is FieldsInSetCanMerge and SameResponseShape word for word, for every selection set of a document that was walked.
// It takes exponential time.
func specification(schema *ast.Schema, doc *ast.QueryDocument) bool {
	s := spec{schema}
	var every func(set ast.SelectionSet) bool
	every = func(set ast.SelectionSet) bool {
		if !s.fieldsInSetCanMerge(set) {
			return false
		}
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				if !every(selection.SelectionSet) {
					return false
				}
			case *ast.InlineFragment:
				if !every(selection.SelectionSet) {
					return false
				}
			}
		}
		return true
	}
	for _, op := range doc.Operations {
		if !every(op.SelectionSet) {
			return false
		}
	}
	for _, fragment := range doc.Fragments {
		if !every(fragment.SelectionSet) {
			return false
		}
	}
	return true
}

type spec struct{ schema *ast.Schema }

func (s spec) fieldsInSetCanMerge(set ast.SelectionSet) bool {
	for a, b := range s.pairs(set) {
		if !s.sameResponseShape(a, b) {
			return false
		}
		if a.ObjectDefinition != b.ObjectDefinition && a.ObjectDefinition.Kind == ast.Object && b.ObjectDefinition.Kind == ast.Object {
			continue
		}
		if a.Name != b.Name || !identicalArguments(a.Arguments, b.Arguments) {
			return false
		}
		if !s.fieldsInSetCanMerge(merged(a, b)) {
			return false
		}
	}
	return true
}

func (s spec) sameResponseShape(a, b *ast.Field) bool {
	typeA, typeB := s.fieldType(a), s.fieldType(b)
	for {
		if typeA.NonNull != typeB.NonNull || (typeA.Elem != nil) != (typeB.Elem != nil) {
			return false
		}
		if typeA.Elem == nil {
			break
		}
		typeA, typeB = typeA.Elem, typeB.Elem
	}
	if s.schema.Types[typeA.NamedType].IsLeafType() || s.schema.Types[typeB.NamedType].IsLeafType() {
		return typeA.NamedType == typeB.NamedType
	}
	for subA, subB := range s.pairs(merged(a, b)) {
		if !s.sameResponseShape(subA, subB) {
			return false
		}
	}
	return true
}

func (s spec) fieldType(field *ast.Field) *ast.Type {
	if field.Name == "__typename" {
		return &ast.Type{NamedType: "String", NonNull: true}
	}
	return field.Definition.Type
}

// pairs yields every two fields of a set, with its fragments, that have one response name.
func (s spec) pairs(set ast.SelectionSet) func(func(a, b *ast.Field) bool) {
	var fields []*ast.Field
	visited := map[string]bool{}
	var collect func(set ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch selection := selection.(type) {
			case *ast.Field:
				if selection.Definition != nil {
					fields = append(fields, selection)
				}
			case *ast.InlineFragment:
				collect(selection.SelectionSet)
			case *ast.FragmentSpread:
				if !visited[selection.Name] {
					visited[selection.Name] = true
					collect(selection.Definition.SelectionSet)
				}
			}
		}
	}
	collect(set)
	return func(yield func(a, b *ast.Field) bool) {
		for i, a := range fields {
			for _, b := range fields[i+1:] {
				if a != b && a.Alias == b.Alias && !yield(a, b) {
					return
				}
			}
		}
	}
}

func merged(a, b *ast.Field) ast.SelectionSet {
	return append(append(ast.SelectionSet{}, a.SelectionSet...), b.SelectionSet...)
}

func identicalArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, argument := range a {
		other := b.ForName(argument.Name)
		if other == nil || !identicalValues(argument.Value, other.Value) {
			return false
		}
	}
	return true
}

func identicalValues(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	for i, member := range a.Children {
		other := b.Children[i].Value
		if a.Kind == ast.ObjectValue {
			other = b.Children.ForName(member.Name)
		}
		if other == nil || !identicalValues(member.Value, other) {
			return false
		}
	}
	return true
}
