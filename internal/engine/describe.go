package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Way is how the values of a field are come by.
type Way int

// The ways, each the name of what is set of its Field.
const (
	InObject  Way = iota // they stand in their objects, and need no call: Append, Get
	PerParent            // the resolver is called for one parent after the other: Resolve
	Together             // one call of the resolver for all parents: Batch
)

// Description is what a plan does, as far as that can be told before it runs.
type Description struct {
	Serial bool    // the root fields run one after the other
	Places []Place // the root fields
	Cut    bool    // there are more than 2,000 places, and the rest is left out
}

// Place is one field of the objects of one type at one place of an operation.
type Place struct {
	Key          string // under which it answers
	Object, Name string // the object type and its field; the name is "__typename" too
	Arguments    ast.ArgumentList
	Way          Way
	Type         string // of the objects, an interface's or union's as the schema has it; empty for a leaf
	List         bool   // of objects
	Below        []Branch
}

// Branch is what is selected of a place's objects that are of one type. Types of which nothing is selected have none.
type Branch struct {
	Type   string
	Places []Place
}

// maxPlaces bounds a description: what is selected of an interface is told once for each of its types, and that of each below it.
const maxPlaces = 2000

// undecided stands for a variable without a value where @skip and @include look at one.
type undecided struct{}

// Describe tells the plan of an operation of a valid document, without running any of it. vars are coerced; what @skip and @include leave
// to a variable that is missing in them is told too.
func Describe(t *Tables, op *ast.OperationDefinition, vars map[string]any) (*Description, error) {
	names, known := conditions(op), map[string]any{}
	maps.Copy(known, vars)
	for _, name := range names {
		if _, ok := known[name].(bool); !ok {
			known[name] = undecided{}
		}
	}
	p, err := compile(t, op, names, known)
	if err != nil {
		return nil, err
	}
	d := describer{tables: t, left: maxPlaces}
	places := d.places(p.root)
	return &Description{Serial: p.serial, Places: places, Cut: d.left < 0}, nil
}

type describer struct {
	tables *Tables
	left   int // places that may still be told; below 0 when there were more
}

func (d *describer) places(s *selection) []Place {
	var places []Place
	for _, st := range s.steps {
		if d.left--; d.left < 0 {
			break
		}
		place := Place{Key: st.ast.Alias, Object: s.typ.Name, Name: st.ast.Name, Arguments: st.ast.Arguments}
		if st.field != nil {
			place.Way, place.List = st.field.way(), st.field.List
		}
		if st.below != nil {
			place.Type = st.field.Type.Name
			place.Below = d.branches(st.below)
		}
		places = append(places, place)
	}
	return places
}

// branches are the selections for every type that the objects of a field may have.
func (d *describer) branches(b *branch) []Branch {
	var branches []Branch
	for _, typ := range d.tables.possible(b.step.field.Type) {
		if places := d.places(b.of(typ)); len(places) > 0 {
			branches = append(branches, Branch{typ.Name, places})
		}
	}
	return branches
}

// possible are the object types of a type, by name.
func (t *Tables) possible(typ *Type) []*Type {
	if typ.Of == nil {
		return []*Type{typ}
	}
	var types []*Type
	for _, object := range t.types {
		if slices.Contains(object.Abstract, typ.Name) && object.Of == nil {
			types = append(types, object)
		}
	}
	slices.SortFunc(types, func(a, b *Type) int { return strings.Compare(a.Name, b.Name) })
	return types
}

func (f *Field) way() Way {
	switch {
	case f.Batch != nil:
		return Together
	case f.Resolve != nil:
		return PerParent
	}
	return InObject
}
