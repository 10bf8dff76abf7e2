package engine

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// collector gathers the fields of one object type by response key, in the order of the query (GraphQL specification, 6.3.2).
type collector struct {
	plan    *Plan
	typ     *Type
	visited map[string]bool // fragments
	byKey   map[string]int
	groups  [][]*ast.Field
}

func (c *collector) collect(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if !c.plan.included(s.Directives) {
				continue
			}
			i, ok := c.byKey[s.Alias]
			if !ok {
				i = len(c.groups)
				c.byKey[s.Alias] = i
				c.groups = append(c.groups, nil)
			}
			c.groups[i] = append(c.groups[i], s)
		case *ast.InlineFragment:
			if c.plan.included(s.Directives) && (s.TypeCondition == "" || c.applies(s.TypeCondition)) {
				c.collect(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.visited[s.Name] || !c.plan.included(s.Directives) {
				continue
			}
			c.visited[s.Name] = true
			if c.applies(s.Definition.TypeCondition) {
				c.collect(s.Definition.SelectionSet)
			}
		}
	}
}

// applies says whether an object of the collector's type is of the type of a condition.
func (c *collector) applies(condition string) bool {
	return c.typ.Name == condition || slices.Contains(c.typ.Abstract, condition)
}

// included evaluates @skip and @include with the values that the plan is made for.
func (p *Plan) included(directives ast.DirectiveList) bool {
	return !p.says(directives, "skip", false) && p.says(directives, "include", true)
}

func (p *Plan) says(directives ast.DirectiveList, name string, otherwise bool) bool {
	directive := directives.ForName(name)
	if directive == nil {
		return otherwise
	}
	argument := directive.Arguments.ForName("if")
	if argument == nil {
		return otherwise
	}
	if argument.Value.Kind == ast.Variable {
		switch value := p.vars[argument.Value.Raw].(type) {
		case bool:
			return value
		case undecided: // it may be in the answer
			return otherwise
		}
		return false
	}
	return argument.Value.Raw == "true"
}

// conditions are the names of the variables that an operation's @skip and @include look at, in no order that matters, each once.
func conditions(op *ast.OperationDefinition) []string {
	var names []string
	visited := map[string]bool{}
	look := func(directives ast.DirectiveList) {
		for _, directive := range directives {
			if directive.Name != "skip" && directive.Name != "include" {
				continue
			}
			if argument := directive.Arguments.ForName("if"); argument != nil && argument.Value.Kind == ast.Variable && !slices.Contains(names, argument.Value.Raw) {
				names = append(names, argument.Value.Raw)
			}
		}
	}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				look(s.Directives)
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				look(s.Directives)
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				look(s.Directives)
				if !visited[s.Name] {
					visited[s.Name] = true
					walk(s.Definition.SelectionSet)
				}
			}
		}
	}
	walk(op.SelectionSet)
	return names
}

func conditionValues(names []string, vars map[string]any) map[string]any {
	values := make(map[string]any, len(names))
	for _, name := range names {
		values[name] = vars[name]
	}
	return values
}
