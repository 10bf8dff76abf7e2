package oracle

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Reach counts how often each field of a schema was met, by coordinate such as "User.name". It is not safe for concurrent use.
type Reach map[string]int

// Add counts the fields that a valid document selects, on an interface for itself and for every type that implements it.
func (r Reach) Add(schema *ast.Schema, doc *ast.QueryDocument) {
	for _, op := range doc.Operations {
		r.set(schema, op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		r.set(schema, f.SelectionSet)
	}
}

func (r Reach) set(schema *ast.Schema, set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			r[s.ObjectDefinition.Name+"."+s.Name]++
			if s.ObjectDefinition.Kind == ast.Interface {
				for _, def := range schema.GetPossibleTypes(s.ObjectDefinition) {
					r[def.Name+"."+s.Name]++
				}
			}
			r.set(schema, s.SelectionSet)
		case *ast.InlineFragment:
			r.set(schema, s.SelectionSet)
		}
	}
}

// Fields are the coordinates of all fields that queries and, if so, mutations can select, sorted.
func Fields(schema *ast.Schema, mutations bool) []string {
	seen := map[string]bool{}
	found := map[string]bool{}
	var visit func(def *ast.Definition)
	visit = func(def *ast.Definition) {
		if def == nil || seen[def.Name] || !composite(def) || strings.HasPrefix(def.Name, "__") {
			return
		}
		seen[def.Name] = true
		for _, field := range def.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				found[def.Name+"."+field.Name] = true
				visit(schema.Types[field.Type.Name()])
			}
		}
		for _, possible := range schema.GetPossibleTypes(def) {
			visit(possible)
		}
	}
	visit(schema.Query)
	if mutations {
		visit(schema.Mutation)
	}
	return slices.Sorted(maps.Keys(found))
}

// Missed are those of the coordinates that were not met, in their order.
func (r Reach) Missed(coordinates []string) (missed []string) {
	for _, c := range coordinates {
		if r[c] == 0 {
			missed = append(missed, c)
		}
	}
	return missed
}
