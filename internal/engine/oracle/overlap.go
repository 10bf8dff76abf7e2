package oracle

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// overlaps are, for each composite type, the types that a fragment inside it may be of: those that share an object type.
type overlaps map[string][]*ast.Definition

func newOverlaps(schema *ast.Schema) overlaps {
	var composites []*ast.Definition
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		if def := schema.Types[name]; composite(def) && !strings.HasPrefix(name, "__") {
			composites = append(composites, def)
		}
	}
	found := overlaps{}
	for _, outer := range composites {
		for _, inner := range composites {
			if meet(schema.GetPossibleTypes(outer), schema.GetPossibleTypes(inner)) {
				found[outer.Name] = append(found[outer.Name], inner)
			}
		}
	}
	return found
}

// of are the conditions that a fragment inside a type may have, at least its own.
func (o overlaps) of(parent *ast.Definition) []*ast.Definition {
	if types := o[parent.Name]; types != nil {
		return types
	}
	return []*ast.Definition{parent} // of introspection
}

func composite(def *ast.Definition) bool { return def.IsCompositeType() }

func meet(a, b []*ast.Definition) bool {
	return slices.ContainsFunc(a, func(def *ast.Definition) bool { return slices.Contains(b, def) })
}
