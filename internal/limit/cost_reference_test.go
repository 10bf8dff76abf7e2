package limit

import "github.com/vektah/gqlparser/v2/ast"

// What costs in costSchema, by hand, with the variables that the property test gives.
var (
	referenceTypes  = map[string]milli{"User": 1000, "Post": 1000, "PostConnection": 1000, "Robot": 5000, "Blob": 250, "Mood": 500}
	referenceFields = map[string]milli{
		"User.age": 2000, "Robot.name": 3000, "Robot.serial": 1500, "Query.__schema": 10_000,
		"Query.search": 5000 + 1000 + 15_000 - 12_000 + 500 + (1000 + 500),
	}
	referenceSizes = map[string]int64{"things": 2, "all": 100, "matrix": 2 * 100, "similar": 3, "drafts": 100, "blobs": 8}
)

// reference is what an object costs: the plain recursion over what CollectFields gives. Size is what the lists of a
// connection have.
func (a *answer) reference(on *ast.Definition, sets []ast.SelectionSet, size int64) milli {
	var keys []string
	fields := map[string][]*ast.Field{}
	for _, set := range sets {
		a.collect(on, set, &keys, fields)
	}
	cost := referenceTypes[on.Name]
	for _, key := range keys {
		field := fields[key][0]
		cost = cost.plus(referenceFields[on.Name+"."+field.Name])
		def := on.Fields.ForName(field.Name)
		if def == nil || field.Name == "__schema" {
			continue
		}
		named := a.schema.Types[def.Type.Name()]
		most := a.sliced(field, referenceSizes, size)
		value := referenceTypes[named.Name]
		for _, possible := range a.schema.GetPossibleTypes(named) {
			value = max(value, a.reference(possible, below(fields[key]), most))
		}
		if def.Type.Elem != nil {
			value = value.times(most)
		}
		cost = cost.plus(value)
	}
	return cost
}

// sliced is what the arguments of a field say of its size, else what is above says of a connection's lists, else the sizes.
func (a *answer) sliced(field *ast.Field, sizes map[string]int64, above int64) int64 {
	for _, argument := range field.Arguments {
		switch n, _ := argument.Value.Value(a.variables); n := n.(type) {
		case int64:
			return n
		case []any:
			return int64(len(n))
		}
	}
	if field.Name == "nodes" || field.Name == "edges" {
		return above
	}
	return sizes[field.Name]
}

func below(fields []*ast.Field) []ast.SelectionSet {
	sets := make([]ast.SelectionSet, len(fields))
	for i, field := range fields {
		sets[i] = field.SelectionSet
	}
	return sets
}
