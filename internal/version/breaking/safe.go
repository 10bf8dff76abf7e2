package breaking

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// safeOutput: whoever could read the one type can read the other. Null may no longer occur, nothing else may differ.
func safeOutput(was, is *ast.Type) bool {
	if was.NonNull && !is.NonNull {
		return false
	}
	if was.Elem != nil {
		return is.Elem != nil && safeOutput(was.Elem, is.Elem)
	}
	return is.Elem == nil && was.NamedType == is.NamedType
}

// safeInput: whatever the one type took, the other takes. Null may be taken as well, nothing else may differ.
func safeInput(was, is *ast.Type) bool {
	if is.NonNull && !was.NonNull {
		return false
	}
	if was.Elem != nil {
		return is.Elem != nil && safeInput(was.Elem, is.Elem)
	}
	return is.Elem == nil && was.NamedType == is.NamedType
}

// required: whoever leaves it out is refused.
func required(typed *ast.Type, byDefault *ast.Value) bool { return typed.NonNull && byDefault == nil }

// maxDefaultParts bounds what is written of one default value: input objects whose default values contain one another, which the
// parser of schemas lets through, would have no end.
const maxDefaultParts = 256

// canonical writes a default value so that two that mean the same are the same text: "a" for a list is ["a"], 1 for a Float is
// 1.0, the fields of an input object are in alphabetical order and have their own default values.
func canonical(schema *ast.Schema, typed *ast.Type, value *ast.Value) string {
	w := defaults{schema: schema, left: maxDefaultParts}
	return w.text(typed, value)
}

type defaults struct {
	schema *ast.Schema
	left   int
}

func (w *defaults) text(typed *ast.Type, value *ast.Value) string {
	w.left--
	if value.Kind == ast.NullValue || w.left < 0 {
		return value.String()
	}
	if typed.Elem != nil {
		if value.Kind != ast.ListValue {
			return "[" + w.text(typed.Elem, value) + "]"
		}
		var items []string
		for _, item := range value.Children {
			items = append(items, w.text(typed.Elem, item.Value))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if definition := w.schema.Types[typed.NamedType]; definition != nil && definition.Kind == ast.InputObject && value.Kind == ast.ObjectValue {
		return w.object(definition, value)
	}
	return scalar(typed.NamedType, value)
}

func (w *defaults) object(definition *ast.Definition, value *ast.Value) string {
	var fields []string
	for _, field := range definition.Fields {
		has := value.Children.ForName(field.Name)
		if has == nil {
			has = field.DefaultValue
		}
		if has != nil {
			fields = append(fields, field.Name+": "+w.text(field.Type, has))
		}
	}
	slices.Sort(fields)
	return "{" + strings.Join(fields, ", ") + "}"
}

func scalar(name string, value *ast.Value) string {
	switch {
	case name == "Float" && (value.Kind == ast.IntValue || value.Kind == ast.FloatValue):
		if number, err := strconv.ParseFloat(value.Raw, 64); err == nil {
			return strconv.FormatFloat(number, 'g', -1, 64)
		}
	case name == "ID" && value.Kind == ast.IntValue:
		return strconv.Quote(value.Raw)
	}
	return value.String()
}
