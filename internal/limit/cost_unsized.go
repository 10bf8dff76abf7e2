package limit

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Unsized returns the coordinates of the fields of objects whose lists have no known size, sorted: fields that return a list of
// objects and have neither a @listSize of their own nor one above them that names them in sizedFields; and fields that return a
// page (an object with a list that others size by sizedFields, or a …Connection) without sizing its lists. Lists of scalars and
// enums and the types of introspection are left out.
func (m *Model) Unsized() []string { return slices.Clone(m.unsized) }

// sizedBelow gives the lists that a field sizes, and the fields on the way to them, by coordinate.
func (b *builder) sizedBelow(field *fieldModel, into map[string]bool) {
	if field.sizing == nil || !field.sizing.known {
		return
	}
	for _, path := range field.sizing.sized {
		b.mark(field.result, path, into)
	}
}

func (b *builder) mark(t *typeModel, path []string, into map[string]bool) {
	for _, member := range t.members {
		field := member.fields[path[0]]
		if field == nil {
			continue
		}
		into[member.name+"."+path[0]] = true
		if len(path) > 1 {
			b.mark(field.result, path[1:], into)
		}
	}
}

func (b *builder) findUnsized() []string {
	paged := map[string]bool{} // what gets a size from above, or passes it on
	b.eachField(func(_ string, _ *typeModel, field *fieldModel) { b.sizedBelow(field, paged) })
	returned := map[*typeModel]bool{} // types some field returns one of
	b.eachField(func(_ string, _ *typeModel, field *fieldModel) {
		for _, member := range field.result.members {
			returned[member] = true
		}
	})
	var unsized []string
	b.eachField(func(coordinate string, on *typeModel, field *fieldModel) {
		bare := field.sizing == nil || !field.sizing.known
		switch {
		case bare && field.lists > 0 && !paged[coordinate] && !(isConnection(on) && returned[on]),
			field.lists > 0 && !bare && len(field.sizing.sized) > 0, // the size is given away
			!paged[coordinate] && b.leavesUnsized(field, paged):
			unsized = append(unsized, coordinate)
		}
	})
	slices.Sort(unsized)
	return unsized
}

// leavesUnsized says whether a field returns pages with lists that it should size and does not.
func (b *builder) leavesUnsized(field *fieldModel, paged map[string]bool) bool {
	sized := map[string]bool{}
	b.sizedBelow(field, sized)
	for _, member := range field.result.members {
		for name, list := range member.fields {
			coordinate := member.name + "." + name
			if list.lists > 0 && !list.result.leaf() && list.sizing == nil && !sized[coordinate] && (paged[coordinate] || isConnection(member)) {
				return true
			}
		}
	}
	return false
}

func isConnection(t *typeModel) bool { return strings.HasSuffix(t.name, "Connection") }

// eachField visits the fields of objects that return objects.
func (b *builder) eachField(visit func(coordinate string, on *typeModel, field *fieldModel)) {
	for _, def := range b.definitions(ast.Object) {
		for name, field := range b.model.types[def.Name].fields {
			if field.result != nil && !field.result.leaf() {
				visit(def.Name+"."+name, b.model.types[def.Name], field)
			}
		}
	}
}
