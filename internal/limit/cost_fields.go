package limit

import "slices"

// Fields tells the estimate field by field, in the order of the operation, each field in front of those below it. Of the types
// that an object may have it shows the dearest. The costs of the root fields add up to the estimate, each rounded up by itself.
// An operation whose fragments repeat can expand to more fields than anybody can read: after 1,000 the rest is left out.
func (p *Plan) Fields(variables map[string]any) []FieldCost {
	l := &listing{plan: p, evaluation: p.with(variables)}
	l.below(int32(len(p.selections)-1), nil, 1)
	return l.fields
}

type listing struct {
	plan *Plan
	*evaluation
	fields []FieldCost
}

// below lists the fields of a selection that is made on so many objects.
func (l *listing) below(selection int32, path []string, objects int64) {
	for at := l.plan.selections[selection].first; at < l.plan.selections[selection].next; at++ {
		s, of := &l.plan.steps[at], &l.steps[at]
		if !of.active {
			continue
		}
		if len(l.fields) == maxFieldCosts {
			return
		}
		field := FieldCost{Path: append(slices.Clone(path), s.key)}
		field.RequestedTotalCost = of.total.times(objects).points()
		shape, value := l.dearest(s)
		field.DefinedCost = of.own.plus(value).points()
		if shape >= 0 {
			values := l.values(s, of, objects)
			field.RequestedChildrenCost = l.children(shape).times(values).points()
			l.fields = append(l.fields, field)
			l.below(shape, field.Path, values)
			continue
		}
		l.fields = append(l.fields, field)
	}
}

// dearest finds the selection that the estimate counts, -1 for a leaf, and what a value weighs without what is below it.
func (l *listing) dearest(s *step) (shape int32, weight milli) {
	shape, weight = -1, s.leaf
	for _, candidate := range s.shapes {
		if shape < 0 || l.objects[candidate] > l.objects[shape] {
			shape, weight = candidate, l.plan.selections[candidate].weight
		}
	}
	return shape, weight
}

// values is how many values a field returns, on so many objects. It saturates, as a count of thousandths.
func (l *listing) values(s *step, of *stepCost, objects int64) int64 {
	return int64(s.inLists(milli(objects), s.lists-1).times(of.size))
}

// children is what is below an object, with a selection.
func (l *listing) children(selection int32) milli {
	if l.objects[selection] == maxMilli {
		return maxMilli
	}
	return l.objects[selection] - l.plan.selections[selection].weight
}
