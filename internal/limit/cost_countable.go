package limit

import "slices"

// maxCompared bounds the response keys that are compared for one plan, to see whether they tell types apart.
const maxCompared = 1 << 21

// countability finds out whether what an operation did cost follows from how many objects of each type there are.
type countability struct {
	*Plan
	spare int // comparisons that are left
}

func (p *Plan) countable() bool {
	c := countability{p, maxCompared}
	return !slices.ContainsFunc(p.steps, func(s step) bool { return !c.of(&s) })
}

// of says whether counts of objects tell what the values of a step cost.
func (p *countability) of(s *step) bool {
	if !s.varies || len(s.shapes) == 1 {
		return true
	}
	if len(s.shapes) == 0 {
		return s.leaf == 0
	}
	for _, shape := range s.shapes {
		if p.tells(shape, s.names) {
			continue
		}
		for _, other := range s.shapes {
			if other != shape && !p.apart(shape, other) {
				return false
			}
		}
	}
	return true
}

// tells says whether each object of a selection has its __typename under one of these names.
func (p *countability) tells(shape int32, names []string) bool {
	for _, key := range names {
		if s := p.stepOf(shape, key); s != nil && s.always() {
			return true
		}
	}
	return false
}

// apart says whether objects of two selections always differ in their response keys, as far as can be seen in the time.
func (p *countability) apart(a, b int32) bool {
	of, with := p.selections[a], p.selections[b]
	if p.spare -= int(of.next-of.first) * int(with.next-with.first); p.spare < 0 {
		return false
	}
	for range 2 {
		chosen := p.selections[a]
		for at := chosen.first; at < chosen.next; at++ {
			if s := &p.steps[at]; s.always() && p.stepOf(b, s.key) == nil {
				return true
			}
		}
		a, b = b, a
	}
	return false
}

func (p *countability) stepOf(shape int32, key string) *step {
	chosen := p.selections[shape]
	for at := chosen.first; at < chosen.next; at++ {
		if p.steps[at].key == key {
			return &p.steps[at]
		}
	}
	return nil
}

// always says whether no @skip or @include can leave the step out.
func (s *step) always() bool {
	for _, choice := range s.choices {
		if choice.under == alwaysHolds {
			return true
		}
	}
	return false
}
