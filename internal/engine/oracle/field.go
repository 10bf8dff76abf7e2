package oracle

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// field draws a field with all that is below it.
func (d *draw) field(parent *ast.Definition, in *scope, depth, nesting int) (ast.Selection, int) {
	d.left--
	if d.chance(0.12) {
		if again := d.again(parent, in, depth, nesting); again != nil {
			return again, depth
		}
	}
	def := d.choose(parent, depth)
	if def == nil {
		def = &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)}
	}
	field := &ast.Field{Name: def.Name, Alias: def.Name, Arguments: d.arguments(parent, def), Directives: d.directives()}
	u := use{parent, field, call(field), def.Type.String()}
	switch p := d.r.Float64(); {
	case p < 0.2:
		field.Alias = "a" + string(rune('0'+d.r.IntN(4)))
	case p < 0.4:
		field.Alias = in.shared(u, field.Alias)
	}
	if !in.admits(field.Alias, u) {
		field.Alias = d.name("f")
	}
	sub, height := in.add(field.Alias, u), 0
	if below := d.Schema.Types[def.Type.Name()]; composite(below) {
		field.SelectionSet, height = d.set(below, sub, depth-1, fragmentNesting)
	}
	return field, height + 1
}

// again selects what is selected already once more, with other sub-selections and under the same key; nil where nothing is.
func (d *draw) again(parent *ast.Definition, in *scope, depth, nesting int) *ast.Field {
	if len(in.keys) == 0 {
		return nil
	}
	key := pick(d.r, in.keys)
	before := pick(d.r, in.slots[key].uses)
	def := parent.Fields.ForName(before.field.Name)
	if before.parent != parent || def == nil {
		return nil
	}
	field := &ast.Field{Name: before.field.Name, Alias: key, Arguments: before.field.Arguments, Directives: d.directives()}
	u := use{parent, field, before.call, before.typ}
	if !in.admits(key, u) {
		return nil
	}
	if below := d.Schema.Types[def.Type.Name()]; composite(below) {
		if depth <= 1 {
			return nil
		}
		field.SelectionSet, _ = d.set(below, in.slots[key].sub, depth-1, fragmentNesting)
	}
	in.add(key, u)
	return field
}

// choose draws one of the fields that a type has and that fit; nil stands for __typename.
func (d *draw) choose(parent *ast.Definition, depth int) *ast.FieldDefinition {
	if d.chance(0.08) {
		return nil
	}
	var fit []*ast.FieldDefinition
	for _, def := range parent.Fields {
		introspects := strings.HasPrefix(def.Name, "__")
		switch {
		case d.Leave != nil && d.Leave(parent.Name+"."+def.Name):
		case introspects && !d.chance(0.2):
		case d.narrow && parent == d.Schema.Query && !slices.Contains(d.Narrow, def.Name):
		case composite(d.Schema.Types[def.Type.Name()]) && (depth <= 1 || d.left <= 0):
		default:
			fit = append(fit, def)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return pick(d.r, fit)
}

// arguments draws those of a field: the required ones, and of the others those that it is to have.
func (d *draw) arguments(parent *ast.Definition, def *ast.FieldDefinition) (list ast.ArgumentList) {
	coordinate := parent.Name + "." + def.Name
	var names []string
	chosen := false
	if d.Arguments != nil {
		names, chosen = d.Arguments(d.r, coordinate)
	}
	for _, argument := range def.Arguments {
		required := argument.Type.NonNull && argument.DefaultValue == nil
		wanted := d.chance(0.4)
		if chosen {
			wanted = slices.Contains(names, argument.Name)
		}
		if !required && !wanted {
			continue
		}
		at := place{typ: argument.Type, coordinate: coordinate + "(" + argument.Name + ":)", defaults: argument.DefaultValue != nil}
		list = append(list, &ast.Argument{Name: argument.Name, Value: d.value(at, 0)})
	}
	return list
}

// call is a field without its alias and what is below it: equal texts are equal reads.
func call(f *ast.Field) string {
	var text strings.Builder
	text.WriteString(f.Name)
	for _, a := range f.Arguments {
		text.WriteString(" " + a.Name + ":" + a.Value.String())
	}
	return text.String()
}
