package limit

// evaluation is a plan with the variables filled in.
type evaluation struct {
	steps   []stepCost
	objects []milli // what an object costs with each of the selections
}

// stepCost is what a step costs on one object.
type stepCost struct {
	active bool  // it is not left out by @skip or @include
	own    milli // the field itself
	value  milli // one value with all below it
	size   int64 // how many values
	total  milli
}

// Estimate is the most that the operation can cost, in points, provided that no list is longer than its size. It takes coerced
// variables: integers as int64 or json.Number, lists as []any, objects as map[string]any; a missing key is a variable that is
// not given. A cost beyond what an int64 of thousandths holds is math.MaxInt64.
func (p *Plan) Estimate(variables map[string]any) int64 {
	return p.with(variables).objects[len(p.selections)-1].points()
}

// with fills the variables in.
func (p *Plan) with(variables map[string]any) *evaluation {
	if p.still != nil {
		return p.still
	}
	return p.evaluate(variables)
}

func (p *Plan) evaluate(variables map[string]any) *evaluation {
	hold := p.evaluateConditions(variables)
	owns := p.evaluateOwns(variables)
	sizes := make([]int64, len(p.sizes))
	for i, s := range p.sizes {
		sizes[i] = s.of(variables)
	}
	e := &evaluation{make([]stepCost, len(p.steps)), make([]milli, len(p.selections))}
	for i, selection := range p.selections {
		cost := selection.weight
		for at := selection.first; at < selection.next; at++ {
			s, of := &p.steps[at], &e.steps[at]
			for _, choice := range s.choices {
				if hold[choice.under] {
					of.active, of.own = true, max(of.own, owns[choice.own])
				}
			}
			if !of.active {
				continue
			}
			of.value, of.size = s.leaf, sizes[s.size]
			for _, shape := range s.shapes {
				of.value = max(of.value, e.objects[shape])
			}
			of.total = of.own.plus(s.inLists(of.value, s.lists-1).times(of.size))
			cost = cost.plus(of.total)
		}
		e.objects[i] = cost
	}
	return e
}

// inLists is what a value costs that so many more lists of unknown sizes are around.
func (s *step) inLists(value milli, lists int) milli {
	for range lists {
		value = value.times(unknownListSize)
	}
	return value
}

// evaluateOwns looks at each variable once for each kind of place it stands in, however many fields have it.
func (p *Plan) evaluateOwns(variables map[string]any) []milli {
	charges := make([]milli, len(p.variables))
	for i, charge := range p.variables {
		charges[i] = p.model.variableCost(charge.name, charge.value, variables)
	}
	owns := make([]milli, len(p.owns))
	for i, o := range p.owns {
		cost := o.base
		for _, id := range o.variables {
			cost = cost.plus(charges[id])
		}
		owns[i] = max(0, cost)
	}
	return owns
}
