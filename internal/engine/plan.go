package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Plan is an operation made ready to run, for one outcome of its @skip and @include. It is safe for concurrent use.
type Plan struct {
	tables *Tables
	vars   map[string]any // those that @skip and @include look at
	root   *selection
	serial bool    // the fields of a mutation run one after the other
	event  bool    // a subscription, run for one event
	early  []*step // fields of the root beside which some below may begin
}

// selection is what is wanted of the objects of one type at one place of the query.
type selection struct {
	typ   *Type
	steps []*step
	slots int     // how many of the steps have results to be kept
	early []*step // those that may begin before the object is there
	late  bool    // some other step leads further, so that nothing begins early
}

// step is one field of a selection, under its response key.
type step struct {
	field   *Field // nil: __typename
	key     []byte // `"alias":`
	literal []byte // the whole answer of __typename
	slot    int    // where its results stand; -1: it is read off its object when the answer is written
	ast     *ast.Field
	context graphql.FieldContext           // of the field without list indexes; its Parent leads up to the root
	fixed   bool                           // no argument depends on a variable
	args    atomic.Pointer[map[string]any] // coerced, when fixed
	below   *branch
}

// branch is what is wanted of a field's objects. Those of an interface or union differ by type, and are told apart when they are met.
type branch struct {
	plan   *Plan
	step   *step
	mu     sync.Mutex
	byType map[*Type]*selection
}

// compile makes the plan of an operation. The document is valid.
func compile(t *Tables, op *ast.OperationDefinition, conditions []string, vars map[string]any) (*Plan, error) {
	root := t.Type(map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}[op.Operation])
	if root == nil {
		return nil, fmt.Errorf("engine: no tables for a %s", op.Operation)
	}
	p := &Plan{tables: t, vars: conditionValues(conditions, vars), serial: op.Operation == ast.Mutation, event: op.Operation == ast.Subscription}
	p.root = p.selection(root, nil, op.SelectionSet)
	if op.Operation == ast.Query {
		p.markEarly()
	}
	return p, nil
}

// selection collects the fields of an object type (GraphQL specification, 6.3.2) and makes their steps.
func (p *Plan) selection(typ *Type, above *step, set ast.SelectionSet) *selection {
	c := collector{plan: p, typ: typ, visited: map[string]bool{}, byKey: map[string]int{}}
	c.collect(set)
	s := &selection{typ: typ, steps: make([]*step, 0, len(c.groups))}
	for _, fields := range c.groups {
		s.steps = append(s.steps, p.step(s, above, fields))
	}
	if above != nil && above.field.Early != nil {
		s.early, s.late = p.begun(s)
	}
	return s
}

func (p *Plan) step(s *selection, above *step, fields []*ast.Field) *step {
	first := fields[0]
	st := &step{key: appendKey(nil, first.Alias), ast: first, slot: -1}
	if first.Name == "__typename" {
		st.literal = AppendString(nil, s.typ.Name)
		return st
	}
	st.field = s.typ.Fields[first.Name]
	st.context = graphql.FieldContext{Object: s.typ.Name, Field: graphql.CollectedField{Field: first, Selections: merged(fields)}, IsResolver: st.field.Append == nil && st.field.Get == nil}
	if above != nil {
		st.context.Parent = &above.context
	}
	st.fixed = !usesVariables(first.Arguments)
	if st.field.Append == nil {
		st.slot = s.slots
		s.slots++
	}
	if st.field.Type != nil {
		st.below = &branch{plan: p, step: st, byType: map[*Type]*selection{}}
	}
	return st
}

// merged are the selections of all fields of one response key.
func merged(fields []*ast.Field) ast.SelectionSet {
	if len(fields) == 1 {
		return fields[0].SelectionSet
	}
	var all ast.SelectionSet
	for _, field := range fields {
		all = append(all, field.SelectionSet...)
	}
	return all
}

// of is the selection for one object type, made when the first object of it is met: a query with many fragments on interfaces has far
// more of them than any answer needs.
func (b *branch) of(typ *Type) *selection {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.byType[typ]
	if !ok {
		s = b.plan.selection(typ, b.step, b.step.context.Field.Selections)
		b.byType[typ] = s
	}
	return s
}

// arguments are the coerced arguments of a step; those without variables are coerced once for all runs.
func (st *step) arguments(ctx context.Context, vars map[string]any) (map[string]any, error) {
	if st.field.Args == nil {
		return nil, nil
	}
	if st.fixed {
		if args := st.args.Load(); args != nil {
			return *args, nil
		}
	}
	args, err := st.field.Args(ctx, st.ast.ArgumentMap(vars))
	if err != nil {
		return nil, unlocated{err}
	}
	if st.fixed {
		st.args.Store(&args)
	}
	return args, nil
}

func usesVariables(arguments ast.ArgumentList) bool {
	for _, argument := range arguments {
		if hasVariable(argument.Value) {
			return true
		}
	}
	return false
}

func hasVariable(value *ast.Value) bool {
	if value.Kind == ast.Variable {
		return true
	}
	for _, child := range value.Children {
		if hasVariable(child.Value) {
			return true
		}
	}
	return false
}
