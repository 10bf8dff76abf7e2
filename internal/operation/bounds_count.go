package operation

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// count refuses a parsed document by what its selections come to. It looks at each definition once, so it is as fast for
// fragments that multiply as for those that do not.
func (b Bounds) count(doc *ast.QueryDocument) *gqlerror.Error {
	if len(doc.Operations) > b.Operations {
		return exceeded(CodeTooManyOperations, b.Operations, "the document has more than %d operations: send only those that are needed")
	}
	c := newCounter(b, doc)
	total, refused := c.document(doc)
	if refused != nil {
		return refused
	}
	total.roots = 0 // is a bound of each operation, which was kept
	return c.judge(total)
}

func newCounter(b Bounds, doc *ast.QueryDocument) *counter {
	c := &counter{bounds: b, named: map[string]*ast.FragmentDefinition{}, done: map[*ast.FragmentDefinition]extent{}, open: map[*ast.FragmentDefinition]bool{}, spreads: map[string]bool{}}
	for _, fragment := range doc.Fragments {
		if c.named[fragment.Name] == nil {
			c.named[fragment.Name] = fragment
		}
	}
	return c
}

// document counts all definitions, used or not.
func (c *counter) document(doc *ast.QueryDocument) (total extent, refused *gqlerror.Error) {
	for _, op := range doc.Operations {
		e, refused := c.operation(op)
		if refused != nil {
			return total, refused
		}
		total = total.beside(e)
	}
	for _, fragment := range doc.Fragments {
		if _, refused := c.fragment(fragment, 0); refused != nil {
			return total, refused
		}
	}
	for _, fragment := range doc.Fragments { // what no operation uses is validated, too
		if !c.spreads[fragment.Name] {
			total = total.beside(c.done[fragment])
		}
	}
	return total, nil
}

// extent is how large a selection set is. Its numbers end at most.
type extent struct {
	depth, nesting, fields, arguments, roots int
	lists                                    int // how deep the lists of introspection nest, wherever they are
	introspection                            int // the same below __schema or __type
}

const most = 1 << 30

// beside is the extent of two sets that are one.
func (e extent) beside(o extent) extent {
	return extent{
		depth: max(e.depth, o.depth), nesting: max(e.nesting, o.nesting),
		fields: min(most, e.fields+o.fields), arguments: min(most, e.arguments+o.arguments), roots: min(most, e.roots+o.roots),
		lists: max(e.lists, o.lists), introspection: max(e.introspection, o.introspection),
	}
}

type counter struct {
	bounds              Bounds
	named               map[string]*ast.FragmentDefinition
	done                map[*ast.FragmentDefinition]extent
	open                map[*ast.FragmentDefinition]bool // being counted
	spreads             map[string]bool                  // the names of all fragments that are spread
	aliases, directives int
}

// judge refuses what is beyond the bounds.
func (c *counter) judge(e extent) *gqlerror.Error {
	b := c.bounds
	switch {
	case c.aliases > b.Aliases:
		return exceeded(CodeTooManyAliases, b.Aliases, "the document has more than %d aliases: split it, or ask for lists by their ids")
	case c.directives > b.Directives:
		return exceeded(CodeTooManyDirectives, b.Directives, "the document has more than %d directives: leave out those that change nothing")
	case e.roots > b.RootFields:
		return exceeded(CodeTooManyRootFields, b.RootFields, "an operation has more than %d root fields: split it")
	case e.depth > b.Depth:
		return b.tooDeep()
	case e.introspection > b.ListNesting:
		return exceeded(CodeIntrospectionTooDeep, b.ListNesting, "the introspection asks for lists more than %d deep: the types' names lead to the rest")
	case e.fields > b.Fields:
		return exceeded(CodeTooManyFields, b.Fields, "the document selects more than %d fields, counting fragments wherever they are spread: split it")
	case e.arguments > b.Arguments:
		return exceeded(CodeTooManyArguments, b.Arguments, "the document has more than %d values in arguments, counting fragments wherever they are spread: send them as variables")
	}
	return nil
}

func (c *counter) operation(op *ast.OperationDefinition) (extent, *gqlerror.Error) {
	e, refused := c.set(op.SelectionSet, 0)
	if refused != nil {
		return e, refused
	}
	own := c.withDirectives(op.Directives)
	for _, v := range op.VariableDefinitions {
		own += values(v.DefaultValue, 1) + c.withDirectives(v.Directives)
	}
	e.arguments = min(most, e.arguments+own)
	return e, c.judge(e)
}

// fragment counts a definition that stands inside so many others.
func (c *counter) fragment(def *ast.FragmentDefinition, nested int) (extent, *gqlerror.Error) {
	if e, ok := c.done[def]; ok {
		return e, nil
	}
	if c.open[def] {
		return extent{}, refuse(CodeFragmentCycle, "a fragment spreads itself, directly or through others: a selection has to end")
	}
	c.open[def] = true
	e, refused := c.set(def.SelectionSet, nested)
	if refused != nil {
		return e, refused
	}
	e.arguments = min(most, e.arguments+c.withDirectives(def.Directives))
	c.done[def] = e
	e.roots = 0 // concern operations
	return c.done[def], c.judge(e)
}

func (c *counter) set(set ast.SelectionSet, nested int) (extent, *gqlerror.Error) {
	var total extent
	for _, selection := range set {
		e, refused := c.selection(selection, nested)
		if refused != nil {
			return total, refused
		}
		total = total.beside(e)
	}
	return total, nil
}

func (c *counter) selection(selection ast.Selection, nested int) (e extent, refused *gqlerror.Error) {
	var own int
	switch s := selection.(type) {
	case *ast.Field:
		e, refused = c.field(s, nested)
		own = c.withDirectives(s.Directives) + given(s.Arguments)
	case *ast.InlineFragment:
		e, refused = c.inside(nested, func() (extent, *gqlerror.Error) { return c.set(s.SelectionSet, nested+1) })
		own = c.withDirectives(s.Directives)
	case *ast.FragmentSpread:
		c.spreads[s.Name] = true
		own = c.withDirectives(s.Directives)
		if def := c.named[s.Name]; def != nil { // otherwise validation says so
			e, refused = c.inside(nested, func() (extent, *gqlerror.Error) { return c.fragment(def, nested+1) })
		}
	}
	return e.beside(extent{fields: 1, arguments: own}), refused
}

// inside counts a fragment's content, unless the fragment is in too many others.
func (c *counter) inside(nested int, content func() (extent, *gqlerror.Error)) (e extent, refused *gqlerror.Error) {
	if nested < c.bounds.FragmentNesting {
		e, refused = content()
		e.nesting++
	}
	if refused == nil && (nested >= c.bounds.FragmentNesting || nested+e.nesting > c.bounds.FragmentNesting) {
		refused = exceeded(CodeFragmentsTooDeep, c.bounds.FragmentNesting, "fragments are more than %d deep one inside the other: write out some of them")
	}
	return e, refused
}

func (c *counter) field(field *ast.Field, nested int) (extent, *gqlerror.Error) {
	e, refused := c.set(field.SelectionSet, nested)
	e.depth++
	e.roots = 1
	if field.Alias != field.Name {
		c.aliases++
	}
	switch field.Name {
	case "__schema", "__type":
		e.introspection = max(e.introspection, e.lists)
	case "fields", "interfaces", "possibleTypes", "inputFields":
		e.lists++
	}
	return e, refused
}

// withDirectives counts directives and gives the number of values in their arguments.
func (c *counter) withDirectives(list ast.DirectiveList) int {
	n := 0
	for _, directive := range list {
		c.directives++
		n += given(directive.Arguments)
	}
	return n
}

func given(list ast.ArgumentList) int {
	n := 0
	for _, argument := range list {
		n += values(argument.Value, 1)
	}
	return n
}

// values counts a literal with all that is in it, each value as often as the rules look at it: once by itself and once for each
// list and object around it. How deep that is, scan has bounded.
func values(v *ast.Value, depth int) int {
	if v == nil {
		return 0
	}
	n := depth
	for _, member := range v.Children {
		n += values(member.Value, depth+1)
	}
	return n
}
