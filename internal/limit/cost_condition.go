package limit

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// condition is a chain of @skip and @include on the way to a selection: that of the parent holds and the variable has the
// value. Parents stand in front of their children in a plan.
type condition struct {
	parent   conditionID
	variable string
	want     bool
}

type conditionID int32

const (
	alwaysHolds conditionID = 0
	neverHolds  conditionID = -1
)

// under adds the directives of a selection to a condition.
func (c *compiler) under(id conditionID, directives ast.DirectiveList) conditionID {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		argument := directive.Arguments.ForName("if")
		if argument == nil {
			continue
		}
		want := directive.Name == "include"
		if argument.Value.Kind != ast.Variable {
			if (argument.Value.Raw == "true") != want {
				return neverHolds
			}
			continue
		}
		if id = c.and(id, argument.Value.Raw, want); id == neverHolds {
			return neverHolds
		}
	}
	return id
}

// and gives the same id to the same chain, and none but it to one that says the same thing again.
func (c *compiler) and(id conditionID, variable string, want bool) conditionID {
	for at := id; at != alwaysHolds; at = c.plan.conditions[at].parent {
		if c.plan.conditions[at].variable == variable {
			if c.plan.conditions[at].want != want {
				return neverHolds
			}
			return id
		}
	}
	next := condition{id, variable, want}
	if known, ok := c.conditions[next]; ok {
		return known
	}
	c.plan.conditions = append(c.plan.conditions, next)
	c.conditions[next] = conditionID(len(c.plan.conditions) - 1)
	return c.conditions[next]
}

// evaluateConditions says of each condition whether it holds. A variable that is not there leaves its selections in.
func (p *Plan) evaluateConditions(variables map[string]any) []bool {
	hold := make([]bool, len(p.conditions))
	hold[alwaysHolds] = true
	for i, c := range p.conditions[1:] {
		value, ok := variables[c.variable].(bool)
		hold[i+1] = hold[c.parent] && (!ok || value == c.want)
	}
	return hold
}
