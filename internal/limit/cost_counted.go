package limit

// Place is where objects of one type stand in an answer, over all lists together.
type Place struct {
	Above   int    // the place that it is below, counted from the first one; the root's is below 0
	Key     string // the response key that led here from above
	Type    string // of the objects
	Objects int
}

// Counted is what Actual says of an answer without failures, by how many objects it has at each of its n places: the root first, each in
// front of those below it. It is not ok where counts do not tell, and the answer has to be read: values of leaves have a weight, or an object's
// type shows in neither its __typename nor its response keys, so that Actual takes the dearest. Where Actual gives up on
// telling types and says the estimate, this goes on.
func (p *Plan) Counted(variables map[string]any, n int, places func(i int) Place) (cost int64, ok bool) {
	e := p.with(variables)
	root := int32(len(p.selections) - 1)
	if !p.selections[root].costly || p.rigid {
		return e.objects[root].points(), true
	}
	if p.uncounted || !p.decided(variables) {
		return 0, false
	}
	var few [32]int32
	selections, sum := few[:0], milli(0)
	for i := range n {
		place, at := places(i), root
		if place.Above >= 0 {
			at = p.below(e, selections[place.Above], place)
		}
		selections = append(selections, at)
		if at >= 0 {
			sum = sum.plus(p.alone(e, at).times(int64(place.Objects)))
		}
	}
	return sum.points(), true
}

// alone is what an object costs without those below it: its weight and its fields.
func (p *Plan) alone(e *evaluation, at int32) milli {
	chosen := p.selections[at]
	cost := chosen.weight
	for _, of := range e.steps[chosen.first:chosen.next] {
		cost = cost.plus(of.own)
	}
	return cost
}

// below gives the selection of a place by the one above it; -1 for one of which nothing costs anything.
func (p *Plan) below(e *evaluation, above int32, place Place) int32 {
	if above < 0 {
		return -1
	}
	chosen := p.selections[above]
	for at := chosen.first; at < chosen.next; at++ {
		s := &p.steps[at]
		if s.key != place.Key || !e.steps[at].active {
			continue
		}
		for _, member := range s.members {
			if s.varies && member.typeName == place.Type {
				return member.selection
			}
		}
	}
	return -1
}

// decided says whether all variables of conditions are there. Executors differ in what they make of one that is not.
func (p *Plan) decided(variables map[string]any) bool {
	for _, c := range p.conditions[1:] {
		if _, ok := variables[c.variable].(bool); !ok {
			return false
		}
	}
	return true
}
