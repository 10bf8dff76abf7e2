package oracle

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"tributary/internal/operation"
)

// shrinkRuns bounds how often a failing operation is run again to make it smaller.
const shrinkRuns = 600

// Shrink makes a request smaller as long as it differs: it leaves out selections, directives and arguments one by one, and
// puts what a fragment holds in its place. differs has to be false for a request that cannot be prepared.
func Shrink(r operation.Request, differs func(operation.Request) bool) operation.Request {
	for runs, smaller := 0, true; smaller; {
		smaller = false
		for n := 0; runs < shrinkRuns; n++ {
			candidate, ok := cut(r, n)
			if !ok {
				break
			}
			runs++
			if differs(candidate) {
				r, smaller = candidate, true
				n-- // what stood behind it has moved up
			}
		}
	}
	return r
}

// cut is a request without its n-th part, the outermost first; not ok if it has fewer.
func cut(r operation.Request, n int) (smaller operation.Request, ok bool) {
	doc, err := parser.ParseQuery(&ast.Source{Input: r.Query})
	if err != nil || len(doc.Operations) != 1 {
		return r, false
	}
	c := &cutter{doc: doc, left: n}
	doc.Operations[0].SelectionSet = c.set(doc.Operations[0].SelectionSet)
	for _, f := range doc.Fragments {
		f.SelectionSet = c.set(f.SelectionSet)
	}
	if !c.done {
		return r, false
	}
	return request(doc, r.Variables), true
}

// cutter goes over a document until it has met enough parts, and takes the one that it has come to out.
type cutter struct {
	doc  *ast.QueryDocument
	left int
	done bool
}

// here says whether this is the part to take out.
func (c *cutter) here() bool {
	c.left--
	c.done = c.done || c.left == -1
	return c.left == -1
}

func (c *cutter) set(set ast.SelectionSet) ast.SelectionSet {
	for i := range set {
		if len(set) > 1 && c.here() {
			return slices.Delete(set, i, i+1)
		}
	}
	for i, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if len(s.SelectionSet) > 0 && !typenameOnly(s.SelectionSet) && c.here() {
				s.SelectionSet = ast.SelectionSet{&ast.Field{Name: "__typename", Alias: "__typename"}}
				return set
			}
			s.Directives, s.Arguments = one(c, s.Directives), one(c, s.Arguments)
			s.SelectionSet = c.set(s.SelectionSet)
		case *ast.InlineFragment:
			if c.here() {
				return slices.Replace(set, i, i+1, s.SelectionSet...)
			}
			s.Directives = one(c, s.Directives)
			s.SelectionSet = c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			if f := c.doc.Fragments.ForName(s.Name); f != nil && c.here() {
				set[i] = &ast.InlineFragment{TypeCondition: f.TypeCondition, Directives: s.Directives, SelectionSet: f.SelectionSet}
				return set
			}
			s.Directives = one(c, s.Directives)
		}
		if c.done {
			return set
		}
	}
	return set
}

func typenameOnly(set ast.SelectionSet) bool {
	field, ok := set[0].(*ast.Field)
	return ok && len(set) == 1 && field.Name == "__typename"
}

// one takes a member out of a list where it is the part.
func one[S ~[]E, E any](c *cutter, list S) S {
	for i := range list {
		if c.here() {
			return slices.Delete(list, i, i+1)
		}
	}
	return list
}
