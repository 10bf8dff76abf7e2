package operation

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/internal/limit"
	"tributary/internal/version"
)

// View is the schema as one kind of caller sees it: those who use one version of it. It does not change.
type View struct {
	Name    string
	Schema  *ast.Schema
	Version *version.Version
	Label   []string // the name alone, as a header holds it; nobody changes it

	whole       *ast.Schema // of which Schema shows a part
	header      []Field     // see Header
	costs       *limit.Model
	protections protections
	reachable   map[string]bool // input types in which something is deprecated, at any depth
}

// hidden are directives that are nobody's business outside: those that steer the generator.
var hidden = map[string]bool{"goField": true, "goExtraField": true, "goModel": true, "goTag": true}

// NewView makes a view that shows all of a schema, whatever its versions. Weights stand in for those of the schema's @cost, by coordinate,
// as limit.NewModel has it. The error says what is wrong with them, or with the schema's own directives.
func NewView(name string, schema *ast.Schema, weights map[string]float64) (*View, error) {
	return newView(name, schema, &version.Version{Number: 1, Schema: schema}, weights)
}

func newView(name string, whole *ast.Schema, v *version.Version, weights map[string]float64) (*View, error) {
	shown := show(v.Schema)
	costs, err := limit.NewModel(shown, weights)
	if err != nil {
		return nil, fmt.Errorf("costs of the schema: %w", err)
	}
	protected, err := findProtections(shown)
	if err != nil {
		return nil, fmt.Errorf("rights of the schema: %w", err)
	}
	return &View{
		Name: name, Schema: shown, Version: v, Label: []string{name},
		whole: whole, header: notices(v.Deprecated, v.Sunset), costs: costs, protections: protected, reachable: deprecatedInputs(shown, v.Deprecations),
	}, nil
}

// show copies what everybody may see.
func show(schema *ast.Schema) *ast.Schema {
	shown := *schema
	shown.Directives = maps.Clone(schema.Directives)
	maps.DeleteFunc(shown.Directives, func(name string, _ *ast.DirectiveDefinition) bool { return hidden[name] })
	shown.Types = make(map[string]*ast.Definition, len(schema.Types))
	for name, definition := range schema.Types {
		shown.Types[name] = showType(definition)
	}
	shown.Query, shown.Mutation, shown.Subscription = same(&shown, schema.Query), same(&shown, schema.Mutation), same(&shown, schema.Subscription)
	shown.PossibleTypes, shown.Implements = sameLists(&shown, schema.PossibleTypes), sameLists(&shown, schema.Implements)
	return &shown
}

// showType copies a type as far as a view may differ from it.
func showType(full *ast.Definition) *ast.Definition {
	shown := *full
	shown.Directives = showDirectives(full.Directives)
	shown.Fields = make(ast.FieldList, len(full.Fields))
	for i, field := range full.Fields {
		copied := *field
		copied.Directives = showDirectives(field.Directives)
		shown.Fields[i] = &copied
	}
	return &shown
}

func showDirectives(full ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(full), func(d *ast.Directive) bool { return hidden[d.Name] })
}

// same finds the view's own copy of a type.
func same(view *ast.Schema, full *ast.Definition) *ast.Definition {
	if full == nil {
		return nil
	}
	return view.Types[full.Name]
}

func sameLists(view *ast.Schema, full map[string][]*ast.Definition) map[string][]*ast.Definition {
	shown := make(map[string][]*ast.Definition, len(full))
	for name, list := range full {
		for _, definition := range list {
			shown[name] = append(shown[name], same(view, definition))
		}
	}
	return shown
}
