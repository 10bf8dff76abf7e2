package operation

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// typeOf is what a field returns. The walker's definition of __typename may be null, that of the specification may not.
func typeOf(field *ast.Field) *ast.Type {
	if field.Name == "__typename" {
		return ast.NonNullNamedType("String", nil)
	}
	return field.Definition.Type
}

// sameShape says whether the values of two types look the same in JSON, as far as SameResponseShape asks: lists and nulls in the
// same places, and the same leaf or no leaf at all. What lies in objects is compared place by place.
func (m merging) sameShape(a, b *ast.Type) bool {
	switch {
	case a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil):
		return false
	case a.Elem != nil:
		return m.sameShape(a.Elem, b.Elem)
	}
	return a.NamedType == b.NamedType || (m.schema.Types[a.NamedType].IsCompositeType() && m.schema.Types[b.NamedType].IsCompositeType())
}

// argumentsOf numbers the arguments of a field, 0 for none. A field is met wherever its fragment is spread, and its arguments may be
// long: they are looked at once.
func (m merging) argumentsOf(field *ast.Field) int {
	if len(field.Arguments) == 0 {
		return 0
	}
	if number, ok := m.arguments[field]; ok {
		return number
	}
	text := argumentsText(field.Arguments)
	number, ok := m.texts[text]
	if !ok {
		number = len(m.texts) + 1
		m.texts[text] = number
	}
	m.arguments[field] = number
	return number
}

// argumentsText writes arguments so that those that are the same have the same text, in whatever order they and the members of
// their objects were written.
func argumentsText(list ast.ArgumentList) string {
	byName := slices.SortedStableFunc(slices.Values(list), func(a, b *ast.Argument) int { return cmp.Compare(a.Name, b.Name) })
	var text strings.Builder
	for _, argument := range byName {
		text.WriteString(argument.Name + ":")
		writeValue(&text, argument.Value)
	}
	return text.String()
}

// writeValue ends everything that it writes, so that no two values have one text.
func writeValue(text *strings.Builder, v *ast.Value) {
	switch v.Kind {
	case ast.ListValue:
		text.WriteByte('[')
		for _, member := range v.Children {
			writeValue(text, member.Value)
		}
		text.WriteString("],")
	case ast.ObjectValue:
		text.WriteByte('{')
		byName := slices.SortedStableFunc(slices.Values(v.Children), func(a, b *ast.ChildValue) int { return cmp.Compare(a.Name, b.Name) })
		for _, member := range byName {
			text.WriteString(member.Name + ":")
			writeValue(text, member.Value)
		}
		text.WriteString("},")
	default: // its kind tells "RED" from RED, its length where it ends
		text.WriteString(strconv.Itoa(int(v.Kind)) + "." + strconv.Itoa(len(v.Raw)) + "." + v.Raw + ",")
	}
}
