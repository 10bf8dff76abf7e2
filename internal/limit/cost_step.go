package limit

import (
	"encoding/binary"
	"slices"
	"strings"
)

// step compiles one response key.
func (c *compiler) step(on *typeModel, g group, from []inherited) (step, error) {
	name := g.occurrences[0].field.Name
	s := step{key: g.key, typename: name == "__typename"}
	field := on.fields[name]
	if field == nil || field.result == nil { // __typename, __schema, __type
		flat := own{}
		if strings.HasPrefix(name, "__") && !s.typename {
			flat.base = introspectionWeight
		}
		for _, o := range g.occurrences {
			s.choose(choice{o.under, c.internOwn(flat)})
		}
		s.size = c.fixedSize(1)
		return s, nil
	}
	for _, o := range g.occurrences {
		s.choose(choice{o.under, c.own(o, field)})
	}
	s.lists = field.lists
	s.size = c.sizeOf(field, g, from)
	if field.result.leaf() {
		s.leaf = field.result.weight
		s.varies = s.leaf > 0
		return s, nil
	}
	return s, c.members(&s, field, g, c.passOn(field, g, from))
}

func (s *step) choose(next choice) {
	if !slices.Contains(s.choices, next) {
		s.choices = append(s.choices, next)
	}
}

// own finds what a field costs in itself where it is selected.
func (c *compiler) own(o occurrence, field *fieldModel) int32 {
	key := costOf{o.field, field}
	if id, ok := c.ownOf[key]; ok {
		return id
	}
	var result own
	sum := tally{model: c.model, base: field.weight, variable: func(name string, v *inputValue) {
		if v.fallbackCost != 0 || c.model.costly(v) {
			result.variables = append(result.variables, c.charge(name, v))
		}
	}}
	sum.arguments(field.arguments, o.field.Arguments)
	for _, directive := range o.field.Directives {
		sum.arguments(c.model.directives[directive.Name], directive.Arguments)
	}
	result.base = sum.base
	if len(result.variables) == 0 {
		result.base = max(0, result.base)
	}
	c.ownOf[key] = c.internOwn(result)
	return c.ownOf[key]
}

// costs says whether it can be anything but 0.
func (o own) costs() bool { return o.base > 0 || len(o.variables) > 0 }

func (c *compiler) internOwn(o own) int32 {
	key := binary.AppendVarint(nil, int64(o.base))
	for _, id := range o.variables {
		key = binary.AppendVarint(key, int64(id))
	}
	id, ok := c.owns[string(key)]
	if !ok {
		id = int32(len(c.plan.owns))
		c.plan.owns = append(c.plan.owns, o)
		c.owns[string(key)] = id
	}
	return id
}

func (c *compiler) charge(name string, v *inputValue) int32 {
	key := placeKey{name, v.result.Name(), v.weight, v.fallbackCost}
	id, ok := c.charges[key]
	if !ok {
		id = int32(len(c.plan.variables))
		c.plan.variables = append(c.plan.variables, variableCharge{name, v})
		c.charges[key] = id
	}
	return id
}

// sizeOf finds how many values a field returns: the size from above, else its own.
func (c *compiler) sizeOf(field *fieldModel, g group, from []inherited) int32 {
	if field.lists == 0 {
		return c.fixedSize(1)
	}
	for _, above := range from {
		if len(above.path) == 1 && above.path[0] == g.occurrences[0].field.Name {
			return above.size
		}
	}
	if field.sizing == nil || len(field.sizing.sized) > 0 {
		return c.fixedSize(unknownListSize)
	}
	return c.sliced(field, g)
}

// sliced is the size that a field's @listSize tells.
func (c *compiler) sliced(field *fieldModel, g group) int32 {
	result := size{fallback: field.sizing.fallback}
	varies := false
	for _, slicer := range field.sizing.slicers {
		source := sizeSource{slicer: slicer}
		if argument := g.occurrences[0].field.Arguments.ForName(slicer.argument); argument != nil {
			source.value = argument.Value
		}
		varies = varies || source.varies()
		result.sources = append(result.sources, source)
	}
	if !varies {
		return c.fixedSize(result.of(nil))
	}
	return c.internSize(sizeKey{field: g.occurrences[0].field, from: field.sizing}, result)
}

func (c *compiler) fixedSize(n int64) int32 {
	return c.internSize(sizeKey{fixed: n}, size{fallback: n})
}

func (c *compiler) internSize(key sizeKey, s size) int32 {
	id, ok := c.sizes[key]
	if !ok {
		id = int32(len(c.plan.sizes))
		c.plan.sizes = append(c.plan.sizes, s)
		c.sizes[key] = id
	}
	return id
}

// passOn gives the sizes that the lists below a field get from it and from above it.
func (c *compiler) passOn(field *fieldModel, g group, from []inherited) []inherited {
	var below []inherited
	for _, above := range from {
		if len(above.path) > 1 && above.path[0] == g.occurrences[0].field.Name {
			below = append(below, inherited{above.path[1:], above.size})
		}
	}
	if field.sizing != nil && len(field.sizing.sized) > 0 {
		size := c.sliced(field, g)
		for _, path := range field.sizing.sized {
			below = append(below, inherited{path, size})
		}
	}
	return below
}

// members compiles what is selected below a field, for each type that its value may have.
func (c *compiler) members(s *step, field *fieldModel, g group, from []inherited) error {
	sources := make([]source, len(g.occurrences))
	split := slices.ContainsFunc(g.occurrences, func(o occurrence) bool { return o.under != g.occurrences[0].under })
	for i, o := range g.occurrences {
		sources[i].set = o.field.SelectionSet
		if split { // else what lets the field run lets all below it run
			sources[i].under = o.under
		}
	}
	for _, possible := range field.result.members {
		groups, err := c.collect(possible, sources)
		if err != nil {
			return err
		}
		id, err := c.selection(possible, groups, from)
		if err != nil {
			return err
		}
		s.members = append(s.members, member{possible.name, id})
		if !slices.Contains(s.shapes, id) {
			s.shapes = append(s.shapes, id)
		}
		s.varies = s.varies || c.plan.selections[id].costly
	}
	if len(s.shapes) > 1 {
		s.names = c.typenames(s.shapes)
	}
	return nil
}

// typenames gives the response keys that hold __typename in each of the selections that has them.
func (c *compiler) typenames(shapes []int32) []string {
	holds := map[string]bool{}
	for _, shape := range shapes {
		chosen := c.plan.selections[shape]
		for _, s := range c.plan.steps[chosen.first:chosen.next] {
			before, seen := holds[s.key]
			holds[s.key] = s.typename && (before || !seen)
		}
	}
	var names []string
	for key, typename := range holds {
		if typename {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	return names
}
