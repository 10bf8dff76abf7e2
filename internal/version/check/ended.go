package main

import (
	"maps"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// withoutEnded is a released schema less the elements that are gone now and had announced it by a @sunset that lies in the past,
// and less the types that only those led to. It names the elements. The released schema is not changed.
func withoutEnded(was, is *ast.Schema, now time.Time) (*ast.Schema, []string) {
	e := ending{now: now.UTC().Format(time.DateOnly)}
	kept := *was
	kept.Types = maps.Clone(was.Types)
	for name, before := range was.Types {
		if after := is.Types[name]; after != nil && after.Kind == before.Kind {
			kept.Types[name] = e.definition(before, after)
		}
	}
	if len(e.ended) == 0 {
		return was, nil
	}
	slices.Sort(e.ended)
	reached := reachable(&kept)
	maps.DeleteFunc(kept.Types, func(name string, def *ast.Definition) bool { return !def.BuiltIn && !reached[name] })
	return &kept, e.ended
}

type ending struct {
	now   string
	ended []string
}

// gone says whether an element that the schema has no more ended as announced, and notes it.
func (e *ending) gone(coordinate string, directives ast.DirectiveList) bool {
	if at := sunsetOf(directives); at == "" || at > e.now {
		return false
	}
	e.ended = append(e.ended, coordinate)
	return true
}

func (e *ending) definition(was, is *ast.Definition) *ast.Definition {
	kept := *was
	kept.Fields, kept.EnumValues = nil, nil
	for _, field := range was.Fields {
		at, after := was.Name+"."+field.Name, is.Fields.ForName(field.Name)
		if after == nil && e.gone(at, field.Directives) {
			continue
		}
		copied := *field
		if after != nil {
			copied.Arguments = e.arguments(at, field.Arguments, after.Arguments)
		}
		kept.Fields = append(kept.Fields, &copied)
	}
	for _, value := range was.EnumValues {
		if is.EnumValues.ForName(value.Name) != nil || !e.gone(was.Name+"."+value.Name, value.Directives) {
			kept.EnumValues = append(kept.EnumValues, value)
		}
	}
	return &kept
}

func (e *ending) arguments(of string, was, is ast.ArgumentDefinitionList) (kept ast.ArgumentDefinitionList) {
	for _, argument := range was {
		if is.ForName(argument.Name) != nil || !e.gone(of+"("+argument.Name+":)", argument.Directives) {
			kept = append(kept, argument)
		}
	}
	return kept
}

// sunsetOf is the day on which an element ends; empty where none was announced.
func sunsetOf(directives ast.DirectiveList) string {
	if sunset := directives.ForName("sunset"); sunset != nil {
		if at := sunset.Arguments.ForName("at"); at != nil {
			return at.Value.Raw
		}
	}
	return ""
}

// sunsets are the days on which elements of a schema end, by coordinate.
func sunsets(schema *ast.Schema) map[string]string {
	days := map[string]string{}
	note := func(coordinate string, directives ast.DirectiveList) {
		if at := sunsetOf(directives); at != "" {
			days[coordinate] = at
		}
	}
	for name, def := range schema.Types {
		for _, value := range def.EnumValues {
			note(name+"."+value.Name, value.Directives)
		}
		for _, field := range def.Fields {
			note(name+"."+field.Name, field.Directives)
			for _, argument := range field.Arguments {
				note(name+"."+field.Name+"("+argument.Name+":)", argument.Directives)
			}
		}
	}
	return days
}

// reachable are the names of the types that operations of a schema can come to.
func reachable(schema *ast.Schema) map[string]bool {
	reached := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		def := schema.Types[name]
		if def == nil || reached[name] {
			return
		}
		reached[name] = true
		for _, field := range def.Fields {
			visit(field.Type.Name())
			for _, argument := range field.Arguments {
				visit(argument.Type.Name())
			}
		}
		for _, other := range slices.Concat(schema.PossibleTypes[name], schema.Implements[name]) {
			visit(other.Name)
		}
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		if root != nil {
			visit(root.Name)
		}
	}
	for _, directive := range schema.Directives {
		for _, argument := range directive.Arguments {
			visit(argument.Type.Name())
		}
	}
	return reached
}
