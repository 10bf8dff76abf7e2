package limit

// Sizes tells how many objects an operation comes to at most, place by place, provided that no list is longer than its size. Each is one
// selection: what is wanted of the objects of one type at one place. It is safe for concurrent use; the zero value knows nothing.
type Sizes struct {
	plan *Plan
	*evaluation
	selection int32
	objects   int64
}

// Sizes begins at the root, which is one object. Variables are those of Estimate: a missing one that a slicing argument asks for counts as
// not given, and what @skip and @include leave to it as selected.
func (p *Plan) Sizes(variables map[string]any) Sizes {
	return Sizes{p, p.with(variables), int32(len(p.selections) - 1), 1}
}

// Objects is how many objects there are at most; math.MaxInt64 stands for that many or any more.
func (s Sizes) Objects() int64 { return s.objects }

// Values is how many values the field under a response key has at most, over all objects; 0 for one that is not selected.
func (s Sizes) Values(key string) int64 {
	_, values := s.find(key)
	return values
}

// Below goes on to the values under a response key that are objects of one type. It is not ok where nothing is known of those: the field is
// not selected, is a leaf, has no such type, or belongs to the introspection.
func (s Sizes) Below(key, typeName string) (below Sizes, ok bool) {
	st, values := s.find(key)
	if st == nil {
		return Sizes{}, false
	}
	for _, m := range st.members {
		if m.typeName == typeName {
			return Sizes{s.plan, s.evaluation, m.selection, values}, true
		}
	}
	return Sizes{}, false
}

func (s Sizes) find(key string) (*step, int64) {
	if s.plan == nil {
		return nil, 0
	}
	chosen := s.plan.selections[s.selection]
	for at := chosen.first; at < chosen.next; at++ {
		st, of := &s.plan.steps[at], &s.steps[at]
		if st.key == key && of.active {
			return st, int64(st.inLists(milli(s.objects), st.lists-1).times(of.size))
		}
	}
	return nil, 0
}
