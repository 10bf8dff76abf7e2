package operation

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// coerceVariables gives the variables of an operation the values that their types ask for, as
// https://spec.graphql.org/September2025/#sec-Coercing-Variable-Values describes it. Given is left as it is: JSON as it was
// decoded, numbers as json.Number or as Go's. It stands in for gqlparser's coercion, which takes numbers for strings,
// strings for numbers and the values of an enum in any case, and whose errors quote what the caller sent.
func coerceVariables(schema *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, *gqlerror.Error) {
	c := coercion{schema}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		value, ok := given[def.Variable]
		if !ok && def.DefaultValue != nil {
			var err error
			if value, err = def.DefaultValue.Value(nil); err != nil {
				return nil, refuseVariable(def, &misfit{want: "a default in range"})
			}
			ok = true
		}
		if !ok && def.Type.NonNull {
			return nil, refuseVariable(def, &misfit{want: "a value: it has no default"})
		}
		if !ok {
			continue
		}
		coerced, wrong := c.value(def.Type, value)
		if wrong != nil {
			return nil, refuseVariable(def, wrong)
		}
		values[def.Variable] = coerced
	}
	return values, nil
}

func refuseVariable(def *ast.VariableDefinition, wrong *misfit) *gqlerror.Error {
	err := refuse(CodeValidationFailed, fmt.Sprintf("variable $%s%s: want %s", def.Variable, wrong.path, wrong.want))
	if def.Position != nil {
		err.Locations = []gqlerror.Location{{Line: def.Position.Line, Column: def.Position.Column}}
	}
	return err
}

// misfit is a value that does not fit its type: where below the variable it stands and what belongs there.
type misfit struct{ path, want string }

func (m *misfit) below(step string) *misfit { return &misfit{step + m.path, m.want} }

type coercion struct{ schema *ast.Schema }

func (c coercion) value(t *ast.Type, v any) (any, *misfit) {
	switch {
	case v == nil && t.NonNull:
		return nil, &misfit{want: "a value: null is none"}
	case v == nil:
		return nil, nil
	case t.Elem != nil:
		return c.list(t.Elem, v)
	}
	def := c.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		return enumValue(def, v)
	case ast.InputObject:
		return c.object(def, v)
	}
	return scalar(def, v)
}

// list coerces each member; what is no list is one of a single member.
func (c coercion) list(elem *ast.Type, v any) (any, *misfit) {
	given, ok := v.([]any)
	if !ok {
		only, wrong := c.value(elem, v)
		return []any{only}, wrong
	}
	values := make([]any, len(given))
	for i, member := range given {
		coerced, wrong := c.value(elem, member)
		if wrong != nil {
			return nil, wrong.below("[" + strconv.Itoa(i) + "]")
		}
		values[i] = coerced
	}
	return values, nil
}

// object coerces the members that are given. Their defaults are the executor's to fill in, as in a literal.
func (c coercion) object(def *ast.Definition, v any) (any, *misfit) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, &misfit{want: "an object of type " + def.Name}
	}
	values := make(map[string]any, len(given))
	known := 0
	for _, field := range def.Fields {
		member, ok := given[field.Name]
		if !ok {
			if field.Type.NonNull && field.DefaultValue == nil {
				return nil, &misfit{"." + field.Name, "a value: it has no default"}
			}
			continue
		}
		known++
		coerced, wrong := c.value(field.Type, member)
		if wrong != nil {
			return nil, wrong.below("." + field.Name)
		}
		values[field.Name] = coerced
	}
	if known < len(given) {
		return nil, &misfit{want: fmt.Sprintf("only members that %s has: %s", def.Name, memberNames(def))}
	}
	return values, nil
}

func memberNames(def *ast.Definition) string {
	names := make([]string, len(def.Fields))
	for i, field := range def.Fields {
		names[i] = field.Name
	}
	return strings.Join(names, ", ")
}

func enumValue(def *ast.Definition, v any) (any, *misfit) {
	name, ok := v.(string)
	if !ok || def.EnumValues.ForName(name) == nil {
		return nil, &misfit{want: "one of the values of " + def.Name}
	}
	return name, nil
}

// scalar coerces the built-in scalars; the values of any other are its own decoder's to judge.
func scalar(def *ast.Definition, v any) (any, *misfit) {
	var ok bool
	var value any
	switch def.Name {
	case "Int":
		var f float64
		f, ok = number(v)
		ok = ok && f == math.Trunc(f) && f >= math.MinInt32 && f <= math.MaxInt32
		value = int64(f)
	case "Float":
		value, ok = number(v)
	case "String":
		value, ok = v.(string)
	case "Boolean":
		value, ok = v.(bool)
	case "ID":
		value, ok = id(v)
	default:
		return v, nil
	}
	if !ok {
		return nil, &misfit{want: wants[def.Name]}
	}
	return value, nil
}

var wants = map[string]string{
	"Int": "an integer of 32 bits", "Float": "a finite number", "String": "a string",
	"Boolean": "true or false", "ID": "a string or an integer",
}

// number gives a JSON number's value; one beyond float64 is none.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// id gives an id's text. Of a number it is the digits as they were sent, however many.
func id(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), !strings.ContainsAny(v.String(), ".eE")
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}
