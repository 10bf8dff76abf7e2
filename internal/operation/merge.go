package operation

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// fieldsCanMerge is the rule of https://spec.graphql.org/September2025/#sec-Field-Selection-Merging for what operations select.
// The usual way compares every two fields. This one gathers fields by their place in the answer first, as Simon Adameit does
// (https://tech.new-work.se/graphql-overlapping-fields-can-be-merged-fast-ea6e92e0a01), so that what many fields have in common is
// compared once. It follows fragments wherever they are spread: the document has to be within Bounds and without cycles. What
// no operation reaches is another rule's to refuse.
func fieldsCanMerge(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(walker *core.Walker, op *ast.OperationDefinition) {
		m := merging{walker.Schema, addError, map[*ast.Field]int{}, map[string]int{}}
		root := &cell{}
		m.gather(op.SelectionSet, root, &shape{})
		m.within(root)
	})
}

type merging struct {
	schema    *ast.Schema
	addError  core.AddErrFunc
	arguments map[*ast.Field]int // numbers that are equal where arguments are the same
	texts     map[string]int     // of arguments, numbered from 1
}

// shape is a place in the answer, whatever object stands there. All its fields must look the same in JSON.
type shape struct {
	field   *ast.Field // the first
	members map[string]*shape
}

// cell is the part of a place whose objects have, level by level, the same type, as far as that is known. All its fields must be
// the same field.
type cell struct {
	field     *ast.Field // the first
	arguments int
	keys      []string // of members, in their order in the text
	members   map[string]*variants
}

// variants are what may stand at one place below a cell, by the type that has the field. Two object types exclude one another;
// an abstract type excludes none, not even an object that is not of it.
type variants struct {
	abstract *cell
	objects  []*cell
}

// gather puts the fields of a selection set in their places and compares each with the first there.
func (m merging) gather(set ast.SelectionSet, c *cell, s *shape) {
	for _, selection := range set {
		switch selected := selection.(type) {
		case *ast.Field:
			m.place(selected, c, s)
		case *ast.InlineFragment:
			m.gather(selected.SelectionSet, c, s)
		case *ast.FragmentSpread:
			if selected.Definition != nil {
				m.gather(selected.Definition.SelectionSet, c, s)
			}
		}
	}
}

func (m merging) place(field *ast.Field, above *cell, aboveShape *shape) {
	if field.Definition == nil || field.ObjectDefinition == nil {
		return // another rule refuses it
	}
	s := aboveShape.at(field)
	if !m.sameShape(typeOf(s.field), typeOf(field)) {
		m.conflict(s.field, field, `they return "%s" and "%s"`, typeOf(s.field), typeOf(field))
		return
	}
	c, arguments := above.at(field), m.argumentsOf(field)
	if c.field == nil {
		c.field, c.arguments = field, arguments
	} else if !m.same(c, &cell{field: field, arguments: arguments}) {
		return
	}
	m.gather(field.SelectionSet, c, s)
}

// same says whether the fields of two cells can be one, and reports it if not.
func (m merging) same(a, b *cell) bool {
	switch {
	case a.field.Name != b.field.Name:
		m.conflict(a.field, b.field, `"%s" and "%s" are different fields`, a.field.Name, b.field.Name)
	case a.arguments != b.arguments:
		m.conflict(a.field, b.field, "their arguments differ")
	default:
		return true
	}
	return false
}

// within compares what may be one object below a cell.
func (m merging) within(c *cell) {
	for _, key := range c.keys {
		v := c.members[key]
		if v.abstract != nil {
			m.within(v.abstract)
		}
		for _, object := range v.objects {
			if v.abstract != nil {
				m.between(v.abstract, object)
			}
			m.within(object)
		}
	}
}

// between compares two cells and what is below both. Every two cells meet at most once, since those above them do.
func (m merging) between(a, b *cell) {
	if !m.same(a, b) {
		return
	}
	if len(b.keys) < len(a.keys) {
		a, b = b, a
	}
	for _, key := range a.keys {
		if other := b.members[key]; other != nil {
			m.betweenVariants(a.members[key], other)
		}
	}
}

func (m merging) betweenVariants(a, b *variants) {
	if a.abstract != nil && b.abstract != nil {
		m.between(a.abstract, b.abstract)
	}
	for _, object := range b.objects {
		if a.abstract != nil {
			m.between(a.abstract, object)
		}
		if same := a.object(object.field.ObjectDefinition); same != nil {
			m.between(same, object)
		}
	}
	if b.abstract != nil {
		for _, object := range a.objects {
			m.between(object, b.abstract)
		}
	}
}

func (m merging) conflict(a, b *ast.Field, reason string, args ...any) {
	m.addError(
		core.Message(`Fields "%s" conflict because `, b.Alias), core.Message(reason, args...),
		core.Message(". Give them different aliases if both are meant."), core.At(a.Position), core.At(b.Position),
	)
}

// at finds or makes the place of a field.
func (s *shape) at(field *ast.Field) *shape {
	found := s.members[field.Alias]
	if found == nil {
		if s.members == nil {
			s.members = map[string]*shape{}
		}
		found = &shape{field: field}
		s.members[field.Alias] = found
	}
	return found
}

// at finds the cell of a field, or makes one that has no field yet.
func (c *cell) at(field *ast.Field) *cell {
	v := c.members[field.Alias]
	if v == nil {
		if c.members == nil {
			c.members = map[string]*variants{}
		}
		v = &variants{}
		c.members[field.Alias] = v
		c.keys = append(c.keys, field.Alias)
	}
	if field.ObjectDefinition.Kind != ast.Object {
		if v.abstract == nil {
			v.abstract = &cell{}
		}
		return v.abstract
	}
	if found := v.object(field.ObjectDefinition); found != nil {
		return found
	}
	v.objects = append(v.objects, &cell{})
	return v.objects[len(v.objects)-1]
}

// object finds the cell of an object type; nil if there is none. A schema has few types with one field.
func (v *variants) object(def *ast.Definition) *cell {
	for _, c := range v.objects {
		if c.field.ObjectDefinition == def {
			return c
		}
	}
	return nil
}
