package limit

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// source is a selection set that applies under a condition.
type source struct {
	set   ast.SelectionSet
	under conditionID
}

// occurrence is one place where a field is selected.
type occurrence struct {
	field *ast.Field
	under conditionID
}

// group is all the selections that make up one response key.
type group struct {
	key         string
	occurrences []occurrence
}

// collector gathers what is selected on one concrete type, as CollectFields of the GraphQL specification does.
type collector struct {
	*compiler
	on      *typeModel
	groups  []group
	byKey   map[string]int
	visited map[visit]struct{}
}

// visit is a fragment that was spread under a condition.
type visit struct {
	fragment string
	under    conditionID
}

// collect merges selection sets into response keys, in order.
func (c *compiler) collect(on *typeModel, sources []source) ([]group, error) {
	k := &collector{compiler: c, on: on, byKey: map[string]int{}, visited: map[visit]struct{}{}}
	for _, source := range sources {
		if err := k.set(source.set, source.under); err != nil {
			return nil, err
		}
	}
	return k.groups, nil
}

func (k *collector) set(set ast.SelectionSet, under conditionID) error {
	for _, selection := range set {
		if k.visits++; k.visits > maxSteps {
			return ErrTooLarge
		}
		var err error
		switch selection := selection.(type) {
		case *ast.Field:
			k.field(selection, k.under(under, selection.Directives))
		case *ast.InlineFragment:
			err = k.fragment(selection.TypeCondition, selection.SelectionSet, k.under(under, selection.Directives))
		case *ast.FragmentSpread:
			err = k.spread(selection, k.under(under, selection.Directives))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *collector) field(field *ast.Field, under conditionID) {
	if under == neverHolds {
		return
	}
	key := field.Alias
	if key == "" {
		key = field.Name
	}
	i, ok := k.byKey[key]
	if !ok {
		i = len(k.groups)
		k.byKey[key] = i
		k.groups = append(k.groups, group{key: key})
	}
	k.groups[i].occurrences = append(k.groups[i].occurrences, occurrence{field, under})
}

func (k *collector) fragment(typeCondition string, set ast.SelectionSet, under conditionID) error {
	if under == neverHolds || typeCondition != "" && !k.on.is[typeCondition] {
		return nil
	}
	return k.set(set, under)
}

// spread visits a fragment once for each condition, and no more once it was visited under none.
func (k *collector) spread(spread *ast.FragmentSpread, under conditionID) error {
	fragment := k.fragments[spread.Name]
	if fragment == nil {
		return nil
	}
	for _, at := range []conditionID{alwaysHolds, under} {
		if _, seen := k.visited[visit{spread.Name, at}]; seen {
			return nil
		}
	}
	if under != neverHolds {
		k.visited[visit{spread.Name, under}] = struct{}{}
	}
	return k.fragment(fragment.TypeCondition, fragment.SelectionSet, under)
}
