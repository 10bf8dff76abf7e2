package operation

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
)

// Outline is an operation to be looked at and not run: it may be without variables that running demands.
type Outline struct {
	*Prepared
	Open    []*ast.VariableDefinition // those that have neither a value nor a default, which are missing in Variables
	Extents []Extent
}

// Extent is how much of one bound a document takes up.
type Extent struct {
	What      string
	Has, Most int
}

// Outline prepares an operation to be looked at. What is wrong with it, or with the variables that are given, is told as Prepare does.
func (p *Preparer) Outline(view *View, req Request) (*Outline, gqlerror.List) {
	var open []*ast.VariableDefinition
	prepared, errs := p.prepare(view, req, func(schema *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, *gqlerror.Error) {
		known := *op
		known.VariableDefinitions = nil
		for _, def := range op.VariableDefinitions {
			if _, ok := given[def.Variable]; ok || def.DefaultValue != nil {
				known.VariableDefinitions = append(known.VariableDefinitions, def)
			} else {
				open = append(open, def)
			}
		}
		return coerceVariables(schema, &known, given)
	})
	if errs != nil {
		return nil, errs
	}
	return &Outline{prepared, open, p.bounds.extents(prepared)}, nil
}

// extents counts a document that is within the bounds.
func (b Bounds) extents(op *Prepared) []Extent {
	c := newCounter(b, op.Document)
	total, _ := c.document(op.Document)
	of, _ := newCounter(b, op.Document).operation(op.Operation)
	return []Extent{
		{"tokens", tokens(op.Query), b.Tokens},
		{"fields one inside the other", total.depth, b.Depth},
		{"fragments one inside the other", total.nesting, b.FragmentNesting},
		{"root fields", of.roots, b.RootFields},
		{"fields", total.fields, b.Fields},
		{"values in arguments", total.arguments, b.Arguments},
		{"aliases", c.aliases, b.Aliases},
		{"directives", c.directives, b.Directives},
	}
}

// tokens counts as scan does.
func tokens(text string) int {
	lex := lexer.New(&ast.Source{Input: text})
	for n := 0; ; n++ {
		if token, err := lex.ReadToken(); err != nil || token.Kind == lexer.EOF {
			return n
		}
	}
}
