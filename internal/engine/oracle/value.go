package oracle

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// place is where a value stands.
type place struct {
	typ        *ast.Type
	coordinate string // "" for a directive's argument
	defaults   bool   // leaving it out means a default
}

// inputNesting is how deep input objects are filled with what they may have.
const inputNesting = 3

// value draws what stands in a place.
func (d *draw) value(at place, nested int) *ast.Value {
	if !at.typ.NonNull && d.chance(0.05) {
		return d.given(at, nil, nested)
	}
	if d.Value != nil {
		if v, ok := d.Config.Value(d.r, at.coordinate); ok {
			return d.given(at, v, nested)
		}
	}
	return d.given(at, d.any(at.typ, nested), nested)
}

// any draws a value of a type.
func (d *draw) any(t *ast.Type, nested int) any {
	if t.Elem != nil {
		list := make([]any, d.r.IntN(3))
		for i := range list {
			list[i] = d.any(t.Elem, nested+1)
		}
		return list
	}
	def := d.Schema.Types[t.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return pick(d.r, def.EnumValues).Name
	case def.Kind == ast.InputObject:
		return d.object(def, nested)
	}
	switch def.Name {
	case "Boolean":
		return d.chance(0.5)
	case "Int":
		return pick(d.r, []int{-1, 0, 1, 2, 3, 100, 1<<31 - 1})
	case "Float":
		return pick(d.r, []float64{-1.5, 0, 0.25, 1e10})
	}
	return pick(d.r, []string{"", "x", "two words", "é\n\"\\"})
}

// members is an input object whose members are drawn where they stand, so that some of them can be variables.
type members struct {
	def   *ast.Definition
	names []string
}

func (d *draw) object(def *ast.Definition, nested int) members {
	m := members{def: def}
	for _, field := range def.Fields {
		required := field.Type.NonNull && field.DefaultValue == nil
		if required || (nested < inputNesting && d.chance(0.5)) {
			m.names = append(m.names, field.Name)
		}
	}
	return m
}

// given writes a value as a literal or, some of the time, as a variable.
func (d *draw) given(at place, v any, nested int) *ast.Value {
	if d.chance(0.35) {
		return d.variable(at, v, nested)
	}
	return d.literal(at, v, nested, false)
}

// literal writes a value of a type; constant means without variables.
func (d *draw) literal(at place, v any, nested int, constant bool) *ast.Value {
	inner := func(at place, v any) *ast.Value {
		if constant {
			return d.literal(at, v, nested+1, true)
		}
		return d.given(at, v, nested+1)
	}
	switch v := v.(type) {
	case nil:
		return &ast.Value{Kind: ast.NullValue, Raw: "null"}
	case bool:
		return &ast.Value{Kind: ast.BooleanValue, Raw: strconv.FormatBool(v)}
	case int:
		return &ast.Value{Kind: ast.IntValue, Raw: strconv.Itoa(v)}
	case float64:
		return &ast.Value{Kind: ast.FloatValue, Raw: strconv.FormatFloat(v, 'f', -1, 64)}
	case string:
		if d.Schema.Types[at.typ.Name()].Kind == ast.Enum {
			return &ast.Value{Kind: ast.EnumValue, Raw: v}
		}
		return &ast.Value{Kind: ast.StringValue, Raw: v}
	case []any:
		if len(v) == 1 && at.typ.Elem != nil && v[0] != nil && d.chance(0.3) { // a list of one may be written as that one
			return d.literal(place{typ: at.typ.Elem}, v[0], nested, true)
		}
		list := &ast.Value{Kind: ast.ListValue}
		for _, member := range v {
			list.Children = append(list.Children, &ast.ChildValue{Value: inner(place{typ: at.typ.Elem}, member)})
		}
		return list
	}
	object := &ast.Value{Kind: ast.ObjectValue}
	if free, ok := d.free(at, v); ok {
		for _, name := range slices.Sorted(maps.Keys(free)) {
			text := d.literal(place{typ: ast.NamedType("String", nil)}, free[name], nested+1, true)
			object.Children = append(object.Children, &ast.ChildValue{Name: name, Value: text})
		}
		return object
	}
	for field, value := range d.eachMember(at.typ, v) {
		below := place{typ: field.Type, coordinate: at.typ.Name() + "." + field.Name, defaults: field.DefaultValue != nil}
		var written *ast.Value
		switch {
		case value != nil:
			written = inner(below, *value)
		case constant:
			written = d.literal(below, d.memberValue(below, nested), nested+1, true)
		default:
			written = d.value(below, nested+1)
		}
		object.Children = append(object.Children, &ast.ChildValue{Name: field.Name, Value: written})
	}
	return object
}

// free is an object where a scalar stands, so that nothing says which members it has. They are texts.
func (d *draw) free(at place, v any) (map[string]any, bool) {
	object, ok := v.(map[string]any)
	return object, ok && d.Schema.Types[at.typ.Name()].Kind == ast.Scalar
}

// eachMember goes over the members that an object has, in the order of its type. A nil value is still to be drawn.
func (d *draw) eachMember(t *ast.Type, v any) func(yield func(*ast.FieldDefinition, *any) bool) {
	return func(yield func(*ast.FieldDefinition, *any) bool) {
		for _, field := range d.Schema.Types[t.Name()].Fields {
			switch v := v.(type) {
			case members:
				if slices.Contains(v.names, field.Name) && !yield(field, nil) {
					return
				}
			case map[string]any:
				if value, ok := v[field.Name]; ok && !yield(field, &value) {
					return
				}
			}
		}
	}
}

// memberValue draws the value of a member that cannot hold variables.
func (d *draw) memberValue(at place, nested int) any {
	if d.Value != nil {
		if v, ok := d.Config.Value(d.r, at.coordinate); ok {
			return v
		}
	}
	return d.any(at.typ, nested+1)
}

// variable declares a variable for a value: of the type of its place or a stricter one, with a default or without, sent or left
// to its default, or not there at all where that is allowed.
func (d *draw) variable(at place, v any, nested int) *ast.Value {
	def := &ast.VariableDefinition{Variable: d.name("v"), Type: at.typ}
	send := true
	switch p := d.r.Float64(); {
	case v != nil && p < 0.2: // the default counts, whatever of both types it is
		def.DefaultValue, send = d.literal(at, v, nested, true), false
		def.Type = strictness(at.typ, d.chance(0.5))
	case v != nil && p < 0.35: // what is sent counts
		def.DefaultValue = d.literal(at, v, nested, true)
		def.Type = strictness(at.typ, d.chance(0.5))
	case v != nil && p < 0.5:
		def.Type = strictness(at.typ, true)
	case v != nil && p < 0.6 && at.defaults:
		def.Type = strictness(at.typ, false)
	case !at.typ.NonNull && p < 0.6:
		send = false
	}
	if send {
		d.values[def.Variable] = d.sent(at, v, nested)
	}
	d.variables = append(d.variables, def)
	return &ast.Value{Kind: ast.Variable, Raw: def.Variable}
}

// strictness is a type that is, or is not, non-null.
func strictness(t *ast.Type, nonNull bool) *ast.Type {
	same := *t
	same.NonNull = nonNull
	return &same
}

// sent is a value as a transport decodes it from JSON.
func (d *draw) sent(at place, v any, nested int) any {
	switch v := v.(type) {
	case nil, bool, string:
		return v
	case int:
		return json.Number(strconv.Itoa(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case []any:
		list := make([]any, len(v))
		for i, member := range v {
			list[i] = d.sent(place{typ: at.typ.Elem}, member, nested+1)
		}
		return list
	}
	if free, ok := d.free(at, v); ok {
		return free
	}
	object := map[string]any{}
	for field, value := range d.eachMember(at.typ, v) {
		below := place{typ: field.Type, coordinate: at.typ.Name() + "." + field.Name}
		if value == nil {
			drawn := d.memberValue(below, nested)
			value = &drawn
		}
		object[field.Name] = d.sent(below, *value, nested+1)
	}
	return object
}
