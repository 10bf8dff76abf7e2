package limit

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
)

// inputModel is an input object type.
type inputModel struct {
	all    []*inputValue
	costly []*inputValue // those of them that cost, by themselves or by what may stand in them
}

// inputValue is an argument, or a member of an input object.
type inputValue struct {
	name     string
	weight   milli
	result   *ast.Type
	fallback *ast.Value // its default; nil without one

	fallbackCost milli // what it costs when it is left out
	settled      settling
}

type settling int

const (
	unsettled settling = iota
	underWay
	done
)

// costly says whether a value can cost anything. For members of input objects it holds once all of them are read.
func (m *Model) costly(v *inputValue) bool {
	input := m.inputs[v.result.Name()]
	return v.weight != 0 || input != nil && len(input.costly) > 0
}

func (b *builder) readInputs() {
	definitions := b.definitions(ast.InputObject)
	for _, def := range definitions {
		input := &inputModel{}
		for _, field := range def.Fields {
			input.all = append(input.all, &inputValue{
				name: field.Name, weight: b.weigh(def.Name+"."+field.Name, field.Directives, 0), result: field.Type, fallback: field.DefaultValue,
			})
		}
		b.model.inputs[def.Name] = input
	}
	for changed := true; changed; { // until what makes a type costly has reached all that hold it
		changed = false
		for _, def := range definitions {
			input := b.model.inputs[def.Name]
			before := len(input.costly)
			input.costly = input.costly[:0]
			for _, member := range input.all {
				if b.model.costly(member) {
					input.costly = append(input.costly, member)
				}
			}
			changed = changed || len(input.costly) != before
		}
	}
	for _, def := range definitions {
		for _, member := range b.model.inputs[def.Name].costly {
			b.settle(def.Name+"."+member.name, member)
		}
	}
}

// settle finds what a value costs when it is left out.
func (b *builder) settle(coordinate string, v *inputValue) {
	switch v.settled {
	case done:
		return
	case underWay:
		b.fail(coordinate, errors.New("its default holds itself"))
		return
	}
	v.settled = underWay
	if v.fallback != nil {
		b.settleBelow(v.fallback, v.result)
		own := tally{model: b.model}
		own.given(v.fallback, v)
		v.fallbackCost = own.base
	}
	v.settled = done
}

// settleBelow settles the members that a default leaves to their own defaults.
func (b *builder) settleBelow(v *ast.Value, t *ast.Type) {
	input := b.model.inputs[t.Name()]
	if input == nil {
		return
	}
	switch v.Kind {
	case ast.ListValue:
		for _, child := range v.Children {
			b.settleBelow(child.Value, t)
		}
	case ast.ObjectValue:
		for _, member := range input.costly {
			if given := v.Children.ForName(member.name); given != nil {
				b.settleBelow(given, member.result)
			} else {
				b.settle(t.Name()+"."+member.name, member)
			}
		}
	}
}

// tally adds up what values cost that stand in a document.
type tally struct {
	model *Model
	base  milli
	// variable is told of each variable that stands where something may cost. Nil where none can stand.
	variable func(name string, v *inputValue)
}

// given adds what it costs that a value is given.
func (t *tally) given(value *ast.Value, v *inputValue) {
	switch value.Kind {
	case ast.NullValue:
	case ast.Variable:
		t.variable(value.Raw, v)
	default:
		t.base = t.base.plus(v.weight)
		t.below(value, v.result)
	}
}

func (t *tally) below(value *ast.Value, result *ast.Type) {
	input := t.model.inputs[result.Name()]
	if input == nil || len(input.costly) == 0 {
		return
	}
	switch value.Kind {
	case ast.ListValue:
		element := &inputValue{result: result}
		if result.Elem != nil {
			element.result = result.Elem
		}
		for _, child := range value.Children {
			t.given(child.Value, element)
		}
	case ast.ObjectValue:
		for _, member := range input.costly {
			if child := value.Children.ForName(member.name); child != nil {
				t.given(child, member)
			} else {
				t.base = t.base.plus(member.fallbackCost)
			}
		}
	}
}

// arguments adds what the arguments of a field or a directive cost.
func (t *tally) arguments(costly []*inputValue, given ast.ArgumentList) {
	for _, argument := range costly {
		if value := given.ForName(argument.name); value != nil {
			t.given(value.Value, argument)
		} else {
			t.base = t.base.plus(argument.fallbackCost)
		}
	}
}

// variableCost is what the value of a variable costs where v stands.
func (m *Model) variableCost(name string, v *inputValue, variables map[string]any) milli {
	value, ok := variables[name]
	switch {
	case !ok:
		return v.fallbackCost
	case value == nil:
		return 0
	default:
		return v.weight.plus(m.below(value, v.result.Name()))
	}
}

func (m *Model) below(value any, typeName string) milli {
	input := m.inputs[typeName]
	if input == nil || len(input.costly) == 0 {
		return 0
	}
	cost := milli(0)
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			cost = cost.plus(m.below(element, typeName))
		}
	case map[string]any:
		for _, member := range input.costly {
			cost = cost.plus(m.variableCost(member.name, member, value))
		}
	}
	return cost
}
