package oracle

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// prune takes the fragments and variables out of a document that its operation does not use: a document that has them is not
// valid.
func prune(doc *ast.QueryDocument) {
	u := &usage{doc, map[string]bool{}, map[string]bool{}}
	op := doc.Operations[0]
	u.directives(op.Directives)
	u.set(op.SelectionSet)
	doc.Fragments = slices.DeleteFunc(doc.Fragments, func(f *ast.FragmentDefinition) bool { return !u.fragments[f.Name] })
	op.VariableDefinitions = slices.DeleteFunc(op.VariableDefinitions, func(v *ast.VariableDefinition) bool { return !u.variables[v.Variable] })
}

// usage is what an operation uses.
type usage struct {
	doc       *ast.QueryDocument
	fragments map[string]bool
	variables map[string]bool
}

func (u *usage) set(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			for _, a := range s.Arguments {
				u.value(a.Value)
			}
			u.directives(s.Directives)
			u.set(s.SelectionSet)
		case *ast.InlineFragment:
			u.directives(s.Directives)
			u.set(s.SelectionSet)
		case *ast.FragmentSpread:
			u.directives(s.Directives)
			if f := u.doc.Fragments.ForName(s.Name); f != nil && !u.fragments[s.Name] {
				u.fragments[s.Name] = true
				u.set(f.SelectionSet)
			}
		}
	}
}

func (u *usage) directives(list ast.DirectiveList) {
	for _, directive := range list {
		for _, a := range directive.Arguments {
			u.value(a.Value)
		}
	}
}

func (u *usage) value(v *ast.Value) {
	if v.Kind == ast.Variable {
		u.variables[v.Raw] = true
	}
	for _, child := range v.Children {
		u.value(child.Value)
	}
}
