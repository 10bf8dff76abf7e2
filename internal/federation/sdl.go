// Package federation writes a schema as that of a subgraph of Apollo Federation 2.
package federation

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// link imports what the schema uses of the federation specification. Its scalars and directives are defined by composition.
const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])`

// told are the directives that mean something to composition or to clients of the supergraph. Costs and rights are left out: this
// server sees to them itself, and a router that knew their names would want to do so too.
var told = map[string]bool{"key": true, "shareable": true, "deprecated": true, "specifiedBy": true, "oneOf": true}

// machinery are the types that the specification adds to every subgraph.
var machinery = map[string]bool{"_Any": true, "_Entity": true, "_Service": true, "federation__FieldSet": true}

// SDL is the schema for composition, as `_service { sdl }` gives it: with descriptions and keys, without what composition adds itself
// and what only this server makes use of. The schema is left as it is.
func SDL(schema *ast.Schema) string {
	shown := &ast.Schema{Types: make(map[string]*ast.Definition, len(schema.Types))}
	for name, definition := range schema.Types {
		if !machinery[name] {
			shown.Types[name] = tell(definition)
		}
	}
	shown.Query, shown.Mutation, shown.Subscription = same(shown, schema.Query), same(shown, schema.Mutation), same(shown, schema.Subscription)
	var sdl strings.Builder
	sdl.WriteString(link + "\n\n")
	formatter.NewFormatter(&sdl, formatter.WithIndent("  ")).FormatSchema(shown)
	return sdl.String()
}

// tell copies a type as far as the subgraph's differs from it.
func tell(full *ast.Definition) *ast.Definition {
	shown := *full
	shown.Directives = tellDirectives(full.Directives)
	shown.Fields = nil
	for _, field := range full.Fields {
		if field.Name == "_service" || field.Name == "_entities" {
			continue
		}
		copied := *field
		copied.Directives, copied.Arguments = tellDirectives(field.Directives), slices.Clone(field.Arguments)
		for i, argument := range copied.Arguments {
			argument := *argument
			argument.Directives = tellDirectives(argument.Directives)
			copied.Arguments[i] = &argument
		}
		shown.Fields = append(shown.Fields, &copied)
	}
	shown.EnumValues = slices.Clone(full.EnumValues)
	for i, value := range shown.EnumValues {
		copied := *value
		copied.Directives = tellDirectives(value.Directives)
		shown.EnumValues[i] = &copied
	}
	return &shown
}

func tellDirectives(full ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(full), func(d *ast.Directive) bool { return !told[d.Name] })
}

// same finds the subgraph's own copy of a type.
func same(schema *ast.Schema, full *ast.Definition) *ast.Definition {
	if full == nil {
		return nil
	}
	return schema.Types[full.Name]
}
